import * as pulumi from "@pulumi/pulumi";
import { Machine } from "../../components/hosts";
import type { HostFacts } from "../../components/hosts/facts";
import { Tunnel, type TunnelArgs } from "../../components/tunnel";
import { GivenSecret } from "../../config-schemas/given-secrets";
import { hostsSchema } from "../../config-schemas/hosts/schema";
import { tailscaleFunnelSchema } from "../../config-schemas/tunnel/schema";
import type { ReleaseInputs } from "../../provider/contract/release";
import { Release } from "../../provider/sdk";
import { DEBIAN_13, unwrap } from "../support/program";

/** A test's values for a tunnel; the others are those of the home stack. */
export interface Wanted {
  publicHost?: string;
  authKey?: string;
  /** Keys of `hearth:tunnel`. */
  config?: object;
  /** Keys of the host. */
  host?: object;
  facts?: Partial<HostFacts>;
}

export interface Rendered {
  release: ReleaseInputs;
  errors: string[];
}

/** The release that the component creates. */
export async function tunnelRelease(wanted: Wanted = {}): Promise<Rendered> {
  const facts = { ...DEBIAN_13, ...wanted.facts };
  const errors: string[] = [];
  const log = jest.spyOn(pulumi.log, "error").mockImplementation(async (text) => void errors.push(text));
  let release: ReleaseInputs | undefined;
  await pulumi.runtime.setMocks({
    call: () => ({}),
    newResource: ({ type, name, inputs }) => {
      if (type.endsWith(":Release")) release = unwrap(inputs) as ReleaseInputs;
      return { id: name, state: type.endsWith(":Host") ? { facts } : { digest: "d" } };
    },
  });
  new Tunnel("home-tunnel", argsOf(wanted));
  await pulumi.runtime.disconnect();
  log.mockRestore();
  if (release === undefined) throw new Error("the tunnel made no release");
  return { release, errors };
}

function argsOf({ publicHost = "home.tail1a2b.ts.net", authKey, config, host }: Wanted): TunnelArgs {
  const base = { address: "home", user: "debian", become: "sudo", runtime: "quadlet", ...host };
  const hostConfig = hostsSchema.parse({ home: base }).home;
  if (hostConfig === undefined) throw new Error("no host");
  return {
    config: {
      ...tailscaleFunnelSchema.parse({ kind: "tailscale-funnel", host: "home", ...config }),
      target: { address: "127.0.0.1", port: 8080 },
      authKey: authKey === undefined ? undefined : new GivenSecret(authKey),
    },
    machine: new Machine("home", { config: hostConfig, projectDirectory: "/nowhere" }),
    homeserverConfig: { publicHost },
    proxy: { release: standInProxy() },
    projectDirectory: "/nowhere",
  };
}

/** The resources on which the tunnel depends. */
function standInProxy(): Release {
  return new Release("home-proxy", {
    connection: { name: "home", transport: "local", become: "none" },
    scope: "user",
    release: "proxy",
  });
}
