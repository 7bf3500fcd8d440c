import fs from "node:fs/promises";
import path from "node:path";
import { downHost, SandboxError, upHost } from "../sandbox/index";
import { run } from "../sandbox/process";
import { onHost } from "../sandbox/remote";
import { ansible } from "./ansible";
import { type Arguments, parseArguments, USAGE } from "./arguments";
import type { Contender, Field } from "./contender";
import { desiredState } from "./desired";
import { changesOf, type HearthContender, hearth } from "./hearth";
import { measureLooking } from "./looking";
import { type Row, renderTable, timed } from "./measure";
import { pyinfra } from "./pyinfra";
import { pythonTool } from "./tools";
import { VPS_NAMES, vpsStack } from "./vps";

// The newest versions that run on Python 3.11 (Debian 12).
const ANSIBLE = "ansible-core==2.19.14";
const PYINFRA = "pyinfra==3.10.0";
const HOST = "bench";

const results = path.resolve(__dirname, "../.hearth/bench/results.json");
/** Kept and removed together with the host, because it contains the host's state. */
const directory = path.resolve(__dirname, "../.hearth/bench/work");
const say = (text: string): void => void process.stderr.write(`bench: ${text}\n`);

type Contenders = [HearthContender, Contender, Contender];

async function prepare(): Promise<{ field: Field; contenders: Contenders }> {
  await fs.mkdir(directory, { recursive: true, mode: 0o700 });
  const host = await upHost({ name: HOST, dnsNames: [...VPS_NAMES], progress: say });
  // Ansible's modules run on Python with its apt bindings; both are installed before the measurement.
  const packages = ["apt-get", "install", "-y", "-q", "python3", "python3-apt"];
  for (const command of [["apt-get", "update", "-q"], packages]) {
    const done = await onHost(host, ["env", "DEBIAN_FRONTEND=noninteractive", ...command]);
    if (done.code !== 0) throw new SandboxError(`${command.join(" ")} on ${HOST} failed:\n${done.stderr}`);
  }
  say("getting Ansible and pyinfra from the Python index");
  const tools = [await pythonTool("ansible", ANSIBLE), await pythonTool("pyinfra", PYINFRA)] as const;
  const field = { host, directory };
  const own = (name: string): Field => ({ host, directory: path.join(directory, name) });
  const contenders: Contenders = [
    hearth(field),
    ansible(tools[0], own("ansible")),
    pyinfra(tools[1], own("pyinfra")),
  ];
  for (const contender of contenders) {
    say(`first run of ${contender.name}`);
    await contender.write(desiredState("first"));
    const seconds = await timed(() => contender.apply());
    say(`  ${seconds.toFixed(1)} s`);
  }
  return { field, contenders };
}

/** A run without expected changes must find none; otherwise the table compares different things. */
async function expectChanges(
  expected: "none" | "some",
  who: string,
  call: () => Promise<number>,
): Promise<void> {
  const changes = await call();
  if ((changes === 0) !== (expected === "none")) {
    throw new Error(`${who} made or found ${changes} changes where ${expected} were expected`);
  }
}

async function measureNothingToDo(contenders: Contenders, rounds: number): Promise<Row[]> {
  const [own] = contenders;
  const idle = (who: string, call: () => Promise<number>) => () =>
    timed(() => expectChanges("none", who, call));
  const subjects = [
    ...contenders.map((one) => row("preview, nothing to do", one.name, idle(one.name, one.preview))),
    ...contenders.map((one) => row("run, nothing to do", one.name, idle(one.name, one.apply))),
    row("run, nothing to do", "Hearth, --skip-preview", idle(own.name, own.applySeen)),
  ];
  // Round by round, so that a slow minute of this machine affects all tools.
  for (let round = 1; round <= rounds; round += 1) {
    say(`nothing to do: round ${round} of ${rounds}`);
    for (const subject of subjects) subject.seconds.push(await subject.measure());
  }
  return subjects;
}

async function measureOneFile(contenders: Contenders, rounds: number): Promise<Row[]> {
  const [own, ...others] = contenders;
  const seen = { ...own, name: "Hearth, --skip-preview", apply: own.applySeen };
  const rows: Row[] = [];
  for (const contender of [own, ...others, seen]) {
    say(`one file: ${contender.name}`);
    const seconds: number[] = [];
    // Change and revert, so that the host is as the other tools expect it.
    for (let round = 0; round < 2 * Math.ceil(rounds / 2); round += 1) {
      await contender.write(desiredState(round % 2 === 0 ? "second" : "first"));
      seconds.push(await timed(() => expectChanges("some", contender.name, contender.apply)));
    }
    rows.push({ subject: "one file and its restart", who: contender.name, seconds });
  }
  return rows;
}

async function measureVps(field: Field, rounds: number): Promise<Row[]> {
  say("bringing up the VPS stack");
  const stack = await vpsStack(field);
  changesOf(await stack.up({ args: ["--skip-preview"] }));
  const idle = (args: readonly string[], verb: "up" | "preview") => () =>
    timed(() => expectChanges("none", "the VPS stack", async () => changesOf(await stack[verb]({ args }))));
  const subjects = [
    row("VPS stack, nothing to do", "preview", idle([], "preview")),
    row("VPS stack, nothing to do", "up --skip-preview", idle(["--skip-preview"], "up")),
    row("VPS stack, nothing to do", "up", idle([], "up")),
  ];
  for (let round = 0; round < rounds; round += 1) {
    for (const subject of subjects) subject.seconds.push(await subject.measure());
  }
  return subjects;
}

/** The lower bound: one command through ssh with a new connection each time. */
async function measureSsh({ host }: Field, rounds: number): Promise<Row> {
  const call = () =>
    run("ssh", ["-F", host.sshConfigFile, "-o", "ControlPath=none", host.name, "--", "true"]);
  const floor = row("ssh, one round trip", "ssh", () => timed(call));
  for (let round = 0; round < rounds; round += 1) floor.seconds.push(await floor.measure());
  return floor;
}

function row(
  subject: string,
  who: string,
  measure: () => Promise<number>,
): Row & { measure(): Promise<number> } {
  return { subject, who, seconds: [], measure };
}

async function bench({ rounds, keep, vps, only }: Arguments): Promise<void> {
  try {
    if (only === "looking") {
      await fs.mkdir(directory, { recursive: true, mode: 0o700 });
      process.stdout.write(renderTable(await measureLooking(directory, rounds, say)));
      return;
    }
    const { field, contenders } = await prepare();
    const rows = [await measureSsh(field, rounds)];
    rows.push(...(await measureNothingToDo(contenders, rounds)));
    rows.push(...(await measureOneFile(contenders, rounds)));
    rows.push(...(await measureLooking(directory, rounds, say)));
    if (vps) rows.push(...(await measureVps(field, rounds)));
    const plain = rows.map(({ subject, who, seconds }) => ({ subject, who, seconds }));
    await fs.writeFile(results, `${JSON.stringify(plain, null, 2)}\n`);
    process.stdout.write(renderTable(rows));
  } finally {
    if (!keep) {
      await downHost(HOST, { progress: say });
      await fs.rm(directory, { recursive: true, force: true });
    }
  }
}

async function main(): Promise<void> {
  try {
    const parsed = parseArguments(process.argv.slice(2));
    if (parsed.help) process.stdout.write(USAGE);
    else await bench(parsed);
  } catch (error) {
    if (!(error instanceof SandboxError || error instanceof RangeError)) throw error;
    process.stderr.write(`bench: ${error.message}\n`);
    process.exitCode = 1;
  }
}

void main();
