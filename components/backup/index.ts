import * as pulumi from "@pulumi/pulumi";
import { stringify } from "yaml";
import type { HomeserverConfig } from "../../config-schemas/homeserver/schema";
import { parseDuration } from "../../config-schemas/language/common";
import type { BackupModel } from "../../config-schemas/model";
import type { RawStack } from "../../config-schemas/parse";
import type { Release, VerificationInputs } from "../../provider/sdk";
import { serviceRelease } from "../../runtimes/release";
import type { Homeserver } from "../homeserver";
import { USER } from "../homeserver/names";
import type { Machine } from "../hosts";
import type { Postgres } from "../postgres";
import { reports } from "./report";
import { backupSpecs, FACTS, SERVICE, STATE_COMMAND } from "./spec";

export interface BackupArgs {
  /** Undefined: the stack has no backups. */
  config: BackupModel | undefined;
  /** The stack file without secrets; it is backed up too. */
  written: RawStack;
  homeserverConfig: HomeserverConfig;
  machine: Machine;
  postgres: Postgres;
  homeserver: Homeserver;
}

/**
 * Backups of the homeserver to a place outside of its host, and drills that restore them. Stateful: deleting it stops the timers, and
 * the backups stay. A stack without backups has this resource too, for the warning.
 */
export class Backup extends pulumi.ComponentResource {
  readonly release: Release | undefined;
  /** Copy of the backups' password that only the operator's private age key opens, base64. */
  readonly key: pulumi.Output<string> | undefined;
  /** What the checks after an update need. */
  readonly checked: VerificationInputs["backup"];

  constructor(name: string, args: BackupArgs, opts?: pulumi.ComponentResourceOptions) {
    super("hearth:backup:Backup", name, {}, opts);
    const { config, machine } = args;
    if (config === undefined) void pulumi.log.warn(withoutBackups(machine.runtime), this);
    else {
      this.release = this.releaseOf(name, config, args);
      const published = this.release.published.apply((facts) => facts ?? {});
      this.key = published.apply((facts) => facts[FACTS.key] ?? "");
      published.apply((facts) => this.tell(config, facts[FACTS.state]));
      this.checked = {
        state: STATE_COMMAND,
        maxAgeSeconds: parseDuration(config.maxAge),
        drill: config.drill.enabled,
      };
    }
    this.registerOutputs(this.release === undefined ? {} : { digest: this.release.digest });
  }

  private releaseOf(name: string, config: BackupModel, args: BackupArgs): Release {
    const { written, homeserverConfig, machine, postgres, homeserver } = args;
    const known = pulumi.all([
      postgres.access,
      pulumi.all([postgres.secrets, homeserver.secrets]),
      homeserver.mediaPath,
      homeserver.layout,
    ]);
    const { serverName, version } = homeserverConfig;
    const { parts } = machine.service((facts, [database, secrets, media, at]) => {
      const contents = {
        ...{ serverName, synapse: version, database, media, user: USER },
        ...{ secrets: secrets.flat(), signingKey: at.host.secret("signing-key") },
      };
      return backupSpecs({ config, contents, facts, stackFile: pulumi.secret(stackFileOf(written)) });
    }, known);
    const dependsOn = [...machine.ready, postgres.release, homeserver.release];
    return serviceRelease(name, SERVICE, machine, parts, { parent: this, dependsOn });
  }

  /** Says in every preview and update when backup and drill last succeeded. */
  private tell(config: BackupModel, fact: string | undefined): void {
    for (const { warn, text } of reports(config, fact, Date.now()))
      void (warn ? pulumi.log.warn(text, this) : pulumi.log.info(text, this));
  }
}

function withoutBackups(runtime: Machine["runtime"]): string {
  const lost =
    "there are no backups: if this host is lost, its accounts, messages and media are lost, and other servers cannot trust a new one";
  return runtime === "native"
    ? `${lost}\n  fix: add hearth:backup to the stack file (config-schemas/generated/REFERENCE.md#hearthbackup)`
    : `${lost}. Hearth does not back up containers yet\n  fix: copy the login user's folders with a program of your own`;
}

/** The stack file's settings, as a file that can be used again. */
function stackFileOf(written: RawStack): string {
  const config = Object.entries(written).map(([section, value]) => [`hearth:${section}`, value]);
  return stringify({ config: Object.fromEntries(config) }, { lineWidth: 0, aliasDuplicateObjects: false });
}
