import type { Mount } from "../../runtimes/container";

/** How a local program reaches the database; contains no secret. */
export interface DatabaseAccess {
  database: string;
  role: string;
  /** The directory of the server's socket, or an address. */
  host: string;
  /** Absent: Postgres' default, 5432. */
  port?: number;
  pool: { min: number; max: number };
  /** A command that prints a libpq password file, which each client creates for itself; absent: the role has no password. */
  passfileCommand?: string[];
  /** The command that opens psql as the server's superuser, for the user to whom the release belongs. */
  console: readonly string[];
  /** The server's unit. */
  unit: string;
  /** The mount with which another container reaches the server; absent: the server is not a container. */
  socket?: Mount;
}
