import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { downHost, type Host, onHost, upHost } from "../../sandbox";
import type { FixtureStack } from "../fixtures/stacks";
import { ok, sh } from "../support/host-programs";
import { RealReleases } from "../support/real-release";
import { BackupServer } from "./backup-hosts";

// The real restic, age, Postgres and Synapse of one server, and a server for its backups.
const NAME = `backup-${process.pid}`;
const PROGRAMS = "/usr/local/lib/hearth/backup";
const SETTINGS = "/etc/hearth/backup/settings.json";
const DATA = "/var/lib/hearth-data/backup";
let host: Host;
let target: BackupServer;
let releases: RealReleases;
let stack: FixtureStack;

const psql = (sql: string) =>
  sh(host, `cd / && echo "${sql}" | runuser -u postgres -- psql -XAtq -d synapse`);
/** Runs a job by its unit, and returns its words and whether it succeeded. */
async function job(unit: string): Promise<{ ok: boolean; said: string }> {
  const { code, stdout } = await onHost(host, ["sh", `${PROGRAMS}/now.sh`, `${unit}.service`]);
  return { ok: code === 0, said: stdout };
}
/** restic with the host's password, on its sftp repository as the other server has it. */
const restic = async (words: string) => {
  const password = await sh(host, "cat /etc/hearth/backup/secrets/repository-password");
  return sh(
    target.host,
    `RESTIC_PASSWORD=${password} restic -q --no-cache --no-lock -r /srv/backup/matrix/repository ${words}`,
  );
};
/** A backup with other settings, and with records of its own: `change` is Python that changes the settings `s`. */
async function backupWith(change: string): Promise<string> {
  const program = `import json, sys\ns = json.load(open("${SETTINGS}"))\ns["data"] = "/root/other"\ns["cache"] = None\n${change}\njson.dump(s, open("/root/other.json", "w"))\n`;
  writeFileSync(join(host.root, "root/change.py"), program);
  const run = `mkdir -p /root/other; cp ${DATA}/recovery.age /root/other; python3 /root/change.py`;
  const { stdout, stderr } = await onHost(host, [
    `${run} && python3 -B ${PROGRAMS}/backup.py /root/other.json`,
  ]);
  return stdout + stderr;
}
const MEDIA_ID = "abCDefghijklmnopqrstuvwx";
const MEDIA = `/var/lib/matrix-synapse/media/local_content/ab/CD/${MEDIA_ID.slice(4)}`;

beforeAll(async () => {
  [host, target] = await Promise.all([upHost({ name: NAME }), BackupServer.start(`${NAME}-target`)]);
  releases = new RealReleases(host);
  await sh(
    host,
    "apt-get update -q >/dev/null; DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends age >/dev/null && age-keygen -o /root/key.txt 2>/dev/null",
  );
  stack = target.stack(await sh(host, "age-keygen -y /root/key.txt"));
  for (const name of ["postgres", "homeserver", "backup"]) ok(await releases.apply(stack, name));
  const content = "/root/media";
  await sh(
    host,
    `head -c 5000 /dev/urandom >${content}; install -d -o matrix-synapse -g matrix-synapse $(dirname ${MEDIA}); install -o matrix-synapse ${content} ${MEDIA}
     install -d -m 0700 /var/lib/hearth/accounts; echo secret >/var/lib/hearth/accounts/alice.password`,
  );
  const digest = (await sh(host, `sha256sum ${MEDIA}`)).slice(0, 64);
  await psql(
    `INSERT INTO local_media_repository (media_id, media_type, media_length, created_ts, user_id, sha256) VALUES ('${MEDIA_ID}', 'text/plain', 5000, 1, '@a:example.org', '${digest}');
     INSERT INTO e2e_one_time_keys_json (user_id, device_id, algorithm, key_id, ts_added_ms, key_json) VALUES ('@a:example.org', 'D', 'x', 'k', 1, '{}');`,
  );
});
afterAll(async () => {
  if (process.env.KEEP) return;
  await downHost(NAME);
  await target?.stop();
});

test("[V15] [B8] a backup goes to another server, with everything that a lost host needs and no one-time keys", async () => {
  expect(await job("hearth-backup")).toEqual({ ok: true, said: expect.stringContaining("succeeded") });
  const listed = await restic("ls latest");
  for (const path of [
    "/etc/hearth/homeserver/secrets/signing.key",
    MEDIA,
    "/var/lib/hearth/accounts/alice.password",
  ])
    expect(listed).toContain(path);
  expect(listed).toContain("/etc/hearth/backup/secrets/stack.yaml");
  const toc = `restore latest --target /root/out --include ${DATA}/stage`;
  await restic(toc);
  expect(JSON.parse(await sh(target.host, `cat /root/out${DATA}/stage/manifest.json`))).toMatchObject({
    serverName: "example.org",
    database: { rows: { local_media_repository: 1 } },
  });
  expect(await sh(target.host, `grep -c 'x:k' /root/out${DATA}/stage/database.dump || true`)).toBe("0");
  // The dump is removed: it may be as large as the database.
  expect(await sh(host, `ls ${DATA}/stage`)).toBe("manifest.json");
});

test("[B8] [A9] the password is on the host, and elsewhere only in a copy that the operator's key opens", async () => {
  const password = await sh(host, "cat /etc/hearth/backup/secrets/repository-password");
  expect(password).toMatch(/^[0-9a-f]{64}$/);
  const open = (source: string) => sh(host, `${source} | age -d -i /root/key.txt`);
  expect(await open(`python3 -B ${PROGRAMS}/recovery.py show ${SETTINGS} | base64 -d`)).toBe(password);
  const copy = `RESTIC_PASSWORD=open restic -q --no-cache -r /srv/backup/matrix/recovery dump latest ${DATA}/recovery.age | base64 -w 0`;
  expect(await open(`echo ${await sh(target.host, copy)} | base64 -d`)).toBe(password);
  const everywhere =
    "grep -r -l -e $(cat /etc/hearth/backup/secrets/repository-password) /var/lib/hearth* /etc /run/systemd /usr/local 2>/dev/null";
  expect(await sh(host, everywhere)).toBe("/etc/hearth/backup/secrets/repository-password");
});

test("[V15] the timers catch up, and the jobs give way to the server", async () => {
  for (const unit of ["hearth-backup", "hearth-drill"]) {
    expect(
      await sh(host, `systemctl show -P Persistent ${unit}.timer; systemctl is-enabled ${unit}.timer`),
    ).toBe("yes\nenabled");
    const limits = await sh(host, `systemctl show -P Nice -P IOSchedulingClass -P MemoryMax ${unit}.service`);
    expect(limits.split("\n")).toEqual([String(512 * 1024 ** 2), "15", "3"]);
  }
});

test("[B8] a drill restores the newest backup, and finds a media file and a signing key that are not as they were", async () => {
  expect(await job("hearth-drill")).toEqual({
    ok: true,
    said: expect.stringMatching(/1 media are as they were[\s\S]*drill succeeded/),
  });
  const faults: [break_: string, repair: string, says: string][] = [
    [
      `echo other >${MEDIA}`,
      `cp /root/media ${MEDIA}`,
      `the media file ${MEDIA_ID} in the backup is not what the database names`,
    ],
  ];
  for (const [broken, repair, says] of faults) {
    await sh(host, broken);
    expect(await job("hearth-backup")).toMatchObject({ ok: true });
    expect(await job("hearth-drill")).toEqual({ ok: false, said: expect.stringContaining(says) });
    expect(JSON.parse(await sh(host, `python3 -B ${PROGRAMS}/state.py ${SETTINGS}`)).drill).toMatchObject({
      reason: expect.stringContaining(says),
    });
    await sh(host, repair);
  }
  const key = "/etc/hearth/homeserver/secrets/signing.key";
  await sh(host, `cp -a ${key} /root/key.kept; echo ed25519 a_x AAAA >${key}`);
  expect(await job("hearth-drill")).toEqual({
    ok: false,
    said: expect.stringContaining("the signing key in the backup is not the one"),
  });
  await sh(host, `cp -a /root/key.kept ${key}`);
  // Nothing of a drill stays.
  expect(await sh(host, `ls ${DATA}; pgrep -f ${DATA} || true`)).not.toMatch(/drill|postgres/);
});

test("[V15] old backups are removed by the stack's numbers", async () => {
  await job("hearth-backup");
  // All of today's backups are one daily backup; restic also keeps the oldest one until there are enough.
  expect(JSON.parse(await restic("snapshots --json"))).toHaveLength(2);
});

const FAULTS: [what: string, change: string, says: RegExp][] = [
  ["unreachable", 's["target"]["port"] = 1', /cannot be reached \(.*[Rr]efused/],
  [
    "another host key",
    's["knownHosts"] = "/dev/null"',
    /shows another host key than hearth:backup\.target\.hostKey/,
  ],
  ["a wrong key", 's["secretFile"] = "/root/other-key"', /refuses the login \(.*Permission denied/],
  ["a folder that is closed", 's["target"]["path"] = "/srv"', /cannot be written/],
  [
    "another password",
    's["passwordFile"] = "/etc/hostname"',
    /has another password: another host backs up there/,
  ],
  [
    "another host with the same password",
    's["hostFile"] = "/etc/hostname"',
    /another host backs up example\.org to/,
  ],
  [
    "another server",
    's["serverName"] = "other.test"',
    /has backups of example\.org, and this is other\.test/,
  ],
  ["a full disk", 's["target"] = {"kind": "path", "path": "/mnt/full"}', /\/mnt\/full is full/],
  [
    "a missing folder",
    's["target"] = {"kind": "path", "path": "/mnt/none"}',
    /the folder \/mnt\/none is missing/,
  ],
];

describe("a target with a fault", () => {
  let before: string;
  beforeAll(async () => {
    before = await restic("snapshots --json");
    await sh(
      host,
      "ssh-keygen -q -t ed25519 -N '' -f /root/other-key; mkdir -p /mnt/full; mount -t tmpfs -o size=40K none /mnt/full",
    );
  });

  test.each(FAULTS)("[B8] %s: is named with its fix", async (_what, change, says) => {
    const said = await backupWith(change);
    expect(said).toMatch(says);
    expect(said).toContain("\n  fix: ");
  });

  test("[B8] nothing at the target changed", async () => {
    expect(await restic("snapshots --json")).toBe(before);
  });
});

test("[V15] restic's REST protocol over TLS: a wrong password is named, and with the right one it works", async () => {
  const rest = (password: string) =>
    `s["target"] = ${JSON.stringify(target.rest)}; s["secretFile"] = "/root/rest"; open("/root/rest", "w").write("${password}")`;
  expect(await backupWith(rest("wrong"))).toMatch(/refuses the login \(.*401[\s\S]*fix: /);
  expect(await backupWith(rest("correct"))).toContain("succeeded");
});

/** A restore with other settings (Python that changes `s`), for a server of which this host has nothing. */
async function restoreWith(change: string): Promise<string> {
  const program = [
    "import json",
    `s = json.load(open("${SETTINGS}"))`,
    's["data"] = "/root/fresh"',
    's["content"] |= {"records": "/root/fresh", "media": "/root/fresh/media", "secrets": ["/root/fresh/signing.key"]}',
    's["database"]["name"] = "fresh"',
    change,
    'json.dump(s, open("/root/restore/settings.json", "w"))',
  ];
  writeFileSync(join(host.root, "root/change.py"), `${program.join("\n")}\n`);
  const folder = `rm -rf /root/restore; cp -r ${PROGRAMS} /root/restore; python3 /root/change.py; cd /root/restore`;
  const secrets =
    "cp /etc/hearth/backup/secrets/repository-password password; cp /etc/hearth/backup/secrets/target target; cp /etc/hearth/backup/known_hosts .";
  const { stdout, stderr } = await onHost(host, [
    `${folder}; ${secrets}; python3 -B restore.py restore latest`,
  ]);
  return stdout + stderr;
}

test.each([
  [
    "another server's backup",
    's["serverName"] = "other.test"',
    /the backup is of example\.org, and the stack file is for other\.test/,
  ],
  [
    "a newer Synapse",
    's["synapse"] = "1.99.0"',
    /made by Synapse 1\.163\.2, and the stack file names 1\.99\.0/,
  ],
  ["a newer Postgres", 's["database"]["major"] = 15', /made by Postgres 17, and this host has 15/],
  [
    "a host with data",
    's["content"]["secrets"] = ["/etc/hearth/homeserver/secrets/signing.key"]',
    /this host has data of a server/,
  ],
])("[A6] a restore of %s is refused before anything is in its place", async (_what, change, says) => {
  expect(await restoreWith(change)).toMatch(says);
  expect(await sh(host, "ls /root/fresh")).toBe("lock");
  expect(await psql("SELECT count(*) FROM pg_database WHERE datname = 'fresh'")).toBe("0");
});

test("[B8] a repository with missing parts, or that is gone, is named, and no new one is begun in its place", async () => {
  const folder = "/srv/backup/matrix/repository";
  await sh(target.host, `mv ${folder}/data /root/data && mkdir -m 0777 ${folder}/data`);
  const damaged = /is damaged: parts of it are missing or changed/;
  expect(await job("hearth-drill")).toEqual({ ok: false, said: expect.stringMatching(damaged) });
  expect(await restoreWith("")).toMatch(damaged);
  expect(await sh(host, "ls /root/fresh")).toBe("lock");
  await sh(target.host, `rmdir ${folder}/data && mv /root/data ${folder}/data && mv ${folder} /root/kept`);
  expect(await job("hearth-backup")).toEqual({
    ok: false,
    said: expect.stringMatching(/is gone; backups were there\n {2}fix: /),
  });
  await sh(target.host, `test ! -e ${folder} && mv /root/kept ${folder}`);
  expect(await job("hearth-drill")).toMatchObject({ ok: true });
});
