import type { PostgresConfig } from "../../config-schemas/postgres/schema";
import type { HostTask } from "../../provider/sdk";
import type { Layout } from "../../runtimes/layout";

/** How `database.py` reaches the server and its journal. */
export interface Console {
  /** Superuser's psql, as words of a command. */
  psql: readonly string[];
  /** Command that shows the server's log. */
  journal: string;
}

/** A helper program of ours with the interpreter that runs it. */
export function program(at: Layout, name: string): string[] {
  // -B: no compiled copies beside files that a release owns.
  return ["/usr/bin/python3", "-B", at.host.program(name)];
}

/**
 * The role and the database in it, kept by `database.py`.
 * @param kept data: where the server has its data, where nothing else knows it; password: where the role's password is: a file, or `podman:NAME`; absent: it has none
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
