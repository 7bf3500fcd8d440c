import type { Validator } from "../../../contract/release";
import { flag, integer, object, optional, record } from "../../../protocol/shape";
import { noun } from "../noun";
import { argvFile, table } from "../tables";
import { account, argv, word } from "./words";

export const validators = noun<"validators">({
  name: "validators",
  shape: record(
    word,
    object<Validator>({
      argv,
      user: optional(account),
      timeoutSeconds: integer(1, 3600),
      isolateNetwork: optional(flag),
    }),
  ),
  request: (inputs) => {
    // In order of their names, whatever order the program wrote them in.
    const all = Object.entries(inputs.validators).sort(([one], [other]) => (one < other ? -1 : 1));
    return [
      table(
        "validators",
        all.map(([name, item], index) => [
          ...[String(index), name, item.user ?? "-", String(item.timeoutSeconds)],
          item.isolateNetwork ? "1" : "0",
        ]),
      ),
      ...all.map(([, item], index) => argvFile(`validator.${index}`, item.argv)),
    ];
  },
  internal: "all",
});
