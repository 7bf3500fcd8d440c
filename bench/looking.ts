import path from "node:path";
import { stringify } from "yaml";
import { Stack } from "../sandbox/deploy/stack";
import { downHost, type Host, upHost } from "../sandbox/index";
import { changesOf } from "./hearth";
import { type Row, timed } from "./measure";

/** Releases on one host, and hosts with one release, of the larger stacks. */
const MANY = 10;

interface Subject extends Row {
  stack: Stack;
}

/** A preview that finds nothing: of one small release, of ten on the same host, and of one on each of ten hosts. */
export async function measureLooking(
  directory: string,
  rounds: number,
  say: (text: string) => void,
): Promise<Row[]> {
  const hosts: Host[] = [];
  try {
    say(`looking: starting ${MANY} hosts`);
    for (let index = 0; index < MANY; index += 1) hosts.push(await upHost({ name: `bench-look-${index}` }));
    const subjects = [
      await subject(directory, "one release", hosts.slice(0, 1), 1),
      await subject(directory, `${MANY} releases on one host`, hosts.slice(1, 2), MANY),
      await subject(directory, `one release on each of ${MANY} hosts`, hosts, 1),
    ];
    for (let round = 1; round <= rounds; round += 1) {
      say(`looking: round ${round} of ${rounds}`);
      for (const { stack, seconds } of subjects) seconds.push(await timed(() => expectNone(stack)));
    }
    return subjects;
  } finally {
    for (const { name } of hosts) await downHost(name);
  }
}

async function expectNone(stack: Stack): Promise<void> {
  const changes = changesOf(await stack.preview());
  if (changes !== 0) throw new Error(`the preview found ${changes} changes where none were expected`);
}

async function subject(directory: string, who: string, hosts: Host[], releases: number): Promise<Subject> {
  const name = `bench-looking-${hosts.length}-${releases}`;
  const stack = new Stack({
    name,
    directory: path.join(directory, name),
    project: path.join(__dirname, "looking"),
  });
  const places = hosts.map((host) => ({
    name: host.name,
    address: host.address,
    sshConfigFile: host.sshConfigFile,
  }));
  const config = { "hearth-bench-looking:hosts": places, "hearth-bench-looking:releases": releases };
  await stack.prepare(stringify({ config }));
  changesOf(await stack.up({ args: ["--skip-preview"] }));
  return { subject: "looking, nothing to do", who, seconds: [], stack };
}
