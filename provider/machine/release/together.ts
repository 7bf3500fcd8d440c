import type { CallFile } from "../../transport/bootstrap";
import type { HostAnswer, HostSession } from "../../transport/session";

/**
 * Milliseconds that a look waits for others at the same host. The engine asks about all releases of a stack at once; one program
 * that looks for all of them costs a host and ssh little more than a look for one.
 */
const TOGETHER = 15;
/** Probes and task programs on the host have limits of their own, below this. */
const LOOK_SECONDS = 120;

interface Look {
  files: CallFile[];
  signal: AbortSignal;
  resolve(answer: HostAnswer): void;
  reject(error: unknown): void;
}

const waiting = new WeakMap<HostSession, { root: Look[]; user: Look[] }>();

/** The answer of `observe.sh` to a request, from a call that may answer several requests to the same host. */
export function lookTogether(
  session: HostSession,
  asRoot: boolean,
  files: CallFile[],
  signal: AbortSignal,
): Promise<HostAnswer> {
  const groups = waiting.get(session) ?? { root: [], user: [] };
  waiting.set(session, groups);
  const group = asRoot ? groups.root : groups.user;
  return new Promise((resolve, reject) => {
    group.push({ files, signal, resolve, reject });
    if (group.length === 1) setTimeout(() => void answerAll(session, asRoot, group.splice(0)), TOGETHER);
  });
}

async function answerAll(session: HostSession, asRoot: boolean, looks: Look[]): Promise<void> {
  try {
    const answer = await session.run({
      interpreter: "sh",
      program: "machine/programs/observe.sh",
      asRoot,
      files: looks.flatMap(({ files }, index) =>
        looks.length === 1 ? files : files.map((file) => ({ ...file, name: `looks/${index}/${file.name}` })),
      ),
      signal: whenAllAbort(looks),
      timeoutSeconds: LOOK_SECONDS,
    });
    const answers = looks.length === 1 ? [answer] : split(answer, looks.length);
    for (const [index, { resolve }] of looks.entries()) resolve(answers[index] ?? answer);
  } catch (error) {
    for (const { reject } of looks) reject(error);
  }
}

/** Aborts when nobody waits for an answer any more. */
function whenAllAbort(looks: Look[]): AbortSignal {
  const all = new AbortController();
  const check = () => {
    if (looks.every(({ signal }) => signal.aborted)) all.abort();
  };
  for (const { signal } of looks) signal.addEventListener("abort", check, { once: true });
  check();
  return all.signal;
}

/** Each look's own part: after a row `look INDEX STATUS` its rows. One without a part broke off. */
export function split(answer: HostAnswer, count: number): HostAnswer[] {
  const parts: HostAnswer[] = Array.from({ length: count }, () => ({
    ...answer,
    status: answer.status || 1,
    stdout: "",
  }));
  let part: HostAnswer | undefined;
  for (const line of answer.stdout.split("\n")) {
    const [kind, index, status] = line.split("\t");
    if (kind === "look") {
      part = parts[Number(index)];
      if (part) part.status = Number(status);
    } else if (part && line !== "") part.stdout += `${line}\n`;
  }
  return parts;
}
