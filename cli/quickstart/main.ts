import fs from "node:fs/promises";
import path from "node:path";
import { Stack } from "../../sandbox/deploy/stack";
import { downHost, openSandbox, SandboxError } from "../../sandbox/index";
import { withLock } from "../../sandbox/lock";
import { type JourneyResult, journey } from "../../sandbox/matrix/journey";
import { CliError } from "../errors";
import { parseArguments, USAGE } from "./arguments";
import { type Layout, layoutOf } from "./layout";
import { type Result, type RunningServer, running, summary, writeResult } from "./result";
import { addressesOf, both, deployPair, type Pair, raiseHosts, wasVerified } from "./servers";
import { Steps } from "./steps";

/** Exit code after a signal, as a shell has it for Ctrl-C. */
const STOPPED = 130;

async function up(layout: Layout, steps: Steps, signal: AbortSignal): Promise<string> {
  const { timings } = steps;
  timings.toolchain = Math.round(process.uptime() * 10) / 10;
  await fs.mkdir(layout.directory, { recursive: true, mode: 0o700 });
  const { pair, fresh } = await steps.run("hosts", "Booting two Debian hosts", (note) =>
    raiseHosts(layout, note, signal),
  );
  // A server's checks ask its partner to send a signed request: a new pair comes up first and is checked then.
  if (fresh || !(await wasVerified(pair))) {
    await steps.run("servers", "Deploying a homeserver to each", (note) =>
      deployPair(layout, pair, false, note),
    );
  }
  const changed = await steps.run("checks", "Checking both from outside", (note) =>
    deployPair(layout, pair, true, note),
  );
  const servers = await both(pair, running);
  const met = await steps.run("journey", "Sending an encrypted message across federation", (note) =>
    meet(layout, pair, servers, (text) => note("clients", text)),
  );
  timings.total = Math.round(process.uptime() * 10) / 10;
  const result: Result = { servers, timings };
  await writeResult(layout, result);
  const what = changed === 0 ? "Nothing had to change." : "";
  const said = met.messages.map((text, index) => `  ${met.userIds[index]}: ${text}`).join("\n");
  return `${what}\nRead by the other side, decrypted, after ${timings.total} s:\n${said}\n${summary(layout, pair, result)}`;
}

/** The first person of each server meets the other's. */
async function meet(
  layout: Layout,
  pair: Pair,
  [one, two]: [RunningServer, RunningServer],
  progress: (text: string) => void,
): Promise<JourneyResult> {
  const logFile = path.join(layout.directory, "clients.log");
  const credentials = ({ serverName, accounts }: RunningServer) => ({ serverName, ...accounts[0] });
  try {
    return await journey({
      accounts: [credentials(one), credentials(two)],
      ...{ resolve: addressesOf(pair), caFile: one.caFile, alias: "hello", logFile, progress },
    });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new CliError(
      `both servers run, but no message passed between them: ${reason}\nLog of the clients: ${logFile}\n` +
        "Run it again, or see what the servers say of themselves: npx hearth verify --help",
    );
  }
}

async function down(layout: Layout, steps: Steps): Promise<string> {
  await steps.run("down", "Removing the hosts, their state and files", async (note) => {
    const remove = (name: string) => downHost(name, { progress: (text) => note(name, text) });
    await Promise.all(layout.servers.map((server) => remove(server.host)));
    for (const { stack } of layout.servers) {
      await new Stack({ name: stack, directory: layout.directory }).removeStray();
    }
    await fs.rm(layout.directory, { recursive: true, force: true });
    await fs.rm(layout.resultFile, { force: true });
  });
  return "Gone. The toolchain and the base image of the hosts stay for the next time.\n";
}

/** Ctrl-C reaches every program of the terminal by itself; other signals are handed on. The second one ends us at once. */
function stopOnSignals(): AbortSignal {
  const controller = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.once(signal, () => {
      process.stderr.write("\nstopping; what is under way on the hosts ends first (once more: at once)\n");
      process.exitCode = STOPPED;
      if (signal !== "SIGINT") controller.abort();
    });
  }
  return controller.signal;
}

async function main(): Promise<void> {
  const steps = new Steps();
  try {
    const { help, down: removal, name } = parseArguments(process.argv.slice(2));
    if (help) return void process.stdout.write(USAGE);
    const layout = layoutOf(name);
    const signal = stopOnSignals();
    const { state } = await openSandbox({ progress: (line) => process.stderr.write(`${line}\n`) });
    const wait = () => process.stderr.write(`waiting for another quickstart called ${name}\n`);
    const work = () => (removal ? down(layout, steps) : up(layout, steps, signal));
    process.stdout.write(await withLock(state, `quickstart-${name}`, wait, work));
  } catch (error) {
    // Whatever fails after a signal fails because of it.
    if (process.exitCode === STOPPED) {
      process.stderr.write(
        "quickstart: stopped. Run it again to go on, or remove it all: npm run quickstart -- --down\n",
      );
      return;
    }
    if (!(error instanceof CliError || error instanceof SandboxError)) throw error;
    process.stderr.write(`quickstart: ${error.message}\n`);
    process.exitCode = 1;
  }
}

void main();
