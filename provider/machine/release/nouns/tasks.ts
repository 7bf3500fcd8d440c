import type { HostTask } from "../../../contract/release";
import { object, optional, record } from "../../../protocol/shape";
import { isObject } from "../../../protocol/values";
import { pick } from "../maps";
import { noun } from "../noun";
import { argvFile, table } from "../tables";
import { account, argv, line, word } from "./words";

export interface TasksSeen {
  tasks: Map<string, string>;
}

export const tasks = noun<"tasks", TasksSeen>({
  name: "tasks",
  shape: record(
    word,
    object<HostTask>({
      observe: argv,
      apply: argv,
      want: line("the wanted state", /./),
      user: optional(account),
    }),
  ),
  request: (inputs) => {
    const all = Object.entries(inputs.tasks);
    return [
      table(
        "tasks",
        all.map(([name, task], index) => [String(index), name, task.user ?? "-", task.want]),
      ),
      ...all.flatMap(([, task], index) => [
        argvFile(`task.${index}.observe`, task.observe),
        argvFile(`task.${index}.apply`, task.apply),
      ]),
    ];
  },
  empty: () => ({ tasks: new Map() }),
  rows: { task: (seen, { key, second }) => seen.tasks.set(key, second) },
  observed: (inputs, seen) =>
    pick(inputs.tasks, (name, task) => ({ ...task, want: seen.tasks.get(name) ?? "-" })),
  subject: "task:",
  part: (task) => (isObject(task) ? task.want : task),
  told: true,
  internal: ["(?:observe|apply|user)"],
});
