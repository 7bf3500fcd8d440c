import { EngineLog } from "./protocol/log";
import { ProviderServer } from "./protocol/server";
import { resources } from "./resources";

/** The engine kills a plugin five seconds after it asked it to end. */
const END_MS = 4000;
/** When the engine is gone, nobody waits: a change may finish or undo itself as long as it takes. */
const ORPHAN_MS = 30 * 60_000;

async function main(): Promise<void> {
  const server = new ProviderServer(
    resources,
    new EngineLog(process.argv[2]),
    process.env.HEARTH_OFFLINE === "1",
  );
  let ending = false;
  const end = async (milliseconds: number) => {
    server.cancel();
    if (ending && milliseconds > END_MS) return;
    ending = true;
    await server.idle(milliseconds);
    server.close();
    process.exit(0);
  };
  // The engine sends SIGINT at the normal end too; nothing runs then.
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => void end(END_MS));
  // Our standard input is a pipe of the engine's: its end means that the engine died without a word.
  process.stdin.on("end", () => void end(ORPHAN_MS));
  process.stdin.on("error", () => void end(ORPHAN_MS));
  process.stdin.resume();
  // Nobody reads our output after the port; a broken pipe must not end a running change.
  process.stdout.on("error", () => undefined);
  process.stdout.write(`${await server.listen()}\n`);
}

void main();
