import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { questions } from "../../../../components/hosts/facts";
import type { MachineFacts } from "../../../../provider/contract/host";
import { host } from "../../../../provider/machine/host";
import {
  faultsMessage,
  memoryFaults,
  type RootlessFacts,
  rootlessFaults,
} from "../../../../provider/machine/host-faults";
import { toProperties } from "../../../../provider/protocol/values";
import { DEBIAN_13 } from "../../../support/program";

const none = { name: "home", transport: "ssh", address: "192.0.2.7", become: "none" } as const;
const sudo = { ...none, become: "sudo" } as const;
const facts: MachineFacts = {
  ...DEBIAN_13,
  ...{ packages: {}, installed: [], programs: {} },
  podman: "5.4.2",
  login: { user: "anna", group: "anna", uid: 1000, home: "/home/anna" },
};
const fine: RootlessFacts = {
  packageManager: "apt",
  missing: [],
  subids: 65_536,
  freeSubids: 165_536,
  linger: true,
  manager: "running",
  cgroups: 2,
  namespaces: "free",
};
const problems = (
  change: Partial<RootlessFacts>,
  connection: typeof none | typeof sudo = none,
  host = facts,
) => rootlessFaults(connection, host, { ...fine, ...change }).map(({ problem }) => problem);

describe("what keeps rootless containers from running", () => {
  test("nothing, on a prepared machine", () => {
    expect(problems({})).toEqual([]);
  });

  test.each([
    ["packages", { missing: ["podman", "uidmap"] }, "packages are missing: podman, uidmap"],
    [
      "subordinate ids",
      { subids: 0 },
      "anna has no subordinate ids (/etc/subuid, /etc/subgid); 65536 are needed",
    ],
    [
      "enough of them",
      { subids: 100 },
      "anna has only 100 subordinate ids (/etc/subuid, /etc/subgid); 65536 are needed",
    ],
    ["linger", { linger: false }, "the units of anna would end with the login and not start at boot"],
    ["a manager", { manager: "stopped" as const }, "systemd runs no manager for anna, although it should"],
  ])("without %s, which sudo would fix", (_what, change, problem) => {
    expect(problems(change)).toEqual([problem]);
    expect(problems(change, sudo)).toEqual([]);
  });

  test.each([
    [
      "a home that cannot stand in a unit",
      {},
      { login: { ...facts.login, home: "/home/anna b" } },
      /^the home directory of anna is "\/home\/anna b"/,
    ],
    ["a login as root", {}, { login: { ...facts.login, user: "root", uid: 0 } }, /^the login user is root/],
    [
      "a masked manager",
      { manager: "masked" as const },
      {},
      /^systemd runs no manager for anna: user@1000\.service is masked$/,
    ],
    [
      "Ubuntu's limit on namespaces",
      { namespaces: "restricted" as const },
      {},
      /^AppArmor keeps the programs of anna .*apparmor_restrict_unprivileged_userns is 1/,
    ],
    ["cgroups v1", { cgroups: 1 }, {}, /^it uses cgroups v1/],
    [
      "Podman without Quadlet",
      {},
      { podman: "4.3.1" },
      /^Podman 4\.3\.1 is too old: 5\.0 is needed \(Quadlet came with 4\.4/,
    ],
    ["Podman without Notify=healthy", {}, { podman: "4.9.3" }, /^Podman 4\.9\.3 is too old/],
    ["a Podman of one's own on Debian 12", {}, { systemd: 252 }, /^systemd 252 is too old: 254 is needed/],
    ["no Podman at all", {}, { podman: "" }, /^there is no Podman: 5\.0 is needed/],
  ])("%s, whatever sudo could do", (_what, change, host, problem) => {
    for (const connection of [none, sudo]) {
      expect(problems(change, connection, { ...facts, ...host })).toEqual([expect.stringMatching(problem)]);
    }
  });

  test("with pacman the whole host is upgraded along, for a part of it must not be", () => {
    const [fault] = rootlessFaults(none, facts, { ...fine, packageManager: "pacman", missing: ["podman"] });
    expect(fault?.commands).toEqual(["pacman -Syu --needed podman"]);
  });

  test("[H1] all of it is one message, with the exact commands", () => {
    const seen = { ...fine, missing: ["podman", "passt"], subids: 0, linger: false };
    const message = faultsMessage(none, [
      ...rootlessFaults(none, facts, seen),
      ...memoryFaults({ synapse: 1024, postgres: 512, "the system itself": 512 }, 1920),
    ]);
    expect(message).toBe(`home cannot be used as the stack file wants:
  - packages are missing: podman, passt
  - anna has no subordinate ids (/etc/subuid, /etc/subgid); 65536 are needed
  - the units of anna would end with the login and not start at boot
  - too little memory: synapse 1024 + postgres 512 + the system itself 512 = 2048 MiB; it has 1920 MiB
  now: nothing was changed on home
  fix: give it more memory, or lower the \`memory\` of services in the stack file
  fix: as root there:
      apt-get update
      apt-get install --no-install-recommends podman passt
      usermod --add-subuids 165536-231071 --add-subgids 165536-231071 anna
      loginctl enable-linger anna
    (with become: sudo in hearth:hosts.home Hearth does what of this it can itself)`);
  });
});

describe("memory", () => {
  test.each([
    ["exactly enough", { synapse: 1024, postgres: 512 }, 1536, 0],
    ["one MiB too little", { synapse: 1024, postgres: 513 }, 1536, 1],
    ["nothing wanted", {}, 64, 0],
  ])("[H14] %s", (_what, memory, has, faults) => {
    expect(memoryFaults(memory, has)).toHaveLength(faults);
  });
});

describe("what facts.sh sees, by a tree that stands for the machine's", () => {
  let tree: string;
  beforeEach(() => {
    tree = mkdtempSync(join(tmpdir(), "hearth-tree-"));
  });
  afterEach(() => rmSync(tree, { recursive: true }));

  const ask = (call: string, ...args: string[]) => {
    const library = join(__dirname, "../../../../provider/machine/programs/lib/rootless.sh");
    return execFileSync("sh", ["-euc", `. "$0"; ${call} "$@"`, library, ...args], {
      encoding: "utf8",
    }).trim();
  };

  test("the version of cgroups", () => {
    expect(ask("cgroups_version", tree)).toBe("1");
    writeFileSync(join(tree, "cgroup.controllers"), "memory pids\n");
    expect(ask("cgroups_version", tree)).toBe("2");
  });

  test("AppArmor's limit on user namespaces", () => {
    expect(ask("namespaces_limit", tree)).toBe("free");
    mkdirSync(join(tree, "kernel"));
    writeFileSync(join(tree, "kernel/apparmor_restrict_unprivileged_userns"), "0\n");
    expect(ask("namespaces_limit", tree)).toBe("free");
    writeFileSync(join(tree, "kernel/apparmor_restrict_unprivileged_userns"), "1\n");
    expect(ask("namespaces_limit", tree)).toBe("restricted");
  });

  test.each([
    ["no files", undefined, undefined, "0", "100000"],
    ["others' ranges only", "bob:100000:65536\n", "bob:100000:65536\n", "0", "165536"],
    ["the user's by name", "anna:100000:65536\n", "anna:100000:65536\n", "65536", "165536"],
    ["the user's by number", "1000:200000:65536\n", "1000:200000:65536\n", "65536", "265536"],
    [
      "two ranges of the user",
      "anna:100000:30000\nanna:300000:40000\n",
      "anna:100000:70000\n",
      "70000",
      "340000",
    ],
    ["none for groups", "anna:100000:65536\n", "", "0", "165536"],
    [
      "another user whose name begins alike",
      "annabel:100000:65536\n",
      "annabel:100000:65536\n",
      "0",
      "165536",
    ],
  ])("subordinate ids: %s", (_what, subuid, subgid, count, free) => {
    mkdirSync(tree, { recursive: true });
    if (subuid !== undefined) writeFileSync(join(tree, "subuid"), subuid);
    if (subgid !== undefined) writeFileSync(join(tree, "subgid"), subgid);
    expect(ask("subids", "anna", "1000", tree)).toBe(count);
    expect(ask("free_subids", tree)).toBe(free);
  });
});

describe("[A1] a host in a state of an earlier version", () => {
  const nothing = { distributions: {}, ask: { packages: [], installed: [], programs: {} } };
  const asked = { ...nothing, ask: { ...nothing.ask, packages: ["curl"] } };
  const differs = (news: object) => [
    ...host.diff({ connection: sudo }, { connection: sudo, ...news }).details.keys(),
  ];

  test("which knew nothing of all this, differs in nothing", () => {
    expect(differs({ rootless: false, memory: {}, ...nothing })).toEqual([]);
    expect(differs({ rootless: true, memory: {}, ...nothing })).toEqual(["rootless"]);
  });

  test("differs in what it was not asked, so that an update asks it", () => {
    expect(differs({ rootless: false, memory: {}, ...asked })).toEqual(["ask.packages[0]"]);
  });

  test("does not differ because the program knows more distributions", () => {
    const { distributions } = questions("native");
    expect(differs({ rootless: false, memory: {}, ...nothing, distributions })).toEqual([]);
  });

  test("can be asked what the program asks", () => {
    for (const runtime of ["native", "quadlet"] as const) {
      const inputs = { connection: sudo, rootless: false, memory: {}, ...questions(runtime) };
      expect(host.check({}, toProperties(inputs)).faults).toEqual([]);
    }
  });

  test("has inputs that can still be read", () => {
    expect(host.check({}, { connection: sudo } as never)).toMatchObject({
      faults: [],
      inputs: { rootless: false, memory: {}, ...nothing },
    });
  });
});
