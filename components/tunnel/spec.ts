import type * as pulumi from "@pulumi/pulumi";
import type { FunnelConfig } from "../../config-schemas/tunnel/schema";
import type { HostTask } from "../../provider/sdk";
import type { Layout } from "../../runtimes/layout";
import { owned, type Places } from "../../runtimes/places";
import type { ServiceSpec } from "../../runtimes/service";
import type { Installation } from "./installation";
import { renderUnit, unitName } from "./unit";

/** Name of component, release and folders. */
export const SERVICE = "tunnel";
/** The public port; the well-known documents name no other port. */
const PUBLIC_PORT = 443;
/** Role of the key with which the host joins its tailnet. */
const KEY = "auth-key";

/** What Tailscale Funnel must do on the host. */
export interface FunnelPlan {
  config: FunnelConfig;
  /** The public name: it must become the host's name in its tailnet. */
  publicHost: string;
  /** Target of Funnel. */
  target: string;
  authKey: pulumi.Output<string> | undefined;
  installation: Installation;
  places: Places;
}

/** Tailscale Funnel, with a tailscaled that already exists or that Hearth installs from the vendor. */
export function funnelSpec(plan: FunnelPlan): ServiceSpec {
  const { target, authKey, installation, places } = plan;
  const { scope } = places;
  return {
    name: SERVICE,
    description: "Tailscale Funnel",
    programs: {
      native: () => ({
        unit: unitName(PUBLIC_PORT),
        ...installation,
        directories: { [places.config(SERVICE)]: owned(places, "0755") },
        unitFiles: (at) => ({
          [`${places.units}/${unitName(PUBLIC_PORT)}`]: renderUnit({
            ...{ port: PUBLIC_PORT, target, programs: at.host.program(), scope },
          }),
        }),
        tasks: (at) => tasksOf(plan, at),
        // The unit starts after the tasks, which have already done its work.
        restartOn: ["task:20-joined"],
      }),
    },
    secrets:
      authKey === undefined
        ? {}
        : {
            [KEY]: {
              ...{ file: "auth-key", reader: "host", access: owned(places, "0600") },
              source: () => ({ kind: "given", value: authKey }),
            },
          },
  };
}

/** The tasks, in the order of their names: the daemon, then the tailnet, then Funnel. */
function tasksOf({ config, publicHost, target, authKey }: FunnelPlan, at: Layout): Record<string, HostTask> {
  const [label = ""] = publicHost.split(".");
  const join = [
    `--name=${publicHost}`,
    `--control-url=${config.controlUrl}`,
    `--hostname=${config.hostname ?? label}`,
    ...(authKey === undefined ? [] : [`--auth-key-file=${at.host.secret(KEY)}`]),
  ];
  const funnel = [`--port=${PUBLIC_PORT}`, `--target=${target}`];
  return {
    "10-daemon": task(at, "daemon.py", [], "enabled, active"),
    "20-joined": task(at, "joined.py", join, `${publicHost} at ${config.controlUrl}`),
    "30-funnel": task(at, "funnel.py", funnel, `funnel ${PUBLIC_PORT} -> ${target}`),
  };
}

function task({ host }: Layout, program: string, options: string[], want: string): HostTask {
  const command = ["/usr/bin/python3", "-B", host.program(program)];
  return { observe: [...command, "observe", ...options], apply: [...command, "apply", ...options], want };
}
