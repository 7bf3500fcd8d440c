import type { Connection } from "../contract/connection";
import type { CallFile } from "../transport/bootstrap";
import { type HostAnswer, type HostCall, hostSession } from "../transport/session";

/** A program that runs on a host once, as root, for a person who waits for it. */
export interface Errand extends Pick<HostCall, "onLine" | "signal" | "timeoutSeconds" | "stays"> {
  connection: Connection;
  /** Packages that are installed first if they are missing. */
  packages: readonly string[];
  /** Its command; a relative path is below the folder with `files`. */
  argv: readonly string[];
  /** Programs and data that travel with the call, by name; only root can read them, and they are removed afterwards. */
  files: Readonly<Record<string, string>>;
}

/** Runs it to its end; its own exit status is the answer's. */
export function runErrand({ connection, packages, argv, files, ...call }: Errand): Promise<HostAnswer> {
  const lines = (words: readonly string[]) => words.map((word) => `${word}\n`).join("");
  const own = Object.entries(files).map(
    ([name, content]): CallFile => ({ name: `request/program/${name}`, content }),
  );
  return hostSession(connection).run({
    interpreter: "sh",
    program: "machine/programs/errand.sh",
    asRoot: true,
    files: [
      { name: "request/errand-packages", content: lines(packages) },
      { name: "request/argv/errand", content: lines(argv) },
      ...own,
    ],
    ...call,
  });
}
