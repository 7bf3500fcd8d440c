import { readFileSync } from "node:fs";
import { parse as parseYaml } from "yaml";
import { type BackupRelease, backupIn, pathOf } from "../backup/release";
import { errand, requireFile, show } from "../errand";
import { CliError } from "../errors";
import { pulumi, type StackChoice } from "../pulumi";
import { configFile, plannedResources } from "../resources";
import { readOptions, type Verb } from "../verb";
import { openWithAge } from "./age";

const USAGE = `npx hearth restore -s STACK --identity FILE [--snapshot ID] [--copy FILE] [--config-file FILE]

Brings a lost server back onto a fresh host, before the first \`pulumi up\` there: signing key and other secrets, database, media and
Hearth's own records, from a backup. Write the address of the new host into the stack file first.

Refuses a host that has data, a backup of another server, a damaged one, and one of a newer Synapse or Postgres; nothing is changed then.

  --identity FILE     your private age key, of which hearth:backup.recipient is the public part; it stays on this machine
  --snapshot ID       an older backup (default: the newest)
  --copy FILE         the stack's output \`backupKey\`, if the copy of the password in the target is lost
  -s, --stack STACK   the stack
  --config-file FILE  its configuration, if it is not Pulumi.STACK.yaml
  -h, --help          this text

Needs the program age on this machine. Exit status: 0 restored, 1 refused or failed, 2 the command could not run.
`;

const OPTIONS = {
  stack: { type: "string", short: "s" },
  "config-file": { type: "string" },
  identity: { type: "string" },
  snapshot: { type: "string", default: "latest" },
  copy: { type: "string" },
} as const;

async function run(argv: string[]): Promise<number> {
  const { identity, snapshot, copy, ...options } = readOptions("restore", argv, OPTIONS);
  if (identity === undefined)
    throw new CliError(
      "restore: your age key is missing\n  fix: --identity key.txt, the file of `age-keygen`",
    );
  if (!/^(?:latest|[0-9a-f]{8,64})$/.test(snapshot))
    throw new CliError(
      `restore: --snapshot ${snapshot} is not the ID of a backup: 8 to 64 hexadecimal digits`,
    );
  for (const [option, file] of Object.entries({ identity, copy, "config-file": options["config-file"] }))
    requireFile("restore", option, file);
  const choice = { stack: options.stack, configFile: options["config-file"] };
  const release = backupIn(await plannedResources(choice));
  if (release === undefined)
    throw new CliError(
      "the stack has no backups\n  fix: add hearth:backup to its file, as it was on the lost host",
    );
  const job = { release, files: { ...programsOf(release), ...(await secretsOf(choice)) } };
  const encrypted = copy === undefined ? await copyInTarget(job) : readFileSync(copy, "utf8");
  const password = await openWithAge(Buffer.from(encrypted.trim(), "base64"), identity);
  const files = { ...job.files, password };
  const { status, stderr } = await onHost({ ...job, files }, ["restore", snapshot], show);
  if (status !== 0) return failed(stderr);
  show("now run pulumi up, which takes over what was restored");
  return 0;
}

interface Job {
  release: BackupRelease;
  /** What travels to the host: programs, settings, secrets. */
  files: Record<string, string>;
}

function onHost({ release, files }: Job, words: string[], onLine?: (line: string) => void) {
  const settings: { packages: string[] } = JSON.parse(
    release.files.get(pathOf(release, "settings.json")) ?? "{}",
  );
  const argv = ["/usr/bin/python3", "-B", "restore.py", ...words];
  const { connection } = release;
  return errand({ connection, packages: settings.packages, argv, files, stays: true }, onLine);
}

/** The programs and settings of the release, which are not on the host yet. */
function programsOf(release: BackupRelease): Record<string, string> {
  const wanted = [...release.files].filter(([path]) => /\/backup\/[a-z_]+(?:\.py|\.json)?$/.test(path));
  return Object.fromEntries(wanted.map(([path, text]) => [path.replace(/.*\//, ""), text]));
}

/** The secret with which the host logs in at the target; the plan contains only its digest. */
async function secretsOf(choice: StackChoice): Promise<Record<string, string>> {
  const text = await pulumi(["config", "--show-secrets", "--json", ...configFile(choice)], choice);
  const values: Record<string, { value?: string; objectValue?: unknown }> = JSON.parse(text);
  const entry = values["hearth:secrets"];
  const secrets = entry?.objectValue ?? (entry?.value === undefined ? {} : parseYaml(entry.value));
  const [secret] = Object.values((secrets as { backup?: Record<string, string> })?.backup ?? {});
  return secret === undefined ? {} : { target: `${secret.trim()}\n` };
}

async function copyInTarget(job: Job): Promise<string> {
  const { status, stdout, stderr } = await onHost(job, ["copy"]);
  if (status !== 0) failed(stderr);
  return stdout.trim().split("\n").at(-1) ?? "";
}

function failed(said: string): never {
  throw new CliError(said.trim() === "" ? "the restore failed without a message" : said.trim());
}

export const restore: Verb = {
  summary: "bring a lost server back onto a fresh host",
  usage: USAGE,
  run,
};
