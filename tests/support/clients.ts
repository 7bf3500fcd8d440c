import { writeFile } from "node:fs/promises";
import path from "node:path";
import type { VpsServer } from "./vps-server";

/** The results of one kind of client. */
export interface Seen {
  sent: number;
  /** Status or error of failed requests, with their number. */
  failed: Record<string, number>;
  /** The slowest answer, seconds. */
  slowest: number;
}

/** New connections and two kept alive, 20 Hz each, for an answer from the database; three long polls. */
export type AllSeen = Record<"new" | "kept" | "poll", Seen>;

const PROGRAM = `
import http.client, json, os, sys, threading, time

host, server, token, running = sys.argv[1:]
LOOK = (f"/_matrix/client/v3/directory/room/%23nobody:{server}", {})
seen, threads = [], []


def ask(connection, kind, path, headers):
    start, used = time.monotonic(), connection.sock is not None
    try:
        try:
            connection.request("GET", path, headers=headers)
            response = connection.getresponse()
        except ConnectionError:
            # The server closed a kept connection just now: every client repeats the request on a new one.
            connection.close()
            if not used:
                raise
            connection.request("GET", path, headers=headers)
            response = connection.getresponse()
        body, outcome = response.read(), response.status
    except (OSError, http.client.HTTPException) as error:
        connection.close()
        body, outcome = b"{}", type(error).__name__
    seen.append((kind, outcome, time.monotonic() - start))
    return outcome, body


def new():
    connection = http.client.HTTPSConnection(host, timeout=60)
    ask(connection, "new", *LOOK)
    connection.close()


def news():
    while os.path.exists(running):
        threads.append(threading.Thread(target=new))
        threads[-1].start()
        time.sleep(0.05)


def kept():
    connection = http.client.HTTPSConnection(host, timeout=60)
    while os.path.exists(running):
        ask(connection, "kept", *LOOK)
        time.sleep(0.05)


def polls():
    connection, since = http.client.HTTPSConnection(host, timeout=60), ""
    while os.path.exists(running):
        path = f"/_matrix/client/v3/sync?timeout=3000{since}"
        outcome, body = ask(connection, "poll", path, {"Authorization": f"Bearer {token}"})
        if outcome == 200:
            since = f"&since={json.loads(body)['next_batch']}"
        else:
            time.sleep(0.2)


clients = [threading.Thread(target=work) for work in (news, kept, kept, polls, polls, polls)]
for thread in clients:
    thread.start()
for thread in clients + threads:
    thread.join()
report = {}
for kind in ("new", "kept", "poll"):
    rows = [row for row in seen if row[0] == kind]
    bad = [str(outcome) for _, outcome, _ in rows if outcome not in (200, 404)]
    report[kind] = {"sent": len(rows), "failed": {outcome: bad.count(outcome) for outcome in bad}, "slowest": max(row[2] for row in rows)}
print(json.dumps(report))
`;

/**
 * Measures what clients see during a change. They run on the host itself, use the public name and go through its proxy.
 * @param token for the long polls
 */
export async function whatClientsSee(
  server: VpsServer,
  token: string,
  happens: () => Promise<unknown>,
): Promise<AllSeen> {
  await writeFile(path.join(server.host.root, "root/clients.py"), PROGRAM);
  const running = "/run/clients";
  const said = server.sh(
    `touch ${running}; python3 /root/clients.py ${server.publicHost} ${server.serverName} ${token} ${running}`,
  );
  said.catch(() => undefined);
  try {
    await happens();
  } finally {
    await server.sh(`sleep 1; rm -f ${running}`);
  }
  return JSON.parse(await said) as AllSeen;
}

/** One line for the log of a test run. */
function summary(seen: AllSeen): string {
  return Object.entries(seen)
    .map(
      ([kind, { sent, failed, slowest }]) =>
        `${kind}: ${sent} sent, failed ${JSON.stringify(failed)}, slowest ${slowest.toFixed(1)} s`,
    )
    .join("; ");
}

/** No request of any client failed. */
export function expectNoFailures(what: string, seen: AllSeen): void {
  console.log(`${what}: ${summary(seen)}`);
  expect(Object.values(seen).map(({ failed }) => failed)).toEqual([{}, {}, {}]);
  expect(seen.new.sent).toBeGreaterThan(20);
}
