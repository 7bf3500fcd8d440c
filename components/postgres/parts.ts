import type { PostgresConfig } from "../../config-schemas/postgres/schema";
import type { HostTask, ReleaseInputs } from "../../provider/sdk";
import type { Places } from "../../runtimes/places";
import type { DatabaseAccess } from "./access";

export const SERVICE = "postgres";

/** What one runtime makes of the database server. */
export interface PostgresParts {
  release: Pick<
    ReleaseInputs,
    | "packages"
    | "directories"
    | "files"
    | "secrets"
    | "images"
    | "containerSecrets"
    | "tasks"
    | "units"
    | "validators"
    | "health"
  >;
  access: DatabaseAccess;
}

/** A helper program of ours with the interpreter that runs it. */
export function program(places: Places, name: string): string[] {
  // -B: no compiled copies beside files that a release owns.
  return ["/usr/bin/python3", "-B", `${places.programs(SERVICE)}/${name}`];
}

/** How `database.py` reaches the server and its journal. */
export interface Console {
  /** Superuser's psql, as words of a command. */
  psql: readonly string[];
  /** Command that shows the server's log. */
  journal: string;
}

/**
 * The role and the database in it, kept by `database.py`.
 * @param kept data: where the server has its data, where nothing else knows it; password: where the role's password is: a file, or `podman:NAME`; absent: it has none
 */
export function databaseTask(
  places: Places,
  config: PostgresConfig,
  console: Console,
  { data, password }: { data?: string; password?: string | undefined },
): HostTask {
  const question = program(places, "database.py");
  const options = [
    `--database=${config.database}`,
    `--role=${config.role}`,
    `--journal=${console.journal}`,
    `--identity=${places.state}/identity`,
    ...(data === undefined ? [] : [`--data=${data}`]),
    ...(password === undefined ? [] : [`--password=${password}`]),
    ...["--", ...console.psql],
  ];
  const role = `role ${config.role}${password === undefined ? "" : " with the password"}`;
  const facts = `owner ${config.role}, encoding UTF8, collation C, ctype C, provider libc`;
  return {
    observe: [...question, "observe", ...options],
    apply: [...question, "apply", ...options],
    want: `${role}; database ${config.database}: ${facts}`,
  };
}
