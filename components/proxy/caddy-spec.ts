import { isLoopback } from "../../config-schemas/language/addresses";
import { parseSize } from "../../config-schemas/language/common";
import type { CaddyModel } from "../../config-schemas/proxy/schema";
import type { HealthProbe } from "../../provider/sdk";
import { NETWORK } from "../../runtimes/container";
import type { Layout } from "../../runtimes/layout";
import { endpoint, type Listener, type ServicePort } from "../../runtimes/listener";
import type { ContainerProgram, ServiceSpec } from "../../runtimes/service";
import { CERTIFICATE_NAME, KEY_SECRET } from "../certificates/paths";
import { socketMount } from "../homeserver/image";
import { ADMIN_ADDRESS, HEALTH_URL, renderCaddyfile } from "./caddy";
import type { ProxyArgs } from "./kinds";
import type { ProxyPlan } from "./plan";

const CADDY = "/usr/bin/caddy";
const CADDYFILE = "Caddyfile";
const FEDERATION_PORT = 8448;
const MIB = 1024 ** 2;

/** Paths of configuration and certificate in the container. */
const CONFIG_TARGET = "/etc/caddy";
const TLS_TARGET = "/etc/hearth/tls";
const KEY_FILE = "tls_key";
const OPTIONS = ["--config", `${CONFIG_TARGET}/${CADDYFILE}`, "--adapter", "caddyfile"];

export interface CaddyArgs extends ProxyArgs {
  config: CaddyModel;
}

/** Caddy in a container on the private network; systemd opens its listeners. */
export function caddySpec(proxy: CaddyArgs): ServiceSpec {
  const { plan, certificate } = proxy;
  const files = {
    certificateFile: `${TLS_TARGET}/${CERTIFICATE_NAME}`,
    keyFile: `/run/secrets/${KEY_FILE}`,
  };
  const withTls = endsTls(proxy) ? { certificate: files } : {};
  return {
    name: "proxy",
    description: "Caddy, the reverse proxy",
    programs: { quadlet: () => containerOf(proxy) },
    // A reload does not interrupt long polls.
    files: [{ name: CADDYFILE, change: "reload", text: () => renderCaddyfile({ ...plan, ...withTls }) }],
    listens: listenersOf(proxy),
    // A container keeps the secrets that it was created with, so a new certificate needs a restart.
    follows: { restart: certificate },
    checks: { "10-caddy": { argv: () => [CADDY, "validate", ...OPTIONS], timeoutSeconds: 30 } },
    health: (at) => answers(proxy, at),
  };
}

/** Whether this proxy ends TLS, with the stack's certificate. */
function endsTls({ certificate }: ProxyArgs): boolean {
  return certificate.length > 0;
}

/** The public listener, then the one for federation: the Caddyfile identifies them by this order. */
function listenersOf(proxy: CaddyArgs): (Listener & ServicePort)[] {
  const { plan, config } = proxy;
  const { address } = config.listen;
  const federation = endsTls(proxy) && plan.federationPort ? [{ address, port: FEDERATION_PORT }] : [];
  const from = isLoopback(address) ? "host" : "world";
  return [config.listen, ...federation].map((listener) => ({ ...reachable(listener, plan), from }));
}

/** On a host without IPv6, the address `::` does not exist: listen on all IPv4 addresses instead. */
export function reachable(listener: Listener, { ipv6 }: Pick<ProxyPlan, "ipv6">): Listener {
  return listener.address === "::" && !ipv6 ? { ...listener, address: "0.0.0.0" } : listener;
}

function containerOf(proxy: CaddyArgs): ContainerProgram {
  const { config, homeserver, tlsFolder } = proxy;
  const tls = endsTls(proxy);
  return {
    container: "hearth-caddy",
    image: config.image,
    // Any user except root: the image specifies none.
    ...{ uid: 1000, gid: 1000 },
    entrypoint: CADDY,
    command: () => ["run", ...OPTIONS],
    // Caddy needs no permanent storage, so it writes to memory.
    environment: { XDG_CONFIG_HOME: "/tmp", XDG_DATA_HOME: "/tmp" },
    inside: { config: CONFIG_TARGET },
    mounts: ({ host }) => [
      { source: host.config(), target: CONFIG_TARGET, readOnly: true },
      socketMount(homeserver),
      ...(tls ? [{ source: tlsFolder, target: TLS_TARGET, readOnly: true }] : []),
    ],
    borrowed: tls ? { [KEY_FILE]: KEY_SECRET } : {},
    network: NETWORK,
    sockets: true,
    boundingCapabilities: ["NET_BIND_SERVICE"],
    health: {
      command: ["wget", "-q", "-O", "/dev/null", HEALTH_URL],
      intervalSeconds: 60,
      timeoutSeconds: 10,
    },
    memoryMiB: Math.floor(parseSize(config.memory) / MIB),
    pids: 64,
    startSeconds: 90,
    stopSeconds: 5,
    reload: [CADDY, "reload", ...OPTIONS, "--address", ADMIN_ADDRESS],
  };
}

/** Checks that Caddy, and not another program, answers at the public listener. */
function answers(proxy: CaddyArgs, { host }: Layout): HealthProbe {
  const { plan, config } = proxy;
  const everywhere = ["::", "0.0.0.0"].includes(config.listen.address);
  const address = everywhere ? "127.0.0.1" : config.listen.address;
  if (!endsTls(proxy)) {
    const url = `http://${endpoint({ address, port: config.listen.port })}/`;
    return { kind: "http", url, status: 404, timeoutSeconds: 30 };
  }
  const ports = listenersOf(proxy).map(({ port }) => String(port));
  return {
    kind: "command",
    argv: ["/bin/sh", host.program("answers.sh"), plan.publicHost, address, ...ports],
    timeoutSeconds: 30,
  };
}
