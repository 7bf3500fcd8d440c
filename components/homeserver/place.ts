import { type HomeserverConfig, installSource } from "../../config-schemas/homeserver/schema";
import type { Layout } from "../../runtimes/layout";
import { SOCKET } from "./names";

/** Where Synapse itself finds what its configuration names. */
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

/** Where Synapse is, as its configuration has to say. */
export interface SynapsePlace {
  paths: SynapsePaths;
  /** The unix socket that the proxy and Hearth's own programs use. */
  socket: string;
  /** Where other programs on the host may reach it too. */
  listen?: { port: number; addresses: readonly string[] } | undefined;
}

/** Names of the files of its configuration. */
export const FILES = { main: "homeserver.yaml", log: "log.yaml", captcha: "captcha_public_key" } as const;

/** Configuration of the vendor's package. */
export const VENDOR_FOLDER = "/etc/matrix-synapse";

/** What Synapse is started with; folders count with all their `*.yaml` in order, later ones win. */
export function configPaths(config: HomeserverConfig, { inside }: Pick<Layout, "inside">): string[] {
  if (installSource(config) === "apt")
    return [`${VENDOR_FOLDER}/homeserver.yaml`, `${VENDOR_FOLDER}/conf.d/`];
  const withLogin = config.email?.user !== undefined;
  return [inside.config(FILES.main), ...(withLogin ? [inside.secret("email")] : [])];
}

/** Listens on its socket, and on the host's own loopback where the stack says so. */
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
      // There only where they are used.
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
