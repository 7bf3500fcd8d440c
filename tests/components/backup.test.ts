import { reports } from "../../components/backup/report";
import { backupSchema } from "../../config-schemas/backup/schema";
import { judgeBackup, judgeDrill } from "../../provider/matrix/verification/backup";
import type { JobSeen, Observations } from "../../provider/matrix/verification/host";
import { committedStack } from "../fixtures/stacks";
import { changed, fixture, releasesOf, runProgram } from "../support/program";

const NOW = 1_800_000_000;
const DAY = 86_400;
const CONFIG = backupSchema.parse({
  host: "vps",
  target: { kind: "path", path: "/mnt/backup" },
  recipient: `age1${"q".repeat(58)}`,
});

type Case = [what: string, since: number, job: JobSeen, warns: boolean, says: string];
const CASES: Case[] = [
  ["young", 9, { succeeded: NOW - 7200 }, false, "2 hours ago"],
  ["too old", 9, { succeeded: NOW - 4 * DAY }, true, "4 days ago"],
  ["never, but set up just now", 0, { succeeded: null }, false, "never"],
  ["never, for too long", 4, { succeeded: null }, true, "never"],
  [
    "young, and failed since",
    9,
    { succeeded: NOW - DAY, failed: NOW - 60, reason: "/mnt is full" },
    true,
    "1 day ago; failed 1 minute ago: /mnt is full",
  ],
];

test.each(CASES)(
  "[B8] a preview says when a backup last succeeded: %s",
  (_what, days, backup, warn, says) => {
    const fact = JSON.stringify({ since: NOW - days * DAY, backup, drill: { succeeded: NOW } });
    const [line] = reports(CONFIG, fact, NOW * 1000);
    expect(line).toEqual({ warn, text: expect.stringContaining(says) });
  },
);

test.each(CASES)("[B8] verify judges a backup by its age: %s", (_what, days, backup, _warn, says) => {
  const seen = { backup: { since: NOW - days * DAY, backup } } as Observations;
  const old = backup.succeeded === null ? days > 3 : NOW - backup.succeeded > 3 * DAY;
  const inputs = { state: [], maxAgeSeconds: 3 * DAY, drill: true };
  expect(judgeBackup(inputs, seen, NOW * 1000)).toMatchObject({
    result: old ? "fail" : "pass",
    seen: expect.stringContaining(says),
  });
});

test.each([
  ["restored 3 days ago", { succeeded: NOW - 3 * DAY }, "pass"],
  ["late", { succeeded: NOW - 16 * DAY }, "fail"],
  [
    "failed, although an earlier one succeeded",
    { succeeded: NOW - DAY, failed: NOW - 60, reason: "x" },
    "fail",
  ],
] as const)("[B8] verify judges a drill: %s", (_what, drill, result) => {
  const seen = { backup: { since: 0, drill } } as Observations;
  expect(judgeDrill(seen, NOW * 1000)).toMatchObject({ result });
});

test("[B8] a stack without backups warns in every preview, and a stack with them does not", async () => {
  const { warnings } = await runProgram(fixture("minimal"));
  expect(warnings).toEqual([
    expect.stringMatching(/^there are no backups: .*\n {2}fix: add hearth:backup to the stack file/),
  ]);
  expect((await runProgram(committedStack("backups"))).warnings).toEqual([]);
});

test.each([
  [
    { kind: "path", path: "/mnt/backup" },
    {},
    /^ReadWritePaths=\/var\/lib\/hearth-data\/backup -\/mnt\/backup$/m,
  ],
  [
    { kind: "s3", endpoint: "https://s3.example.net", bucket: "matrix", accessKey: "AKIA1" },
    { secretKey: "planted" },
    /^ReadWritePaths=\/var\/lib\/hearth-data\/backup$/m,
  ],
  [
    { kind: "rest-server", url: "https://backup.example.net/x", user: "matrix" },
    { password: "planted" },
    /^Nice=15$/m,
  ],
])(
  "[V15] [A9] target %j: the unit writes only where it must, and the secret is in no file of the release",
  async (target, secrets, unit) => {
    const stack = changed(committedStack("backups"), { "backup.target": target, "secrets.backup": secrets });
    const { backup } = releasesOf(await runProgram(stack));
    const files = backup?.files ?? {};
    expect(files["/etc/systemd/system/hearth-backup.service"]?.content).toMatch(unit);
    expect(JSON.parse(files["/etc/hearth/backup/settings.json"]?.content ?? "{}")).toMatchObject({ target });
    expect(JSON.stringify(files)).not.toContain("planted");
  },
);

test("[B8] without a drill there is no second timer", async () => {
  const { backup } = releasesOf(
    await runProgram(changed(committedStack("backups"), { "backup.drill": { enabled: false } })),
  );
  expect(Object.keys(backup?.units ?? {})).toEqual(["hearth-backup.timer"]);
});
