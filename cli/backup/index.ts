import { errand, show } from "../errand";
import { CliError } from "../errors";
import type { StackChoice } from "../pulumi";
import { deployedResources, hasSecret } from "../resources";
import { readOptions, type Verb } from "../verb";
import { type BackupRelease, backupIn, pathOf } from "./release";

const USAGE = `npx hearth backup [-s STACK] [--drill]

Makes a backup of a deployed stack now, as its timer does, and shows its progress.

  --drill             restore the newest backup on the host and compare it, instead of a new backup
  -s, --stack STACK   the stack (default: the selected one)
  -h, --help          this text

Exit status: 0 done, 1 the backup or the drill failed, 2 the command could not run.
`;

const OPTIONS = {
  stack: { type: "string", short: "s" },
  drill: { type: "boolean", default: false },
} as const;

async function run(argv: string[]): Promise<number> {
  const options = readOptions("backup", argv, OPTIONS);
  const release = await deployedBackup({ stack: options.stack, configFile: undefined });
  const unit = options.drill ? "hearth-drill.service" : "hearth-backup.service";
  const command = ["/bin/sh", pathOf(release, "now.sh"), unit];
  // It goes on when the caller leaves: a half backup helps nobody.
  const { connection } = release;
  const { status } = await errand({ connection, packages: [], argv: command, files: {}, stays: true }, show);
  return status === 0 ? 0 : 1;
}

async function deployedBackup(choice: StackChoice): Promise<BackupRelease> {
  const plain = await deployedResources(choice, { secrets: false });
  const secret = plain.some(({ inputs }) => hasSecret(inputs?.connection ?? null));
  const found = backupIn(secret ? await deployedResources(choice, { secrets: true }) : plain);
  if (found !== undefined) return found;
  throw new CliError(
    `the stack ${choice.stack ?? "selected"} has no backups\n  fix: add hearth:backup to its file and run pulumi up`,
  );
}

export const backup: Verb = {
  summary: "make a backup now, or restore the newest one in a drill",
  usage: USAGE,
  run,
};
