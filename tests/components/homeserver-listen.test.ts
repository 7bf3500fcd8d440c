import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const HOST = join(__dirname, "../../components/homeserver/programs");
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "hearth-listen-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Runs a Python program with the module `listen`, the socket's `path`, and a stand-in for systemd, `manager`. */
function run(program: string): string {
  const head = `
import os, socket, stat, sys
sys.path.insert(0, ${JSON.stringify(HOST)})
import listen
# Descriptor 3 is in use here.
listen.FIRST_DESCRIPTOR = 100
path = os.path.join(${JSON.stringify(folder)}, "synapse.sock")
manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
manager.bind(os.path.join(${JSON.stringify(folder)}, "notify"))
manager.settimeout(5)
os.environ["NOTIFY_SOCKET"] = manager.getsockname()
def knock():
    client = socket.socket(socket.AF_UNIX)
    client.settimeout(5)
    client.connect(path)
    return client
def given_back(descriptor, names="synapse"):
    os.dup2(descriptor, listen.FIRST_DESCRIPTOR)
    os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS="1", LISTEN_FDNAMES=names)
`;
  const { status, stdout, stderr } = spawnSync("python3", ["-B", "-c", head + program], { encoding: "utf8" });
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  return stdout.trim();
}

test("[A2] if a client connects after one Synapse has stopped, the next Synapse answers", () => {
  const said = run(`
listener = listen.opened(path)
assert listen.tell_systemd("FDSTORE=1", listener.fileno())
text, [stored], _, _ = socket.recv_fds(manager, 100, 1)
print(text.decode().replace(chr(10), " "))
listener.close()
waiting = knock()
waiting.sendall(b"hello")
given_back(stored)
again = listen.kept(path)
print(again.accept()[0].recv(5).decode(), again.get_inheritable(), "LISTEN_FDS" in os.environ)
`);
  expect(said).toBe("FDSTORE=1 FDNAME=synapse\nhello False False");
});

test.each([
  [
    "whose path was removed, so that no client can reach it",
    "os.unlink(path)",
    "True",
    "FDSTOREREMOVE=1 FDNAME=synapse",
  ],
  ["meant for another process", 'os.environ["LISTEN_PID"] = "1"', "True", ""],
])("a kept socket %s is not used", (_what, change, unused, told) => {
  const said = run(`
listener = listen.opened(path)
given_back(listener.fileno())
${change}
print(listen.kept(path) is None)
manager.setblocking(False)
try:
    print(manager.recv(100).decode().replace(chr(10), " "))
except BlockingIOError:
    pass
`);
  expect(said).toBe([unused, told].join("\n").trim());
});

test("the socket of a killed process does not prevent a start, and all users who may enter the folder may connect", () => {
  const said = run(`
os.umask(0o077)
listen.opened(path).close()
listener = listen.opened(path)
print(oct(stat.S_IMODE(os.stat(path).st_mode)))
knock()
`);
  expect(said).toBe("0o666");
});

test("[A4] clients that wait for a Synapse that does not start are disconnected immediately", () => {
  const said = run(`
listener = listen.opened(path)
waiting = [knock() for _ in range(3)]
listen.turn_away(listener)
print([client.recv(1) for client in waiting])
`);
  expect(said).toBe("[b'', b'', b'']");
});
