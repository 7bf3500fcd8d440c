import type { Mount } from "../../runtimes/container";

/** How a local program reaches the database, without any secret. */
export interface DatabaseAccess {
  database: string;
  role: string;
  /** A directory with the server's socket, or an address. */
  host: string;
  /** Absent: Postgres' own, 5432. */
  port?: number;
  pool: { min: number; max: number };
  /** Present when the role has a password: a program that prints a libpq password file, to be made by who needs it. */
  passfileCommand?: string[];
  /** The command that opens psql as the server's superuser, for who runs as its release does. */
  console: readonly string[];
  /** The server's unit. */
  unit: string;
  /** Present when the server is a container: what another container needs to reach it. */
  socket?: Mount;
}
