// Prepares the shared requirements of tests on hosts: base images, container images, tailscaled. `npm test` starts it while
// the unit tier runs; a test that starts too early waits for the same locks, and prepares missing parts itself.
import { downHost, type SUITES, upHost } from "../../sandbox";
import { prepareImages } from "../../sandbox/containers";
import { ensureTailscale } from "../../sandbox/tailnet/build";

const progress = (line: string) => process.stdout.write(`${line}\n`);

/** One name for all runs: the next run removes the leftovers of an interrupted one. */
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
