import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { upHost } from "../../sandbox";
import { BackupServer } from "../components/backup-hosts";
import { VpsServer } from "../support/vps-server";

const NAME = "e2e-lost";
const CLI = resolve(__dirname, "../../cli/hearth");
let lost: VpsServer;
let found: VpsServer;
let target: BackupServer;
let identity: string;
let token: string;
let room: string;
let media: { uri: string; digest: string };
let keys: unknown;

/** `npx hearth VERB` on a server's stack. */
function hearth(
  server: VpsServer,
  verb: string,
  ...words: string[]
): Promise<{ status: number; said: string }> {
  const { stack } = server;
  const env = { ...process.env, PULUMI_BACKEND_URL: stack.backendUrl, HEARTH_TRUSTED: stack.confirmedFile };
  const argv = [verb, "--stack", server.host.name, ...words];
  return new Promise((done) => {
    execFile(CLI, argv, { env, maxBuffer: 1e8 }, (error, stdout, stderr) => {
      done({ status: error === null ? 0 : Number(error.code), said: stdout + stderr });
    });
  });
}

/** The public part of an age key, which age-keygen writes next to it. */
function recipientOf(file: string): string {
  return /public key: (\S+)/.exec(readFileSync(file, "utf8"))?.[1] ?? "";
}

/** The committed stack with backups. */
async function withBackups(server: VpsServer, recipient: string): Promise<void> {
  const config = ["--config-file", server.stack.configFile, "--stack", server.host.name];
  await server.edit({ backup: { host: "vps", target: target.sftp, recipient } });
  await server.stack.cli([
    "config",
    "set",
    ...config,
    "--path",
    "--secret",
    "--",
    "hearth:secrets.backup.sshKey",
    target.sshKey,
  ]);
  await server.stack.trust();
}

/** A request to the client API through the public name. */
async function api(
  server: VpsServer,
  method: string,
  path: string,
  body = "",
): Promise<ReturnType<typeof JSON.parse>> {
  const login = token === undefined ? "" : `--header 'Authorization: Bearer ${token}'`;
  const data = body === "" ? "" : `--data '${body}'`;
  return JSON.parse(
    await server.sh(`curl -sS -X ${method} ${login} ${data} 'https://${server.publicHost}${path}'`),
  );
}

const keysOf = async (server: VpsServer) => (await api(server, "GET", "/_matrix/key/v2/server")).verify_keys;

beforeAll(async () => {
  [lost, target] = await Promise.all([VpsServer.make(NAME), BackupServer.start("e2e-backups")]);
  identity = join(lost.directory, "age.txt");
  await target.ageKey(identity);
  await withBackups(lost, recipientOf(identity));
  await lost.up();
});
afterAll(async () => {
  if (process.env.KEEP) return;
  for (const server of [lost, found]) await server?.remove();
  await target?.stop();
});

test("[B8] a backup runs on command, and the next preview says when", async () => {
  const password = (await lost.sh("cat /var/lib/hearth/accounts/alice.password")).trim();
  const login = { type: "m.login.password", identifier: { type: "m.id.user", user: "alice" }, password };
  ({ access_token: token } = await api(lost, "POST", "/_matrix/client/v3/login", JSON.stringify(login)));
  ({ room_id: room } = await api(lost, "POST", "/_matrix/client/v3/createRoom", "{}"));
  await api(
    lost,
    "PUT",
    `/_matrix/client/v3/rooms/${room}/send/m.room.message/1`,
    '{"msgtype":"m.text","body":"before"}',
  );
  const text = await lost.sh("head -c 100000 /dev/urandom >/root/media; sha256sum /root/media");
  const upload = `curl -sS -H 'Authorization: Bearer ${token}' -H 'Content-Type: image/png' --data-binary @/root/media https://${lost.publicHost}/_matrix/media/v3/upload`;
  media = {
    uri: JSON.parse(await lost.sh(upload)).content_uri.replace("mxc://", ""),
    digest: text.slice(0, 64),
  };
  keys = await keysOf(lost);
  expect(await hearth(lost, "backup")).toEqual({
    status: 0,
    said: expect.stringMatching(/dumping the database[\s\S]*succeeded/),
  });
  const { output } = await lost.preview(["--expect-no-changes"]);
  expect(output).toMatch(/backup: last succeeded \d+ (?:second|minute)s? ago/);
});

test("[A6] a restore onto a host with data, or with another age key, is refused and changes nothing", async () => {
  const config = ["--config-file", lost.stack.configFile];
  const before = await lost.lives();
  const data = await hearth(lost, "restore", ...config, "--identity", identity);
  expect(data).toEqual({
    status: 2,
    said: expect.stringMatching(
      /this host has data of a server: .*was set up here[\s\S]*now: nothing was changed/,
    ),
  });
  const other = join(lost.directory, "other.txt");
  await target.ageKey(other);
  const wrong = await hearth(lost, "restore", ...config, "--identity", other);
  expect(wrong).toEqual({
    status: 2,
    said: expect.stringMatching(/other\.txt does not open the copy of the backups' password/),
  });
  expect(await lost.lives()).toEqual(before);
});

test("[A6] [V15] a burnt host comes back on another one: signing key, sessions, messages and media", async () => {
  // The names lead to the new host from now on.
  await upHost({ name: NAME, dnsNames: [] });
  found = await VpsServer.make("e2e-found", { empty: true, domain: NAME });
  await withBackups(found, recipientOf(identity));
  const config = ["--config-file", found.stack.configFile];
  const restored = await hearth(found, "restore", ...config, "--identity", identity);
  expect(restored).toEqual({ status: 0, said: expect.stringMatching(/restored e2e-lost\.test as of/) });
  await found.up();
  expect(await keysOf(found)).toEqual(keys);
  expect(await api(found, "GET", "/_matrix/client/v3/account/whoami")).toMatchObject({
    user_id: `@alice:${NAME}.test`,
  });
  const { chunk } = await api(found, "GET", `/_matrix/client/v3/rooms/${room}/messages?dir=b&limit=5`);
  expect(JSON.stringify(chunk)).toContain('"body":"before"');
  const download = `https://${found.publicHost}/_matrix/client/v1/media/download/${media.uri}`;
  const digest = await found.sh(`curl -sS -H 'Authorization: Bearer ${token}' ${download} | sha256sum`);
  expect(digest.slice(0, 64)).toBe(media.digest);
  expect((await found.preview(["--expect-no-changes"])).ok).toBe(true);
});

test("[B8] the restored host continues the backups, and the drill proves the newest; the old host is refused", async () => {
  expect(await hearth(found, "backup")).toMatchObject({ status: 0 });
  expect(await hearth(found, "backup", "--drill")).toEqual({
    status: 0,
    said: expect.stringMatching(/drill succeeded/),
  });
  const old = await hearth(lost, "backup");
  expect(old).toEqual({ status: 1, said: expect.stringMatching(/another host backs up e2e-lost\.test/) });
});
