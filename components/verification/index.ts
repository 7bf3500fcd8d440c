import * as pulumi from "@pulumi/pulumi";
import { parseSize } from "../../config-schemas/common";
import { resolveFile } from "../../config-schemas/files";
import type { StackConfig } from "../../config-schemas/stack";
import {
  type CheckResult,
  type Inputs,
  type Release,
  Verification,
  type VerificationInputs,
} from "../../provider/sdk";
import type { Homeserver } from "../homeserver";
import type { Machine } from "../hosts";

export interface VerificationArgs {
  config: StackConfig;
  machine: Machine;
  homeserver: Homeserver;
  /** What is checked; the checks run after each of these, and again when one changed. */
  releases: Record<string, { release: Release }>;
  projectDirectory: string;
  /** What else must be there first. */
  after: pulumi.Resource[];
}

/** The checks from outside, after everything else. Stateless. */
export class Checks extends pulumi.ComponentResource {
  /** One line for the stack's outputs; `hearth verify` shows each check with what it saw. */
  readonly summary: pulumi.Output<string>;

  constructor(name: string, args: VerificationArgs, opts?: pulumi.ComponentResourceOptions) {
    super("hearth:verification:Checks", name, {}, opts);
    const verification = new Verification(name, inputsOf(args), {
      parent: this,
      dependsOn: [...Object.values(args.releases).map(({ release }) => release), ...args.after],
    });
    this.summary = verification.results.apply(summaryOf);
    this.registerOutputs({ summary: this.summary });
  }
}

/** `21 passed; not checked: dns` (a failed check is an error, so there is none to count). */
export function summaryOf(results: readonly CheckResult[]): string {
  const passed = results.filter(({ result }) => result === "pass").length;
  const unchecked = results.filter(({ result }) => result === "not checked").map(({ check }) => check);
  return [`${passed} passed`, ...(unchecked.length > 0 ? [`not checked: ${unchecked.join(", ")}`] : [])].join(
    "; ",
  );
}

function inputsOf(args: VerificationArgs): Inputs<VerificationInputs> {
  const { config, homeserver } = args;
  const { partner, caFile, mediaLimit, resolve } = config.verification;
  return {
    connection: args.machine.connection,
    serverName: config.homeserver.serverName,
    publicHost: config.homeserver.publicHost,
    homeserverUrl: homeserver.localUrl,
    registrationSecretPath: homeserver.registrationSecretPath,
    maxUploadBytes: parseSize(config.homeserver.media.maxUploadSize),
    federationPort: config.proxy.federationPort,
    delegation: config.delegation.serve,
    ...(partner === undefined ? {} : { partner: partner.url }),
    resolve,
    ...(caFile === undefined ? {} : { caFile: resolveFile(args.projectDirectory, caFile) }),
    database: {
      name: config.postgres.database,
      role: config.postgres.role,
      maxConnections: config.postgres.pool.max,
    },
    mediaPath: homeserver.mediaPath,
    mediaLimitBytes: mediaLimit === undefined ? 0 : parseSize(mediaLimit),
    logFile: homeserver.logFile,
    revisions: Object.fromEntries(
      Object.entries(args.releases).map(([service, { release }]) => [service, release.digest]),
    ),
  };
}
