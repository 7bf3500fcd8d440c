import { type HomeserverConfig, installSource } from "../../config-schemas/homeserver/schema";
import type { Layout } from "../../runtimes/layout";
import { SOCKET } from "./names";

/** Paths in Synapse's configuration, as Synapse sees them. */
export interface SynapsePaths {
  logConfig: string;
  logFile: string;
  media: string;
  registration: string;
  macaroon: string;
  form: string;
  signingKey: string;
  passfile: string;
  captchaPublicKey: string;
  captchaPrivateKey: string;
}

/** The paths and listeners in Synapse's configuration. */
export interface SynapsePlace {
  paths: SynapsePaths;
  /** The unix socket that the proxy and Hearth's own programs use. */
  socket: string;
  /** TCP listener for other programs on the host; absent: none. */
  listen?: { port: number; addresses: readonly string[] } | undefined;
}

/** Names of its configuration files. */
export const FILES = { main: "homeserver.yaml", log: "log.yaml", captcha: "captcha_public_key" } as const;

/** Configuration folder of the vendor's package. */
export const VENDOR_FOLDER = "/etc/matrix-synapse";

/** Synapse's configuration files. A folder means all its `*.yaml` files in order; later files take precedence. */
export function configPaths(config: HomeserverConfig, { inside }: Pick<Layout, "inside">): string[] {
  if (installSource(config) === "apt")
    return [`${VENDOR_FOLDER}/homeserver.yaml`, `${VENDOR_FOLDER}/conf.d/`];
  const withLogin = config.email?.user !== undefined;
  return [inside.config(FILES.main), ...(withLogin ? [inside.secret("email")] : [])];
}

/** Synapse listens on its socket, and on the host's loopback if the stack says so. */
export function placeOf({ listener }: HomeserverConfig, { inside }: Pick<Layout, "inside">): SynapsePlace {
  const configured = (listener?.bindAddresses ?? []).map((address) => ({
    address,
    port: listener?.port ?? 0,
  }));
  const opened = inside.listen(configured);
  const [first] = opened;
  return {
    paths: {
      logConfig: inside.config(FILES.log),
      logFile: `${inside.data("log")}/homeserver.log`,
      media: inside.data("media"),
      registration: inside.secret("registration"),
      macaroon: inside.secret("macaroon"),
      form: inside.secret("form"),
      signingKey: inside.secret("signing-key"),
      captchaPublicKey: inside.config(FILES.captcha),
      // Getters, because these secrets exist only if the stack uses them.
      get passfile() {
        return inside.secret("database-passfile");
      },
      get captchaPrivateKey() {
        return inside.secret("captcha");
      },
    },
    socket: SOCKET,
    listen: first && { port: first.port, addresses: opened.map(({ address }) => address) },
  };
}
