import type { PostgresConfig } from "../../config-schemas/postgres/schema";
import type { HostTask } from "../../provider/sdk";
import type { Layout } from "../../runtimes/layout";

/** How `database.py` reaches the server and its log. */
export interface Console {
  /** Command that runs psql as the superuser, in words. */
  psql: readonly string[];
  /** Command that shows the server's log. */
  journal: string;
}

/** The command that runs one of our helper programs with the host's Python. */
export function program(at: Layout, name: string): string[] {
  // -B: Python must not write compiled copies next to files that a release owns.
  return ["/usr/bin/python3", "-B", at.host.program(name)];
}

/**
 * The task that keeps the role and its database, with `database.py`.
 * @param files `data`: the data directory, for a server in a container. `password`: the role's password, as a file or
 * `podman:NAME`; absent: the role has none
 */
export function databaseTask(
  at: Layout,
  config: PostgresConfig,
  console: Console,
  { data, password }: { data?: string; password?: string | undefined },
): Record<string, HostTask> {
  const question = program(at, "database.py");
  const options = [
    `--database=${config.database}`,
    `--role=${config.role}`,
    `--journal=${console.journal}`,
    `--identity=${at.records}/identity`,
    ...(data === undefined ? [] : [`--data=${data}`]),
    ...(password === undefined ? [] : [`--password=${password}`]),
    ...["--", ...console.psql],
  ];
  const role = `role ${config.role}${password === undefined ? "" : " with the password"}`;
  const facts = `owner ${config.role}, encoding UTF8, collation C, ctype C, provider libc`;
  return {
    [`database-${config.database}`]: {
      observe: [...question, "observe", ...options],
      apply: [...question, "apply", ...options],
      want: `${role}; database ${config.database}: ${facts}`,
    },
  };
}
