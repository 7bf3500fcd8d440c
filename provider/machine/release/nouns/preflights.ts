import type { Preflight } from "../../../contract/release";
import { list, object, record, text } from "../../../protocol/shape";
import { withoutHeader } from "../header";
import { noun } from "../noun";
import { argvFile, table } from "../tables";
import { path, word } from "./words";

/** What must not be taken over: asked before anything is changed. */
export const preflights = noun<"preflights">({
  name: "preflights",
  shape: record(
    word,
    object<Preflight>({ program: path, arguments: list(text({ write: "one program argument" })) }),
  ),
  request: (inputs) => {
    // While a file is not known yet, its program cannot be asked.
    const known = Object.entries(inputs.preflights).flatMap(([name, preflight]) => {
      const file = inputs.files[preflight.program];
      return file === undefined
        ? []
        : [{ name, ...preflight, content: withoutHeader(preflight.program, file.content) }];
    });
    return [
      table(
        "preflights",
        known.map(({ name }, index) => [String(index), name]),
      ),
      ...known.flatMap((preflight, index) => [
        { name: `request/preflight/${index}`, content: preflight.content },
        argvFile(`preflight.${index}`, preflight.arguments),
      ]),
    ];
  },
});
