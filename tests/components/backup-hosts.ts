import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { downHost, type Host, issueCertificate, upHost } from "../../sandbox";
import { committedStack, type FixtureStack } from "../fixtures/stacks";
import { sh } from "../support/host-programs";
import { changed } from "../support/program";

const FOLDER = "/srv/backup/matrix";

/** A server for backups: its sshd for sftp, and restic's REST protocol over TLS (rclone's server), both with the same folder. */
export class BackupServer {
  private constructor(
    readonly host: Host,
    readonly sshKey: string,
    readonly hostKey: string,
  ) {}

  static async start(name: string): Promise<BackupServer> {
    const host = await upHost({ name, dnsNames: [`${name}.test`] });
    const work = mkdtempSync(join(tmpdir(), "hearth-backup-"));
    execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", join(work, "key")]);
    const read = (file: string) => readFileSync(join(work, file), "utf8");
    await issueCertificate([`${name}.test`], join(host.root, "srv/tls"));
    writeFileSync(join(host.root, "root/authorized_keys"), read("key.pub"));
    await sh(
      host,
      `set -e; useradd --create-home matrix; install -d -o matrix -g matrix ${FOLDER} /home/matrix/.ssh
       install -o matrix /root/authorized_keys /home/matrix/.ssh
       apt-get update -q >/dev/null; DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends rclone restic age >/dev/null 2>&1
       systemd-run --quiet --unit=rest --setenv=RCLONE_PASS=correct rclone serve restic --addr :8000 --cert /srv/tls/fullchain.pem --key /srv/tls/privkey.pem --user matrix ${FOLDER}`,
    );
    const hostKey = (await sh(host, "cut -d ' ' -f 1,2 /etc/ssh/ssh_host_ed25519_key.pub")).trim();
    const server = new BackupServer(host, read("key"), hostKey);
    rmSync(work, { recursive: true });
    return server;
  }

  /** A new private age key in a file of this machine. */
  async ageKey(file: string): Promise<void> {
    writeFileSync(file, await sh(this.host, "age-keygen 2>/dev/null"), { mode: 0o600 });
  }

  stop(): Promise<void> {
    return downHost(this.host.name);
  }

  get sftp() {
    const { name } = this.host;
    return { kind: "sftp", server: `${name}.test`, user: "matrix", path: FOLDER, hostKey: this.hostKey };
  }

  get rest() {
    return { kind: "rest-server", url: `https://${this.host.name}.test:8000/rest`, user: "matrix" };
  }

  /** The fixture with backups, with this server as its target. */
  stack(recipient: string, more: Record<string, unknown> = {}): FixtureStack {
    return changed(committedStack("backups"), {
      "backup.target": this.sftp,
      "backup.recipient": recipient,
      "secrets.backup": { sshKey: this.sshKey },
      ...more,
    });
  }
}
