import * as pulumi from "@pulumi/pulumi";
import { resolveFile } from "../../config-schemas/files";
import type { FirewallConfig } from "../../config-schemas/firewall/schema";
import { parseSize } from "../../config-schemas/language/common";
import type { StackConfig } from "../../config-schemas/stack";
import {
  type CheckResult,
  type Inputs,
  type Release,
  Verification,
  type VerificationInputs,
} from "../../provider/sdk";
import type { HostPort } from "../../runtimes/listener";
import type { Backup } from "../backup";
import type { Certificates } from "../certificates";
import type { Homeserver } from "../homeserver";
import type { DatabaseAccess } from "../postgres";

type ProxySections = Pick<StackConfig, "proxy" | "certificates" | "homeserver">;

export interface VerificationArgs {
  config: StackConfig;
  homeserver: Homeserver;
  database: pulumi.Output<DatabaseAccess>;
  /** The ports of all services on the proxy's host, to which the public name leads. */
  ports: pulumi.Output<HostPort[]>;
  /** Says how the last renewal of the certificate went, if a host renews it. */
  certificates: Pick<Certificates, "renewal"> | undefined;
  backup: Pick<Backup, "checked">;
  /** The checked components, if the stack has them: the checks run after their releases, and again when one changes. */
  releases: Record<string, { release: Release | undefined } | undefined>;
  projectDirectory: string;
  /** Other resources that must exist first. */
  after: pulumi.Resource[];
}

/** The checks from outside, which run after all other resources. Stateless. */
export class Checks extends pulumi.ComponentResource {
  /** One line for the stack's outputs; `hearth verify` shows each check with its result. */
  readonly summary: pulumi.Output<string>;

  constructor(name: string, args: VerificationArgs, opts?: pulumi.ComponentResourceOptions) {
    super("hearth:verification:Checks", name, {}, opts);
    const verification = new Verification(name, inputsOf(args), {
      parent: this,
      dependsOn: [...present(args).map(([, release]) => release), ...args.after],
    });
    this.summary = verification.results.apply(summaryOf);
    this.registerOutputs({ summary: this.summary });
  }
}

/** For example `21 passed; not checked: dns`. A failed check is an error, so there are none to count. */
export function summaryOf(results: readonly CheckResult[]): string {
  const passed = results.filter(({ result }) => result === "pass").length;
  const unchecked = results.filter(({ result }) => result === "not checked").map(({ check }) => check);
  return [`${passed} passed`, ...(unchecked.length > 0 ? [`not checked: ${unchecked.join(", ")}`] : [])].join(
    "; ",
  );
}

function present({ releases }: VerificationArgs): [string, Release][] {
  return Object.entries(releases).flatMap(([service, there]): [string, Release][] =>
    there?.release === undefined ? [] : [[service, there.release]],
  );
}

function inputsOf(args: VerificationArgs): Inputs<VerificationInputs> {
  const { config, homeserver } = args;
  const { partner, caFile, mediaLimit, resolve } = config.verification;
  return {
    ...homeserver.access,
    publicHost: config.homeserver.publicHost,
    proxyUrl: proxyUrlOf(config),
    maxUploadBytes: parseSize(config.homeserver.media.maxUploadSize),
    federationPort: config.proxy.federationPort,
    closedPorts: args.ports.apply((ports) => closedPorts(ports, config.firewall?.open)),
    delegation: config.delegation.serve,
    ...(partner === undefined ? {} : { partner: partner.url }),
    resolve,
    ...(caFile === undefined ? {} : { caFile: resolveFile(args.projectDirectory, caFile) }),
    database: {
      name: config.postgres.database,
      role: config.postgres.role,
      maxConnections: config.postgres.pool.max,
      console: args.database.apply((database) => [...database.console]),
    },
    ...(args.certificates?.renewal === undefined ? {} : { renewal: args.certificates.renewal }),
    ...(args.backup.checked === undefined ? {} : { backup: args.backup.checked }),
    mediaPath: homeserver.mediaPath,
    mediaLimitBytes: mediaLimit === undefined ? 0 : parseSize(mediaLimit),
    logFile: homeserver.logFile,
    revisions: Object.fromEntries(present(args).map(([service, release]) => [service, release.digest])),
  };
}

/** Where these programs listen unless they are told not to. */
const USUAL_PORTS = { 5432: "Postgres", 8008: "homeserver", 9000: "metrics" };

/**
 * The ports that nobody outside may reach, with what listens there.
 * @param ports all ports of the host's services
 * @param opened what the operator opens for other programs
 */
export function closedPorts(
  ports: readonly HostPort[],
  opened: FirewallConfig["open"] = [],
): Record<string, string> {
  const closed = ports.filter(({ from }) => from === "host").map(({ port, service }) => [port, service]);
  const world = ports.filter(({ from }) => from === "world");
  const tcp = opened.filter(({ protocol }) => protocol === "tcp");
  const open = new Set([...world, ...tcp].map(({ port }) => port));
  const all: Record<string, string> = { ...USUAL_PORTS, ...Object.fromEntries(closed) };
  return Object.fromEntries(Object.entries(all).filter(([port]) => !open.has(Number(port))));
}

/** The URL at which the homeserver's host reaches the proxy. */
export function proxyUrlOf({ proxy, certificates, homeserver }: ProxySections): string {
  if (proxy.host !== homeserver.host) return `https://${homeserver.publicHost}:443`;
  if (proxy.kind === "nginx") return "https://127.0.0.1:443";
  const { address, port } = proxy.listen;
  const everywhere = address === "::" || address === "0.0.0.0";
  const near = everywhere ? "127.0.0.1" : address.includes(":") ? `[${address}]` : address;
  return `${certificates === undefined ? "http" : "https"}://${near}:${port}`;
}
