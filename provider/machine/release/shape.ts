import type { ReleaseInputs } from "../../contract/release";
import { connectionShape } from "../../protocol/connection";
import { object, oneOf, type Shape, text } from "../../protocol/shape";
import { NOUN_SHAPES } from "./nouns";

/** Everything of a Release; absent maps are empty. */
export const releaseShape: Shape<ReleaseInputs> = object<ReleaseInputs>({
  connection: connectionShape,
  scope: oneOf("system", "user"),
  release: text({
    write: "a name of lower-case letters, digits and -",
    pattern: /^[a-z][a-z0-9-]*$/,
  }),
  ...NOUN_SHAPES,
});
