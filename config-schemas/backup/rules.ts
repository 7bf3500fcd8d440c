import { GivenSecret } from "../given-secrets";
import { type AnyRule, at, broken, proof, proved, removeSecret, rule, setSecret } from "../language/rule";
import type { FullStack } from "../stack";
import type { BackupConfig, BackupTarget } from "./schema";

/** Name of the secret below `secrets.backup` with which the host logs in at each kind of target. */
const SECRETS = {
  path: undefined,
  sftp: "sshKey",
  "rest-server": "password",
  s3: "secretKey",
} as const satisfies Record<
  BackupTarget["kind"],
  keyof NonNullable<FullStack["secrets"]["backup"]> | undefined
>;

function secretOf(backup: BackupConfig | undefined) {
  return backup === undefined ? undefined : SECRETS[backup.target.kind];
}

/** Backups with the secret of their target; undefined: the stack has no backups. */
export const backupWithSecret = proof({
  name: "the target of backups needs its secret",
  needs: ["backup", "secrets"],
  prove: ({ backup, secrets }) => {
    if (backup === undefined) return proved(undefined);
    const name = secretOf(backup);
    const value = name && secrets.backup?.[name];
    if (name !== undefined && value === undefined) return broken(["secrets", "backup", name]);
    return proved({ ...backup, secret: value === undefined ? undefined : new GivenSecret(value) });
  },
  message: ({ backup }) => `is missing; hearth:backup.target with \`kind: ${backup?.target.kind}\` needs it`,
  fix: (_stack, path) => setSecret("backup", String(path.at(-1))),
});

/** Rules about backups. */
export const backupRules: readonly AnyRule[] = [
  backupWithSecret,
  rule({
    name: "a secret of backups is for their target",
    needs: ["backup", "secrets"],
    when: ({ backup, secrets }) =>
      Object.keys(secrets.backup ?? {})
        .filter((name) => name !== secretOf(backup))
        .map((name) => ["secrets", "backup", name]),
    message: ({ backup }) =>
      backup === undefined
        ? "is for hearth:backup, which is absent"
        : `is not for a target with \`kind: ${backup.target.kind}\``,
    fix: (_stack, path) => removeSecret("backup", String(path.at(-1))),
  }),
  rule({
    name: "backups run without containers",
    needs: ["backup", "hosts"],
    when: ({ backup, hosts }) =>
      at(backup !== undefined && hosts[backup.host]?.runtime === "quadlet", "backup"),
    message: "needs a host with `runtime: native`; Hearth does not back up containers yet",
    fix: "remove it, and copy the login user's folders with a program of your own while the containers are stopped",
  }),
  rule({
    name: "backups keep at least one",
    needs: ["backup"],
    when: ({ backup }) =>
      at(backup !== undefined && Object.values(backup.keep).every((count) => count === 0), "backup", "keep"),
    message: "keeps no backup",
    fix: "write 1 or more for daily, weekly or monthly",
  }),
];
