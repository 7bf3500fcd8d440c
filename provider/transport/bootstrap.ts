import { randomBytes } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { pack } from "tar-stream";

/** One file of a call: its name below the call's directory on the host, and its content. Readable by the program only. */
export interface CallFile {
  name: string;
  content: string | Buffer;
}

export type Interpreter = "sh" | "python3";

/** What runs every program on the host: path below `provider/`. */
const RUN = "transport/programs/run.sh";

/** Exit statuses of the bootstrap itself; programs do not use them. */
export const BOOTSTRAP_STATUS = { noDirectory: 96, noTar: 97, noInterpreter: 98, brokenTar: 99 } as const;

/**
 * Runs on the host before a program, see PROTOCOL.md. A constant: values travel on standard input. It holds neither single
 * quotes nor backslashes, so that every login shell passes it on unharmed.
 */
const BOOTSTRAP = `
set -u
umask 077
export LC_ALL=C
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
word=
while read -r word mark size left seconds; do if [ "$word" = HEARTH ]; then break; fi; done
[ "$word" = HEARTH ] || exit ${BOOTSTRAP_STATUS.brokenTar}
command -v tar >/dev/null 2>&1 || exit ${BOOTSTRAP_STATUS.noTar}
command -v "$1" >/dev/null 2>&1 || exit ${BOOTSTRAP_STATUS.noInterpreter}
base=/run
if [ ! -w "$base" ]; then base=\${XDG_RUNTIME_DIR:-/tmp}; fi
dir=$(mktemp -d "$base/hearth.$$.XXXXXXXX") || exit ${BOOTSTRAP_STATUS.noDirectory}
trap "rm -rf $dir" EXIT
trap "exit 129" HUP
trap "exit 130" INT
trap "exit 143" TERM
head -c "$size" | tar -x -f - -C "$dir" || exit ${BOOTSTRAP_STATUS.brokenTar}
cd /
exec sh "$dir/run.sh" "$dir" "$mark" "$left" "$seconds" "$1" "$2"
`.trim();

/** The command on the host as argument list; the program is one of Hearth's, below `provider/`. */
export function hostCommand(become: "none" | "sudo", password: boolean, call: ProgramName): string[] {
  const shell = ["sh", "-c", BOOTSTRAP, "hearth", call.interpreter, basename(call.program)];
  if (become === "none") return shell;
  // -n: fail with a clear word instead of waiting for a password that nobody types.
  const asking = password ? ["-S", "-p", ""] : ["-n"];
  return ["env", "LC_ALL=C", "LANGUAGE=C", "sudo", ...asking, "--", ...shell];
}

/** An argument list as text for a login shell. Only Hearth's constants go through this. */
export function shellText(argv: string[]): string {
  return argv.map((word) => (/^[\w./=-]+$/.test(word) ? word : `'${word}'`)).join(" ");
}

export interface ProgramName {
  interpreter: Interpreter;
  /** Path below `provider/`, e.g. `machine/programs/observe.sh`. */
  program: `${string}/programs/${string}`;
}

/** How a program is told apart from what is around it, and what becomes of it without its caller. */
export interface Terms {
  /** Stands before and after its answer on standard output; nobody else can know it. */
  mark: string;
  /** Whether it goes on to its end when its caller is gone. */
  stays: boolean;
  /** One that does not stay ends after so many seconds by itself. */
  seconds: number;
}

/** Words that nobody on the host can say by chance. */
export function newMark(): string {
  return `hearth-${randomBytes(16).toString("hex")}`;
}

/** What goes to the command's standard input: the password for sudo if there is one, the terms, the tar. */
export async function callInput(
  call: ProgramName,
  files: CallFile[],
  password: string | undefined,
  { mark, stays, seconds }: Terms,
): Promise<Buffer> {
  const tar = await tarOf([...programFiles(call), ...files]);
  const head = password === undefined ? "" : `${password}\n`;
  const terms = ["HEARTH", mark, tar.length, stays ? "stays" : "ends", Math.ceil(seconds)].join(" ");
  return Buffer.concat([Buffer.from(`${head}${terms}\n`), tar]);
}

async function tarOf(files: CallFile[]): Promise<Buffer> {
  const archive = pack();
  for (const file of files) archive.entry({ name: file.name, mode: 0o600, uid: 0, gid: 0 }, file.content);
  archive.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of archive) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
}

/** What runs it, the program, and what it includes: `lib/` for shell programs, the other modules for Python programs. */
function programFiles(call: ProgramName): CallFile[] {
  const folder = join(providerFolder(), dirname(call.program));
  const names =
    call.interpreter === "sh"
      ? [basename(call.program), ...readdirSync(join(folder, "lib")).map((name) => `lib/${name}`)]
      : readdirSync(folder);
  const programs = names.filter((name) => /\.(sh|py)$/.test(name));
  return [
    { name: "run.sh", content: readFileSync(join(providerFolder(), RUN)) },
    ...programs.map((name) => ({ name, content: readFileSync(join(folder, name)) })),
  ];
}

/** `provider/`; the launcher says where, because compiled code runs from elsewhere. */
function providerFolder(): string {
  return process.env.HEARTH_PROVIDER_DIR ?? join(__dirname, "..");
}
