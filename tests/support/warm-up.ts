// Gets what tests on hosts need and a machine has once: base images, container images, tailscaled. Started by `npm test` while
// the unit tier runs; a test that comes too early waits for the same locks, and makes what is missing itself.
import { downHost, type SUITES, upHost } from "../../sandbox";
import { prepareImages } from "../../sandbox/containers";
import { ensureTailscale } from "../../sandbox/tailnet/build";

const progress = (line: string) => process.stdout.write(`${line}\n`);

/** One name for all runs: what a run that was ended has left, the next one takes away. */
const NAME = "warm-up";

async function withHost(suite: (typeof SUITES)[number], work?: "containers"): Promise<void> {
  await downHost(NAME, { progress });
  const host = await upHost({ name: NAME, suite, progress });
  try {
    if (work === "containers") await prepareImages(host, { podman: false, progress });
  } finally {
    await downHost(NAME, { progress });
  }
}

async function main(): Promise<void> {
  await withHost("trixie", "containers");
  await ensureTailscale(progress);
  await withHost("bookworm");
}

void main();
