import { status } from "@grpc/grpc-js";
import { questions } from "../../../components/hosts/facts";
import { type Properties, toProperties } from "../../../provider/protocol/values";
import { downHost, type Host, powerCutHost, upHost } from "../../../sandbox";
import { LOGIN, sh } from "../../support/host-programs";
import { ProviderClient } from "../../support/provider-client";
import { failure } from "../../support/release-host";
import { rootlessHost } from "../../support/user-release";

// For this run only: another run at the same time has hosts of its own.
const NAME = `facts-${process.pid}`;
const OLD = `facts-old-${process.pid}`;
let host: Host;
let provider: ProviderClient;

beforeAll(async () => {
  provider = await ProviderClient.start();
  host = await rootlessHost(NAME);
});
afterAll(async () => {
  await provider.stop();
  await downHost(NAME);
  await downHost(OLD);
});

type Wanted = {
  user?: string;
  become?: string;
  rootless?: boolean;
  memory?: Record<string, number>;
  at?: string;
};

/** What the resource Host does with such a machine, in a preview unless said otherwise. */
async function look(
  { user = LOGIN, become = "none", rootless = true, memory = {}, at = NAME }: Wanted,
  preview = true,
): Promise<Properties> {
  const urn = `urn:pulumi:test::hearth::hearth-host:index:Host::${at}`;
  const { sshConfigFile } = host;
  const connection = { name: at, transport: "ssh", address: at, sshConfigFile, user, become };
  const asked = questions(rootless ? "quadlet" : "native");
  const wanted = toProperties({ connection, rootless, memory, ...asked });
  const { inputs, faults } = await provider.check(urn, wanted);
  if (faults.length > 0) throw new Error(faults.join("\n"));
  return Object((await provider.create(urn, inputs, preview)).outputs.facts);
}

async function refusal(wanted: Wanted): Promise<string> {
  const { code, details } = await failure(look(wanted));
  expect(code).toBe(status.FAILED_PRECONDITION);
  expect((await failure(look(wanted, false))).details).toBe(details);
  return details;
}

test("a prepared machine is taken, with and without sudo, and its facts name who logs in", async () => {
  const login = { user: LOGIN, group: LOGIN, uid: 1000, home: `/home/${LOGIN}` };
  const expected = {
    login,
    podman: expect.stringMatching(/^5\./),
    installed: [],
    programs: { tailscaled: "" },
  };
  expect(await look({ become: "none" })).toMatchObject(expected);
  expect(await look({ become: "sudo" })).toMatchObject(expected);
  expect(await look({ become: "sudo", rootless: false })).toMatchObject(expected);
  expect(await look({ user: "root", rootless: false })).toMatchObject({
    login: { user: "root", uid: 0, home: "/root" },
  });
});

test("[W8] IPv6 that is switched off is a fact, for nothing can listen on it", async () => {
  expect(await look({})).toMatchObject({ ipv6: true });
  const everywhere =
    "for place in all default lo; do echo $value >/proc/sys/net/ipv6/conf/$place/disable_ipv6; done";
  await sh(host, `value=1; ${everywhere}`);
  expect(await look({})).toMatchObject({ ipv6: false });
  await sh(host, `value=0; ${everywhere}`);
});

test("tailscaled is seen, and whether a package brought it", async () => {
  await sh(host, "printf '#!/bin/sh\n' >/usr/local/sbin/tailscaled && chmod 0755 /usr/local/sbin/tailscaled");
  expect(await look({})).toMatchObject({ installed: [], programs: { tailscaled: "there" } });
  await sh(host, "rm /usr/local/sbin/tailscaled");
});

test("[H1] all that is missing is one message with the commands, which then really help", async () => {
  await sh(
    host,
    `cp -p /etc/subuid /etc/subgid /run; sed -i '/^${LOGIN}:/d' /etc/subuid /etc/subgid; loginctl disable-linger ${LOGIN}
    dpkg -r --force-depends passt >/dev/null`,
  );
  const details = await refusal({ memory: { synapse: 900_000, "the system itself": 512 } });
  expect(details).toContain(`  - packages are missing: passt\n  - ${LOGIN} has no subordinate ids`);
  expect(details).toContain(`  - the units of ${LOGIN} would end with the login`);
  expect(details).toMatch(
    / {2}- too little memory: synapse 900000 \+ the system itself 512 = 900512 MiB; it has \d+ MiB\n/,
  );
  // With sudo, Hearth fixes these.
  await look({ become: "sudo" });
  const commands = [...details.matchAll(/^ {6}(\S.*)$/gm)].map(([, command]) => command);
  expect(commands).toHaveLength(4);
  for (const command of commands)
    await sh(host, String(command).replace("apt-get install", "apt-get install -y"));
  await look({});
  expect(await sh(host, `grep ${LOGIN} /etc/subuid`)).toMatch(new RegExp(`^${LOGIN}:\\d+:65536$`));
});

test("[H14] a machine with too little memory is refused with the arithmetic, also natively", async () => {
  const details = await refusal({
    rootless: false,
    become: "sudo",
    memory: { postgres: 500_000, synapse: 600_000 },
  });
  expect(details).toContain("synapse 600000 + postgres 500000 = 1100000 MiB");
});

test("a login as root cannot be rootless", async () => {
  expect(await refusal({ user: "root" })).toContain(
    "  - the login user is root; runtime quadlet runs containers without root",
  );
});

/** The refusal of a host that says it is another distribution; everything else of it stays Debian's. */
async function refusedAs(osRelease: string, wanted: Wanted): Promise<string> {
  await sh(
    host,
    `cp -P /etc/os-release /run/kept && rm /etc/os-release && printf '${osRelease}' >/etc/os-release`,
  );
  try {
    return await refusal(wanted);
  } finally {
    await sh(host, "rm /etc/os-release && cp -P /run/kept /etc/os-release");
  }
}

test("a distribution without a column is refused, and those that have one are named", async () => {
  expect(
    await refusedAs('ID=fedora\\nVERSION_ID=43\\nPRETTY_NAME="Fedora Linux 43"\\n', { become: "sudo" }),
  ).toContain(
    "this host runs Fedora Linux 43; Hearth supports Arch Linux (containers only), Debian 12 (bookworm), Debian 13 (trixie), Ubuntu 24.04 (noble) and Ubuntu 26.04 (resolute)",
  );
});

test("what a distribution cannot run yet is refused with the reason", async () => {
  const arch = 'ID=arch\\nPRETTY_NAME="Arch Linux"\\nVERSION_ID=20260101.0\\n';
  expect(await refusedAs(arch, { become: "sudo", rootless: false })).toContain(
    "this host runs Arch Linux: runtime native is not supported there yet: Postgres has one cluster",
  );
});

test("a user without a manager is refused even with sudo", async () => {
  await sh(
    host,
    `loginctl disable-linger ${LOGIN}; systemctl mask user@.service user@1000.service 2>/dev/null; sync`,
  );
  await powerCutHost(NAME);
  host = await upHost({ name: NAME });
  const details = await refusal({ become: "sudo" });
  expect(details).toContain(`systemd runs no manager for ${LOGIN}: user@1000.service is masked`);
  expect(details).toContain("      systemctl unmask user@.service user@1000.service");
});

test("Debian 12, whose Podman is too old, is refused before anything is installed", async () => {
  await upHost({ name: OLD, suite: "bookworm" });
  const details = await refusal({ at: OLD, become: "sudo" });
  expect(details).toContain("  - Podman 4.3.1 is too old: 5.0 is needed");
  expect(details).toContain("upgrade bookworm to a release that has it (Debian 13");
});
