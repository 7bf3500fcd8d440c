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

/** Exit code after a signal, the same as a shell's for Ctrl-C. */
const STOPPED = 130;

async function up(layout: Layout, steps: Steps, signal: AbortSignal): Promise<string> {
  const { timings } = steps;
  timings.toolchain = Math.round(process.uptime() * 10) / 10;
  await fs.mkdir(layout.directory, { recursive: true, mode: 0o700 });
  const { pair, fresh } = await steps.run("hosts", "Booting two Debian hosts", (note) =>
    raiseHosts(layout, note, signal),
  );
  // A server's checks ask its partner to send a signed request: a new pair is deployed first and checked afterwards.
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

/** Exchanges messages between the first user of each server. */
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
        "fix: run it again, or check the servers: npx hearth verify --help",
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
  return "Removed. The toolchain and the base image of the hosts stay for the next run.\n";
}

/** Ctrl-C reaches every program of the terminal by itself; other signals are forwarded. A second signal ends the program at once. */
function stopOnSignals(): AbortSignal {
  const controller = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.once(signal, () => {
      process.stderr.write(
        "\nstopping when the current steps on the hosts have ended (press again to stop at once)\n",
      );
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
    // Every failure after a signal is caused by it.
    if (process.exitCode === STOPPED) {
      process.stderr.write(
        "quickstart: stopped. Run it again to continue, or remove everything: npm run quickstart -- --down\n",
      );
      return;
    }
    if (!(error instanceof CliError || error instanceof SandboxError)) throw error;
    process.stderr.write(`quickstart: ${error.message}\n`);
    process.exitCode = 1;
  }
}

void main();
