import type { VpsServer } from "./vps-server";

/**
 * Requests the versions endpoint four times a second until stopped; returns the longest time without a 200, in seconds. The
 * host sends the requests to itself under the public name: a login for each request would dominate the measurement.
 */
export function watchAnswers(server: VpsServer): { stop: () => Promise<number> } {
  const ask = "curl --silent --output /dev/null --max-time 5 --write-out '%{http_code}'";
  const said = server.sh(`now() { cut -d ' ' -f 1 /proc/uptime; }
    touch /run/watched; echo "$(now) 200"
    while test -e /run/watched; do
      status=$(${ask} https://${server.publicHost}/_matrix/client/versions); echo "$(now) $status"; sleep 0.25
    done; echo "$(now) 200"`);
  // Reported below, unless something else has failed before.
  said.catch(() => undefined);
  const stop = async () => {
    await server.sh("rm /run/watched");
    const lines = (await said).trim().split("\n");
    const good = lines.flatMap((line) => (/ 200$/.test(line) ? [Number.parseFloat(line)] : []));
    expect(good.length).toBeGreaterThan(2);
    return Math.max(...good.slice(1).map((time, index) => time - (good[index] ?? 0)));
  };
  return { stop };
}
