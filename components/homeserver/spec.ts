import { type HomeserverConfig, registrationRequirements } from "../../config-schemas/homeserver/schema";
import type { Layout } from "../../runtimes/layout";
import type { ServicePort } from "../../runtimes/listener";
import type { ServiceCheck, ServiceFile, ServiceSpec } from "../../runtimes/service";
import type { HostFacts } from "../hosts/facts";
import { officialImage } from "./image";
import { SOCKET_NAME } from "./names";
import { synapsePackages } from "./packages";
import { configPaths, FILES, placeOf } from "./place";
import type { HomeserverPlan } from "./plan";
import { renderHomeserver, renderLogging } from "./render";
import { synapseSecrets } from "./secrets";

/** Synapse: one process that listens on a socket. The socket stays open during a restart. */
export function homeserverSpec(plan: HomeserverPlan, facts: HostFacts): ServiceSpec {
  const { config, database, secrets } = plan;
  return {
    name: "homeserver",
    description: "Synapse, a Matrix homeserver",
    programs: { native: () => synapsePackages(plan, facts), quadlet: () => officialImage(plan) },
    files: configFiles(plan),
    secrets: synapseSecrets(database, secrets),
    runs: ["listen.py"],
    listens: listenersOf(config),
    // Synapse itself checks the staged configuration, the fastest check first.
    checks: {
      "10-config": asksSynapse(config, "check_config.py"),
      "20-database": asksSynapse(config, "check_database.py"),
      "30-dry-start": { ...asksSynapse(config, "dry_start.py"), isolateNetwork: true },
    },
    // Synapse must answer a request for which it reads its database.
    health: ({ host }) => ({
      kind: "command",
      argv: ["/bin/sh", host.program("answers.sh"), hostSocket({ host }), config.serverName],
      timeoutSeconds: 60,
    }),
  };
}

function configFiles(plan: HomeserverPlan): ServiceFile[] {
  const { config, database, identityServer } = plan;
  const captcha = registrationRequirements(config).includes("captcha") ? config.captcha : undefined;
  const facts = (at: Layout) => ({
    ...{ database, place: placeOf(config, at) },
    ...(identityServer === undefined ? {} : { identityServer }),
  });
  return [
    { name: FILES.main, change: "restart", text: (at) => renderHomeserver(config, facts(at)) },
    ...(captcha === undefined
      ? []
      : [{ name: FILES.captcha, change: "restart" as const, text: () => `${captcha.publicKey}\n` }]),
    {
      name: FILES.log,
      change: "reload",
      text: (at) => renderLogging(config.logging, placeOf(config, at).paths.logFile),
    },
  ];
}

/** TCP ports that Synapse opens for other programs on the host. */
function listenersOf({ listener }: HomeserverConfig): ServicePort[] {
  const port = listener?.port ?? 0;
  return (listener?.bindAddresses ?? []).map((address) => ({ address, port, from: "host" }));
}

function asksSynapse(config: HomeserverConfig, program: string): ServiceCheck {
  return {
    argv: (at) => [at.inside.interpreter, at.inside.program(program), ...configPaths(config, at)],
    timeoutSeconds: 60,
  };
}

/** Path of the socket, as programs on the host see it. */
export function hostSocket({ host }: Pick<Layout, "host">): string {
  return `${host.data("socket")}/${SOCKET_NAME}`;
}
