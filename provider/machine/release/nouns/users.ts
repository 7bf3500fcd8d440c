import type { HostUser } from "../../../contract/release";
import { list, object, record } from "../../../protocol/shape";
import { pick } from "../maps";
import { noun } from "../noun";
import { table } from "../tables";
import { account, line } from "./words";

export interface UsersSeen {
  users: Map<string, { home: string; groups: string[] } | undefined>;
}

export const users = noun<"users", UsersSeen>({
  name: "users",
  shape: record(
    account,
    object<HostUser>({
      home: line("an absolute path", /^\/[^:]*$/),
      groups: list(account, { sorted: true }),
    }),
  ),
  scope: "system",
  request: (inputs) => [
    table(
      "users",
      Object.entries(inputs.users).map(([name, user]) => [name, user.home, user.groups.join(",") || "-"]),
    ),
  ],
  empty: () => ({ users: new Map() }),
  rows: {
    user: (seen, { key, second, third, gone }) => {
      const groups = third === "-" ? [] : third.split(",");
      seen.users.set(key, gone ? undefined : { home: second, groups });
    },
  },
  observed: (inputs, seen) =>
    pick(inputs.users, (name, user) => {
      const found = seen.users.get(name);
      // Further groups of the user are not ours.
      return found && { home: found.home, groups: user.groups.filter((one) => found.groups.includes(one)) };
    }),
  lasting: "user",
  told: true,
  internal: ["groups"],
});
