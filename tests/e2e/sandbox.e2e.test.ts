import { execFileSync } from "node:child_process";
import fs from "node:fs/promises";
import path from "node:path";
import {
  downAll,
  downHost,
  type Host,
  issueCertificate,
  listHosts,
  onHost,
  powerCutHost,
  rebootHost,
  sandboxNetwork,
  upHost,
} from "../../sandbox";
import { tryRun } from "../../sandbox/process";
import { StateDirectory } from "../../sandbox/state";

/** A separate sandbox for this test, so that it can be removed completely while a developer uses another one. */
let directory: string;
let one: Host;
let two: Host;

const sh = (command: string): string => execFileSync("sh", ["-c", command], { encoding: "utf8" });
const inHost = async (host: Host, command: string, user?: string): Promise<string> => {
  const done = await onHost(host, [command], { user });
  if (done.code !== 0) throw new Error(`${host.name}: ${command}: exit code ${done.code}\n${done.stderr}`);
  return done.stdout.trim();
};
const bootId = (host: Host) => inHost(host, "cat /proc/sys/kernel/random/boot_id");
const up = (name: string, dnsNames?: string[]) => upHost({ directory, name, dnsNames });

/** The kernel objects of a sandbox: processes, network, firewall, mounts, cgroups. */
function traces(state: StateDirectory): string {
  const processes = sh("cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' '\\n'; true")
    .split("\n")
    .filter((word) => word.startsWith(`--directory=${state.root}/`));
  const groups = sh(`find /sys/fs/cgroup -maxdepth 3 -name '*${state.tag}*' 2>/dev/null; true`);
  const links = sh("ip -o link")
    .split("\n")
    .filter((line) => line.includes(state.tag));
  const tables = sh("nft list ruleset")
    .split("\n")
    .filter((line) => line.includes(state.tag));
  const mounts = sh("cat /proc/self/mounts")
    .split("\n")
    .filter((line) => line.includes(state.root));
  return [...processes, groups.trim(), ...links, ...tables, ...mounts].filter(Boolean).join("\n");
}

beforeAll(async () => {
  directory = await fs.mkdtemp("/var/tmp/hearth-sandbox-");
  // At the same time in an empty sandbox: this builds one image and one bridge, with two addresses.
  [one, two] = await Promise.all([up("one", ["one.test", "matrix.one.test"]), up("two", ["two.test"])]);
});

afterAll(async () => {
  await downAll({ directory });
  await fs.rm(directory, { recursive: true, force: true });
});

describe("two hosts", () => {
  it("start in parallel in an empty sandbox, at separate addresses, without a failed unit", async () => {
    expect(one.address).not.toBe(two.address);
    expect(await sandboxNetwork({ directory })).toBe(one.address.replace(/\.\d+$/, ".0/24"));
    for (const host of [one, two]) {
      expect(await inHost(host, "systemctl is-system-running; hostname")).toBe(`running\n${host.name}`);
    }
    expect(await inHost(one, "cat /etc/machine-id")).not.toBe(await inHost(two, "cat /etc/machine-id"));
    expect(await inHost(two, "sudo id -u", "debian")).toBe("0");
  });

  it("cannot set this machine's clock or time zone", async () => {
    const held = BigInt(`0x${await inHost(one, "sed -n 's/^CapBnd:[[:space:]]*//p' /proc/1/status")}`);
    const [CAP_SYS_ADMIN, CAP_SYS_TIME] = [21n, 25n];
    expect(held & (1n << CAP_SYS_ADMIN)).not.toBe(0n);
    expect(held & (1n << CAP_SYS_TIME)).toBe(0n);
  });

  it("are not booted again by a second up, which prints nothing", async () => {
    const before = await bootId(one);
    const said: string[] = [];
    await upHost({ directory, name: "one", progress: (line) => said.push(line) });
    expect(said).toEqual([]);
    expect(await bootId(one)).toBe(before);
  });

  it("accept connections only with the host key of the sandbox, otherwise a stranger could pose as a host", async () => {
    const strangers = path.join(directory, "strangers");
    const known = await fs.readFile(one.knownHostsFile, "utf8");
    const keyOfTwo = known
      .split("\n")
      .find((line) => line.startsWith("two,"))!
      .split(" ")
      .slice(1)
      .join(" ");
    await fs.writeFile(strangers, `${one.address} ${keyOfTwo}\n`);
    const config = path.join(directory, "strange-config");
    const text = await fs.readFile(one.sshConfigFile, "utf8");
    await fs.writeFile(config, text.replaceAll(one.knownHostsFile, strangers));
    const refused = await onHost({ name: "one", sshConfigFile: config }, ["true"]);
    expect(refused.code).toBe(255);
    expect(refused.stderr).toMatch(/Host key verification failed/);
  });

  it("find each other by name, and trust certificates of the sandbox's CA", async () => {
    expect(await inHost(two, "getent ahostsv4 matrix.one.test | head -1 | cut -d' ' -f1")).toBe(one.address);
    const out = path.join(directory, "certificate");
    await issueCertificate(["matrix.one.test"], out, { directory });
    for (const name of ["fullchain.pem", "privkey.pem"]) {
      await onHost(one, ["tee", `/run/${name}`], { input: await fs.readFile(path.join(out, name), "utf8") });
    }
    const serve = "openssl s_server -accept 443 -cert /run/fullchain.pem -key /run/privkey.pem -www -quiet";
    const listening = "until ss -Hltn | grep -q ':443 '; do sleep 0.1; done";
    await inHost(one, `systemd-run --quiet --unit=tls ${serve}; ${listening}`);
    const verify = "-verify_return_error -verify_hostname matrix.one.test";
    const seen = await inHost(two, `openssl s_client -connect matrix.one.test:443 ${verify} </dev/null 2>&1`);
    expect(seen).toContain("Verify return code: 0 (ok)");
  });

  it("do not share services: a unit that is stopped in one runs on in the other, although both have the same name", async () => {
    for (const host of [one, two]) await inHost(host, "systemd-run --quiet --unit=same sleep 600");
    await inHost(one, "systemctl kill --signal=KILL same; systemctl stop same 2>/dev/null; true");
    expect(await inHost(two, "systemctl is-active same")).toBe("active");
  });

  it("let root overlay staged files on the real ones without changing them", async () => {
    const view =
      "mkdir -p /run/t/u /run/t/w; mount -t overlay overlay -o lowerdir=/etc,upperdir=/run/t/u,workdir=/run/t/w /etc";
    const script = `${view}; echo staged >/etc/seen; cat /etc/seen`;
    const done = await onHost(one, ["unshare", "-m", "sh", "-euc", script]);
    expect(done).toMatchObject({ code: 0, stdout: "staged\n" });
    expect((await onHost(one, ["test", "-e", "/etc/seen"])).code).toBe(1);
  });

  it("reach the package archive, and a later host has the downloads of an earlier one", async () => {
    await inHost(two, "apt-get -q update && apt-get -qy install tree");
    await downHost("two", { directory });
    expect(await inHost(one, "getent hosts two.test || echo gone")).toBe("gone");
    two = await up("two", ["two.test"]);
    expect(await inHost(two, "ls /var/cache/apt/archives")).toMatch(/^tree_.*\.deb$/m);
    expect(await inHost(one, "getent ahostsv4 two.test | head -1 | cut -d' ' -f1")).toBe(two.address);
  });
});

describe("the command line", () => {
  const call = (...words: string[]) =>
    tryRun("node", ["-r", "./toolchain/register.js", "sandbox/main.ts", ...words], {
      env: { HEARTH_SANDBOX_DIR: directory },
    });

  it("shows the same hosts, and returns the output and the exit code of a command in a host", async () => {
    const listed: Host[] = JSON.parse((await call("list", "--json")).stdout);
    expect(listed).toEqual(await listHosts({ directory }));
    const shell = await call("shell", "one", "--", "sh", "-c", 'echo "$0 said"; exit 7', "it's");
    expect(shell).toMatchObject({ code: 7, stdout: "it's said\n" });
    const { stdout: config } = await call("ssh-config");
    expect(sh(`ssh -F ${config.trim()} two.test hostname`)).toBe("two\n");
  });

  it.each([
    [
      ["shell", "nobody"],
      "sandbox: there is no host nobody; there are: one, two\n  fix: create it: up nobody\n",
    ],
    [
      ["up", "one", "--suite", "bookworm"],
      "sandbox: the host one exists with trixie, not bookworm\n  fix: end it first (this deletes its disk): down one\n",
    ],
    [
      ["up", "two", "--name", "matrix.one.test"],
      "sandbox: the name matrix.one.test already leads to the host one\n  fix: choose another name, or end that host: down one\n",
    ],
  ])("%j is refused in one message, without a stack trace", async (words, message) => {
    expect(await call(...words)).toEqual({ code: 1, stdout: "", stderr: message });
  });
});

describe("another sandbox", () => {
  it("with a copy of images/ builds none, and its hosts trust only its own authority", async () => {
    const other = await fs.mkdtemp("/var/tmp/hearth-sandbox-");
    try {
      sh(`cp -al ${directory}/images ${other}/images`);
      const said: string[] = [];
      const host = await upHost({ directory: other, name: "one", progress: (line) => said.push(line) });
      expect(said.filter((line) => line.includes("building"))).toEqual([]);
      const trusts = (file: string) =>
        onHost(host, ["openssl", "verify", "-no-CAfile", "-no-CAstore", "-CApath", "/etc/ssl/certs"], {
          input: execFileSync("cat", [file], { encoding: "utf8" }),
        });
      expect((await trusts(host.caFile)).code).toBe(0);
      expect((await trusts(one.caFile)).code).not.toBe(0);
    } finally {
      await downAll({ directory: other });
      await fs.rm(other, { recursive: true, force: true });
    }
  });
});

describe("a host keeps its disk", () => {
  it("after a reboot from outside and one from inside", async () => {
    const first = await bootId(one);
    await inHost(one, "echo kept >/root/file");
    await rebootHost("one", { directory });
    const second = await bootId(one);
    await onHost(one, ["systemctl reboot"]);
    const deadline = Date.now() + 300_000;
    let third = second;
    while (third === second && Date.now() < deadline) {
      await new Promise((resolve) => setTimeout(resolve, 100));
      third = await bootId(one).catch(() => second);
    }
    expect(new Set([first, second, third]).size).toBe(3);
    expect(await inHost(one, "cat /root/file")).toBe("kept");
  });

  it("after a power cut, without a shutdown of the host", async () => {
    await inHost(
      one,
      "systemd-run --quiet --unit=witness -p ExecStopPost='touch /root/was-stopped' sleep 600",
    );
    await powerCutHost("one", { directory });
    expect((await listHosts({ directory })).map((host) => [host.name, host.running])).toEqual([
      ["one", false],
      ["two", true],
    ]);
    expect((await up("one")).address).toBe(one.address);
    expect(await inHost(one, "cat /root/file; ls /root")).toBe("kept\nfile");
  });

  it("after its bridge was removed and its firewall table with it, without a reboot", async () => {
    const state = new StateDirectory(directory);
    const before = await bootId(one);
    sh(`ip link delete ${state.bridge}; nft delete table ip ${state.firewallTable}`);
    await up("one");
    expect(await bootId(one)).toBe(before);
    expect(
      await inHost(one, "ping -qc1 -w30 two.test >/dev/null && apt-get -q update >/dev/null && echo ok"),
    ).toBe("ok");
  });
});

describe("nothing stays behind", () => {
  it("of a host whose creation was interrupted: it is not listed, and the next up removes it", async () => {
    const half = path.join(directory, "hosts/.three.new/root");
    await fs.mkdir(half, { recursive: true });
    expect((await listHosts({ directory })).map((host) => host.name)).toEqual(["one", "two"]);
    await up("four");
    await expect(fs.access(half)).rejects.toThrow();
  });

  it("of the network and the processes when the last host is down", async () => {
    const state = new StateDirectory(directory);
    expect(traces(state)).not.toBe("");
    await downAll({ directory });
    expect(traces(state)).toBe("");
    expect(await fs.readdir(path.join(directory, "hosts"))).toEqual([]);
  });
});
