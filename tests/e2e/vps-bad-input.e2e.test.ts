import fs from "node:fs/promises";
import path from "node:path";
import { parseDocument } from "yaml";
import { powerCutHost, upHost } from "../../sandbox";
import { VpsServer } from "../support/vps-server";

interface BadInput {
  what: string;
  /** Edits of the stack file. */
  edit?: (server: VpsServer) => Promise<Record<string, unknown>>;
  /** Shell text that breaks the host, and shell text that repairs it. */
  damage?: string;
  repair?: string;
  /** The required parts of the one message: where, why, the fix. */
  says: RegExp[];
}

const OS_RELEASE = "/run/test-os-release";

const FRESH_HOST: BadInput[] = [
  {
    what: "a misspelt key, a wrong type and an impossible combination, all at once",
    edit: async () => ({
      "homeserver.retension": { maxLifetime: "14d" },
      "homeserver.media.maxUploadSize": "lots",
      "homeserver.publicHost": "https://matrix.example.org/",
    }),
    says: [/hearth:homeserver\.retension/, /retention/, /maxUploadSize[\s\S]*lots/, /publicHost[\s\S]*https/],
  },
  {
    what: "a setting in extra that makes Synapse refuse to start",
    edit: async () => ({ "homeserver.extra": { registrations_require_3pid: ["email"] } }),
    says: [/hearth:homeserver\.extra/, /registrations_require_3pid/, /email/],
  },
  {
    what: "an unreachable host",
    edit: async (server) => ({
      "hosts.vps.address": server.host.address.replace(/\d+$/, "253"),
      "hosts.vps.sshConfigFile": undefined,
      "hosts.vps.knownHostsFile": server.host.knownHostsFile,
    }),
    says: [
      /vps/,
      /unreachable|not be reached|no route|cannot reach|timed out/i,
      /HEARTH_OFFLINE=1|--exclude/,
    ],
  },
  {
    what: "another host key than the known one",
    edit: async (server) => {
      const known = path.join(server.directory, "other_known_hosts");
      const line = (await fs.readFile(server.host.knownHostsFile, "utf8"))
        .split("\n")
        .find((row) => row.includes("ed25519"));
      const key = "AAAAC3NzaC1lZDI1NTE5AAAAIIHbPd1T7f1sB8mGxW0nS2WzO1hKc1tq0yF1n0Yl8m0V";
      await fs.writeFile(known, `${server.host.address} ssh-ed25519 ${key}\n# was: ${line}\n`);
      return {
        "hosts.vps.address": server.host.address,
        "hosts.vps.sshConfigFile": undefined,
        "hosts.vps.identityFile": server.host.identityFile,
        "hosts.vps.knownHostsFile": known,
      };
    },
    says: [/another host key than the known one/, /other_known_hosts|ssh-keygen/],
  },
  {
    what: "a user without sudo",
    damage:
      "id plain >/dev/null 2>&1 || useradd -m -s /bin/sh plain; mkdir -p /home/plain/.ssh; cp /root/.ssh/authorized_keys /home/plain/.ssh/; chown -R plain /home/plain/.ssh",
    edit: async () => ({ "hosts.vps.user": "plain", "hosts.vps.become": "sudo" }),
    says: [/sudo/, /plain/, /password|sudoers/],
  },
  {
    what: "an unsupported distribution",
    damage: `sed 's/^ID=.*/ID=fedora/; s/^VERSION_ID=.*/VERSION_ID="43"/; s/^PRETTY_NAME=.*/PRETTY_NAME="Fedora Linux 43"/' /usr/lib/os-release >${OS_RELEASE}; mount --bind ${OS_RELEASE} /usr/lib/os-release`,
    repair: "umount /usr/lib/os-release",
    says: [/Fedora Linux 43/, /Debian 12/],
  },
  {
    what: "a machine whose init is not systemd",
    damage: "mount -t tmpfs none /run/systemd",
    repair: "umount /run/systemd",
    says: [/systemd/],
  },
  {
    what: "a certificate for another name",
    edit: async () => ({ "homeserver.publicHost": "matrix.elsewhere.test" }),
    says: [/matrix\.elsewhere\.test/, /certificate/i],
  },
];

const DEPLOYED_HOST: BadInput[] = [
  {
    what: "another apply running",
    damage:
      "systemd-run --unit=holder --collect flock -o /var/lib/hearth/lock sleep 900; printf 'operator\\tcarol@desk\\nrun\\tother\\nrelease\\tproxy\\n' >/var/lib/hearth/owner; while flock -n /var/lib/hearth/lock true; do sleep 0.1; done",
    repair: "systemctl stop holder",
    edit: async () => ({ "homeserver.media.localLifetime": "111d" }),
    says: [/carol@desk/, /proxy/, /again/],
  },
  {
    what: "a full disk",
    // A file system of one page instead of the folder of the change.
    damage: "mount -t tmpfs -o size=4k none /etc/hearth/homeserver",
    repair: "umount /etc/hearth/homeserver",
    edit: async () => ({ "homeserver.media.localLifetime": "112d" }),
    says: [/No space left|MiB are needed|MiB are free/],
  },
];

describe("bad input is one clear message before any change", () => {
  let server: VpsServer;

  beforeAll(async () => {
    server = await VpsServer.make("e2e-bad-input");
    await server.sh("touch /root/before");
  });

  afterAll(async () => {
    await server?.remove();
  });

  async function expectRefused(row: BadInput): Promise<void> {
    if (row.damage) await server.sh(row.damage);
    try {
      if (row.edit) await server.edit(await row.edit(server));
      const result = await server.stack.up({ args: ["--skip-preview"] });
      expect({ ok: result.ok, output: result.output }).toMatchObject({ ok: false });
      for (const pattern of row.says) expect(result.output).toMatch(pattern);
      expect(result.output).not.toMatch(/^\s+at .*\.(ts|js):\d+/m);
      expect(result.output).not.toContain("unhandled");
    } finally {
      if (row.repair) await server.sh(row.repair);
      await server.reset();
    }
  }

  test.each(FRESH_HOST)("$what", async (row) => {
    await expectRefused(row);
    expect(await server.sh("find /etc/hearth /opt/hearth -newer /root/before 2>/dev/null || true")).toBe("");
  });

  test("an unknown author's stack file that is also an ssh configuration runs nothing here, in preview and up", async () => {
    const proof = path.join(server.directory, "proof");
    const own = await fs.readFile(server.stack.configFile, "utf8");
    const document = parseDocument(own);
    document.setIn(["config", "hearth:hosts", "vps", "sshConfigFile"], server.stack.configFile);
    // YAML for the engine; for ssh a list of keywords to ignore, and a command.
    const both = `IgnoreUnknown=-,*:\n${document.toString({ lineWidth: 0 })}note: |\n  ProxyCommand touch ${proof}\n`;
    await fs.writeFile(server.stack.configFile, both.replace(/^#.*\n/gm, ""));
    try {
      const up = () => server.stack.up({ args: ["--skip-preview"] });
      for (const run of [() => server.stack.preview(), up]) {
        const { ok, output } = await run();
        expect({ ok, output }).toMatchObject({ ok: false });
        expect(output).toMatch(
          /hosts\.vps\.sshConfigFile[\s\S]*must confirm this once[\s\S]*npx hearth trust -s/,
        );
      }
      await expect(fs.access(proof)).rejects.toThrow("ENOENT");
    } finally {
      await server.reset();
    }
  });

  describe("when a server runs", () => {
    beforeAll(async () => {
      await server.up();
    });

    test.each(DEPLOYED_HOST)("$what", async (row) => {
      const before = await server.lives();
      await expectRefused(row);
      expect((await server.lives()).postgres).toEqual(before.postgres);
      expect(await server.secondsUntilAnswering()).toBeLessThan(10);
      await server.up();
    });

    test("[V3] another server name is refused: the identity is permanent", async () => {
      const before = await server.lives();
      const files = await server.sh("sha256sum /etc/hearth/homeserver/homeserver.yaml");
      await server.edit({ "homeserver.serverName": server.publicHost });
      for (const result of [
        await server.stack.preview(),
        await server.stack.up({ args: ["--skip-preview"] }),
      ]) {
        expect(result.ok).toBe(false);
        expect(result.output).toContain(server.serverName);
        expect(result.output).toMatch(/cannot become .* permanently/);
      }
      expect(await server.sh("sha256sum /etc/hearth/homeserver/homeserver.yaml")).toBe(files);
      expect((await server.lives()).synapse).toEqual(before.synapse);
      await server.reset();
    });

    test("a preview of an unreachable host names the fix, and works offline", async () => {
      await server.sh("systemctl stop ssh.socket ssh.service || true");
      // Otherwise the connection of the previous run would still be used.
      await server.disconnected();
      try {
        const refused = await server.stack.preview();
        expect(refused.ok).toBe(false);
        expect(refused.output).toMatch(/HEARTH_OFFLINE=1/);
        const offline = await server.stack.preview({ env: { HEARTH_OFFLINE: "1" } });
        expect({ ok: offline.ok, output: offline.output }).toMatchObject({ ok: true });
        expect(offline.output).toMatch(/warning: .*last known/);
      } finally {
        await restartSshd(server);
      }
    });
  });
});

/** sshd is stopped, so this uses the container directly. */
async function restartSshd(server: VpsServer): Promise<void> {
  await powerCutHost(server.host.name);
  await upHost({ name: server.host.name });
}
