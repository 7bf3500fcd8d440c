import type { Confirmation } from "../../../contract/release";
import { integer, object, optional } from "../../../protocol/shape";
import { noun } from "../noun";
import { table } from "../tables";

export const confirm = noun<"confirm">({
  name: "confirm",
  shape: optional(object<Confirmation>({ seconds: integer(10, 600) })),
  request: ({ confirm: wanted }) =>
    wanted === undefined ? [] : [table("confirm", [[String(wanted.seconds)]])],
  internal: "all",
});
