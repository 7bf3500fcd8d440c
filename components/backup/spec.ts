import type * as pulumi from "@pulumi/pulumi";
import type { BackupConfig } from "../../config-schemas/backup/schema";
import type { BackupModel } from "../../config-schemas/model";
import { secretOutput } from "../../config-schemas/secret-output";
import { columnOf } from "../../hosts/distributions";
import type { Layout } from "../../runtimes/layout";
import { unitCheck } from "../../runtimes/native";
import { owned, SYSTEM_PLACES } from "../../runtimes/places";
import { programText } from "../../runtimes/programs";
import type { NativeProgram, Schedule, ServiceSecret, ServiceSpec } from "../../runtimes/service";
import type { HostFacts } from "../hosts/facts";
import type { DatabaseAccess } from "../postgres/access";
import { renderUnit } from "./unit";

/** Name of component, release and folders. */
export const SERVICE = "backup";
/** Names of the public facts: when jobs succeeded, and the copy of the password for the operator. */
export const FACTS = { state: "state", key: "key" } as const;
const SETTINGS = "settings.json";
/** Prints when backup and drill last succeeded. */
export const STATE_COMMAND = [
  ...["/usr/bin/python3", "-B", `${SYSTEM_PLACES.programs(SERVICE)}/state.py`],
  `${SYSTEM_PLACES.config(SERVICE)}/${SETTINGS}`,
];
const KNOWN_HOSTS = "known_hosts";
const ROLES = { password: "repository-password", host: "host-id", target: "target", stack: "stack" } as const;
/** Hosts of one provider do not all start at the same time. */
const RANDOM_SECONDS = 1800;

/** What is backed up, by path on the host, and how its database is reached. */
export interface Contents {
  serverName: string;
  /** Release of Synapse. */
  synapse: string;
  database: DatabaseAccess;
  /** Secrets that the host created. */
  secrets: readonly string[];
  signingKey: string;
  media: string;
  /** System user of the homeserver. */
  user: string;
}

export interface BackupPlan {
  config: BackupModel;
  contents: Contents;
  /** The stack file's settings without secrets. */
  stackFile: pulumi.Output<string>;
  facts: Pick<HostFacts, "distribution" | "release" | "postgres">;
}

/** The jobs of backups: the backup, and the drill that restores it. */
export function backupSpecs(plan: BackupPlan): ServiceSpec[] {
  const { drill, schedule } = plan.config;
  return [
    jobSpec(plan, "hearth-backup", "Backup of the homeserver", "backup.py", schedule),
    ...(drill.enabled
      ? [jobSpec(plan, "hearth-drill", "Drill: restore of the newest backup", "drill.py", drill.schedule)]
      : []),
  ];
}

function jobSpec(
  plan: BackupPlan,
  name: string,
  description: string,
  program: string,
  calendar: string,
): ServiceSpec {
  const schedule: Schedule = { when: { calendar }, randomDelaySeconds: RANDOM_SECONDS };
  return {
    name: SERVICE,
    description,
    // A restore makes the database as the postgres release does.
    programFiles: Object.fromEntries(
      ["database.py", "password.py"].map((file) => [file, programText("postgres", file)]),
    ),
    programs: { native: () => packagesOf(plan, name, description, program) },
    files: [
      {
        name: SETTINGS,
        change: "reload",
        text: (at) => `${JSON.stringify(settingsOf(plan, at), null, 2)}\n`,
      },
      ...knownHosts(plan.config),
    ],
    secrets: secretsOf(plan),
    schedule,
  };
}

function packagesOf(plan: BackupPlan, name: string, description: string, program: string): NativeProgram {
  const { config, facts } = plan;
  const unit = `${name}.service`;
  const unitFile = `${SYSTEM_PLACES.units}/${unit}`;
  return {
    unit,
    packages: Object.fromEntries(packagesFor(config, facts).map((name) => [name, "any"])),
    directories: {
      // Postgres passes through it to the cluster of a drill; what lies in it is closed to others.
      [SYSTEM_PLACES.data(SERVICE)]: owned(SYSTEM_PLACES, "0711"),
      [`${SYSTEM_PLACES.config(SERVICE)}/secrets`]: owned(SYSTEM_PLACES, "0700"),
    },
    unitFiles: (at) => ({
      [unitFile]: renderUnit({ description, program, at, config, settings: at.host.config(SETTINGS) }),
    }),
    validators: () => ({ [`10-${name}`]: unitCheck(unitFile) }),
    tasks: (at) => ({
      recovery: {
        observe: python3(at, "recovery.py", "observe"),
        apply: python3(at, "recovery.py", "apply"),
        want: `for ${config.recipient}`,
      },
    }),
    publishes: (at) => ({
      [FACTS.state]: { argv: STATE_COMMAND },
      [FACTS.key]: { argv: python3(at, "recovery.py", "show") },
    }),
  };
}

/** What the programs need; a restore onto a fresh host installs it too. */
function packagesFor({ target }: BackupConfig, facts: BackupPlan["facts"]): string[] {
  const { restic, age, ssh, python, postgres } = columnOf(facts);
  const all = [restic, age, python, postgres, ...(target.kind === "sftp" ? [ssh] : [])];
  return all.map((one) => one.package);
}

function python3({ host }: Layout, program: string, ...words: string[]): string[] {
  return ["/usr/bin/python3", "-B", host.program(program), ...words, host.config(SETTINGS)];
}

function secretsOf({ config: { secret }, stackFile }: BackupPlan): Record<string, ServiceSecret> {
  const made = (name: string, bytes: number): ServiceSecret => ({
    ...{ file: `secrets/${name}`, reader: "host", source: () => ({ kind: "random", bytes }) },
  });
  const given = (name: string, value: pulumi.Output<string>): ServiceSecret => ({
    ...{ file: `secrets/${name}`, reader: "host", source: () => ({ kind: "given", value }) },
  });
  return {
    [ROLES.password]: made("repository-password", 32),
    [ROLES.host]: made("host-id", 16),
    // Not a file of the release: every change of the stack would show twice in previews.
    [ROLES.stack]: given("stack.yaml", stackFile),
    // A private key needs the line break at its end, which is easily lost.
    ...(secret && {
      [ROLES.target]: given(
        "target",
        secretOutput(secret).apply((text) => `${text.trim()}\n`),
      ),
    }),
  };
}

function knownHosts({ target }: BackupConfig): ServiceSpec["files"] & object {
  if (target.kind !== "sftp") return [];
  const { server, port, hostKey } = target;
  const name = port === 22 ? server : `[${server}]:${port}`;
  return [{ name: KNOWN_HOSTS, change: "reload", text: () => `${name} ${hostKey}\n` }];
}

/** What the programs on the host know; contains no secret. */
function settingsOf({ config, contents, facts }: BackupPlan, at: Layout) {
  const { target, keep, recipient } = config;
  const { serverName, synapse, database, secrets, signingKey, media, user } = contents;
  const { postgres } = columnOf(facts);
  return {
    ...{ serverName, synapse, target, keep, recipient, user },
    database: {
      ...{ name: database.database, role: database.role, console: database.console },
      ...{ programs: postgres.programs(facts.postgres), user: postgres.user, major: facts.postgres },
    },
    content: { secrets, signingKey, media, records: at.records },
    data: at.host.data(),
    cache: "/var/cache/hearth-backup",
    passwordFile: at.host.secret(ROLES.password),
    hostFile: at.host.secret(ROLES.host),
    stackFile: at.host.secret(ROLES.stack),
    ...(config.secret && { secretFile: at.host.secret(ROLES.target) }),
    ...(target.kind === "sftp" && { knownHosts: at.host.config(KNOWN_HOSTS) }),
    packages: packagesFor(config, facts),
  };
}
