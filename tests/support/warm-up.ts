// Prepares the shared requirements of tests on hosts: base images, container images, tailscaled, layers. `npm test` starts it while
// the unit tier runs; a test that starts too early waits for the same locks, and prepares missing parts itself.
import { downHost, upHost } from "../../sandbox";
import { ensureLayer } from "../../sandbox/layers";
import { ensureTailscale } from "../../sandbox/tailnet/build";
import { NATIVE, ROOTLESS } from "./layers";
import { PROBE } from "./user-release";

const progress = (line: string) => process.stdout.write(`${line}\n`);

/** One name for all runs: the next run removes the leftovers of an interrupted one. */
const NAME = "warm-up";

async function main(): Promise<void> {
  for (const layer of [NATIVE, ROOTLESS, PROBE]) await ensureLayer(layer, { progress });
  await ensureTailscale(progress);
  await downHost(NAME, { progress });
  await upHost({ name: NAME, suite: "bookworm", progress });
  await downHost(NAME, { progress });
}

void main();
