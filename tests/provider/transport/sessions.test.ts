import { setTimeout as sleep } from "node:timers/promises";
import { FakeSsh } from "../../support/fake-ssh";

// Pauses between tries are over at once.
jest.mock("node:timers/promises", () => ({ setTimeout: jest.fn(async () => undefined) }));
const pauses = jest.mocked(sleep);

let ssh: FakeSsh;
beforeEach(() => {
  pauses.mockClear();
  ssh = new FakeSsh();
  ssh.program("rows.sh", "sleep 0.1; echo row\n");
});
afterEach(() => ssh.remove());

/** An sshd with that MaxSessions: what ssh says then was recorded with OpenSSH 9.2. */
function atMost(sessions: number): void {
  ssh.does(`slot=0
until mkdir "$folder/slot.$slot" 2>/dev/null; do
  slot=$((slot + 1))
  if [ "$slot" -ge ${sessions} ]; then
    echo "mux_client_request_session: session request failed: Session open refused by peer" >&2
    echo "kex_exchange_identification: Connection closed by remote host" >&2
    exit 255
  fi
done
sh -c "$command"; status=$?
rmdir "$folder/slot.$slot"
exit $status`);
}

test.each([1, 2, 3])(
  "MaxSessions %i: all looks of a host are answered, some after others",
  async (sessions) => {
    atMost(sessions);
    const run = ssh.session();
    const answers = await Promise.all(Array.from({ length: 8 }, () => run("rows.sh")));
    expect(answers.map(({ stdout }) => stdout)).toEqual(Array(8).fill("row\n"));
  },
);

test("a host that refuses some sessions is not asked for as many again", async () => {
  atMost(1);
  const run = ssh.session();
  await Promise.all(Array.from({ length: 8 }, () => run("rows.sh")));
  pauses.mockClear();
  await Promise.all(Array.from({ length: 8 }, () => run("rows.sh")));
  expect(pauses).not.toHaveBeenCalled();
});

test("no session at all: MaxSessions is named, with what to do", async () => {
  ssh.does(
    `echo "mux_client_request_session: session request failed: Session open refused by peer" >&2; exit 255`,
  );
  const running = ssh.session({ name: "vps", address: "vps.example.org" })("rows.sh");
  await expect(running).rejects.toThrow(
    /^sshd on vps \(vps\.example\.org\) opens no session for a program\n {2}fix: set MaxSessions in sshd_config there to 1 or more.*MaxStartups.*pam_limits/,
  );
  // It may be another process' session that ends in a moment.
  expect(pauses.mock.calls.reduce((sum, [pause]) => sum + (pause ?? 0), 0)).toBeGreaterThan(10_000);
});

test("what cannot wait, a cancel, takes a connection of its own", async () => {
  ssh.does(`case " $* " in
  *"ControlPath=none"*) sh -c "$command" ;;
  *) echo "mux_client_request_session: session request failed: Session open refused by peer" >&2; exit 255 ;;
esac`);
  expect((await ssh.session()("rows.sh", { urgent: true })).stdout).toBe("row\n");
  expect(pauses).not.toHaveBeenCalled();
});
