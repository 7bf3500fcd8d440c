import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { pack } from "tar-stream";

/** One file of a call: its name below the call's directory on the host, and its content. Readable by the program only. */
export interface CallFile {
  name: string;
  content: string | Buffer;
}

export type Interpreter = "sh" | "python3";

/** Exit statuses of the bootstrap itself; programs do not use them. */
export const BOOTSTRAP_STATUS = { noDirectory: 96, noTar: 97, noInterpreter: 98, brokenTar: 99 } as const;

/**
 * Runs on the host before a program, see PROTOCOL.md. A constant: values travel in the tar. It holds neither single
 * quotes nor backslashes, so that every login shell passes it on unharmed.
 */
const BOOTSTRAP = `
set -u
umask 077
export LC_ALL=C
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
while IFS= read -r line; do if [ "$line" = HEARTH ]; then break; fi; done
command -v tar >/dev/null 2>&1 || exit ${BOOTSTRAP_STATUS.noTar}
command -v "$1" >/dev/null 2>&1 || exit ${BOOTSTRAP_STATUS.noInterpreter}
base=/run
if [ ! -w "$base" ]; then base=\${XDG_RUNTIME_DIR:-/tmp}; fi
dir=$(mktemp -d "$base/hearth.XXXXXXXX") || exit ${BOOTSTRAP_STATUS.noDirectory}
trap "rm -rf $dir" EXIT
trap "exit 129" HUP
trap "exit 130" INT
trap "exit 143" TERM
tar -x -f - -C "$dir" || exit ${BOOTSTRAP_STATUS.brokenTar}
cd /
"$1" "$dir/$2" "$dir" </dev/null
exit $?
`.trim();

/** The command on the host as argument list; the program is one of ours below `provider/host`. */
export function hostCommand(become: "none" | "sudo", password: boolean, call: ProgramName): string[] {
  const shell = ["sh", "-c", BOOTSTRAP, "hearth", call.interpreter, call.program];
  if (become === "none") return shell;
  // -n: fail with a clear word instead of waiting for a password that nobody types.
  const asking = password ? ["-S", "-p", ""] : ["-n"];
  return ["env", "LC_ALL=C", "sudo", ...asking, "--", ...shell];
}

/** An argument list as text for a login shell. Only constants of ours go through this. */
export function shellText(argv: string[]): string {
  return argv.map((word) => (/^[\w./=-]+$/.test(word) ? word : `'${word}'`)).join(" ");
}

export interface ProgramName {
  interpreter: Interpreter;
  /** File name below `provider/host`, e.g. `observe.sh`. */
  program: string;
}

/** What goes to the command's standard input: the password for sudo if there is one, the marker, the tar. */
export async function callInput(
  call: ProgramName,
  files: CallFile[],
  password: string | undefined,
): Promise<Buffer> {
  const head = password === undefined ? "" : `${password}\n`;
  return Buffer.concat([Buffer.from(`${head}HEARTH\n`), await tarOf([...programFiles(call), ...files])]);
}

async function tarOf(files: CallFile[]): Promise<Buffer> {
  const archive = pack();
  for (const file of files) archive.entry({ name: file.name, mode: 0o600, uid: 0, gid: 0 }, file.content);
  archive.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of archive) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
}

/** The program and what it includes: `lib/` for shell programs, the other modules for Python programs. */
function programFiles(call: ProgramName): CallFile[] {
  const folder = hostFolder();
  const below =
    call.interpreter === "sh"
      ? [call.program, ...readdirSync(join(folder, "lib")).map((name) => `lib/${name}`)].filter((name) =>
          /\.(sh|py)$/.test(name),
        )
      : readdirSync(folder).filter((name) => name.endsWith(".py"));
  return below.map((name) => ({ name, content: readFileSync(join(folder, name)) }));
}

/** `provider/host`; the launcher says where, because compiled code runs from elsewhere. */
function hostFolder(): string {
  return join(process.env.HEARTH_PROVIDER_DIR ?? join(__dirname, ".."), "host");
}
