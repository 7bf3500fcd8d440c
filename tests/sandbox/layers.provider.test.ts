import fs from "node:fs/promises";
import path from "node:path";
import { downHost, type Host, onHost } from "../../sandbox";
import { makeTree, removeTree } from "../../sandbox/disk";
import { type Layer, upHostFrom } from "../../sandbox/layers";
import { exists, StateDirectory } from "../../sandbox/state";

const tag = process.pid;
const NAMES = [`copy-a-${tag}`, `copy-b-${tag}`] as const;
let preparations = 0;

/** A host's packages and data in small: a file, and a tree of its own in a user's folder, like a store of images. */
const layer = (version: number): Layer => ({
  name: `test-${tag}`,
  key: [version],
  make: async (host) => {
    preparations += 1;
    const store = path.join(host.root, "home/debian/store");
    await run(host, `echo version ${version} >/srv/prepared`);
    await makeTree(store);
    await fs.writeFile(path.join(store, "image"), "large\n", { mode: 0o640 });
    await fs.chown(path.join(store, "image"), 1000, 1000);
  },
});

async function run(host: Host, text: string): Promise<string> {
  const { code, stdout, stderr } = await onHost(host, [text]);
  if (code !== 0) throw new Error(`${text}: ${stderr}${stdout}`);
  return stdout.trim();
}

afterAll(async () => {
  for (const name of NAMES) await downHost(name);
  const layers = new StateDirectory().path("layers");
  for (const entry of await fs.readdir(layers))
    if (entry.startsWith(`test-${tag}-`)) await removeTree(path.join(layers, entry));
});

it("a layer is prepared once, and each host that starts from it is a new host", async () => {
  const hosts = await Promise.all(NAMES.map((name) => upHostFrom(layer(1), { name })));
  expect(preparations).toBe(1);
  const identity =
    "hostname; cat /etc/machine-id; cut -d' ' -f2 /etc/ssh/ssh_host_ed25519_key.pub; cat /proc/sys/kernel/random/boot_id";
  const lines = await Promise.all(hosts.map((host) => run(host, identity)));
  const [one, other] = lines.map((text) => text.split("\n"));
  expect(one?.[0]).toBe(NAMES[0]);
  expect(other?.filter((line) => one?.includes(line))).toEqual([]);
  for (const host of hosts) {
    expect(await run(host, "cat /srv/prepared; stat -c '%a %U' /home/debian/store/image")).toBe(
      "version 1\n640 debian",
    );
    // The journal of the host that it was prepared on is not theirs.
    expect(await run(host, "ls /var/log/journal")).toBe(await run(host, "cat /etc/machine-id"));
    expect(await run(host, "systemctl is-system-running")).toBe("running");
  }
});

it("another key is another layer; a host that exists keeps its disk", async () => {
  const [name, other] = NAMES;
  await downHost(other);
  const changed = await upHostFrom(layer(2), { name: other });
  expect(await run(changed, "cat /srv/prepared")).toBe("version 2");
  const kept = await upHostFrom(layer(2), { name });
  expect(await run(kept, "cat /srv/prepared")).toBe("version 1");
});

it("a preparation that fails leaves neither a layer nor a host", async () => {
  const broken: Layer = { ...layer(3), make: () => Promise.reject(new Error("no network")) };
  await expect(upHostFrom(broken, { name: `copy-c-${tag}` })).rejects.toThrow("no network");
  const state = new StateDirectory();
  expect(await exists(state.hostDirectory(`layer-test-${tag}`))).toBe(false);
  expect((await fs.readdir(state.path("layers"))).filter((entry) => entry.endsWith(".building"))).toEqual([]);
  expect(await exists(state.hostDirectory(`copy-c-${tag}`))).toBe(false);
});
