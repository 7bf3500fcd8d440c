import { parseSize } from "../../config-schemas/language/common";
import type { ProxyConfig } from "../../config-schemas/proxy/schema";
import type { HealthProbe, HostFile } from "../../provider/sdk";
import { type Container, NETWORK } from "../../runtimes/container";
import { endpoint, type Listener, portsOf } from "../../runtimes/listener";
import { publicFile } from "../../runtimes/ownership";
import { owned, type Places } from "../../runtimes/places";
import { hostPrograms } from "../../runtimes/programs";
import { quadletCheck, runOnce } from "../../runtimes/quadlet/podman";
import { renderContainer } from "../../runtimes/quadlet/render";
import { CERTIFICATE_NAME, KEY_SECRET, tlsFolder } from "../certificates";
import { socketMount } from "../homeserver/quadlet";
import { ADMIN_ADDRESS, HEALTH_URL, renderCaddyfile } from "./caddy";
import { CERTIFICATE_CHANGED, type ProxyParts, SERVICE } from "./parts";
import type { ProxyPlan } from "./plan";
import { reachable, renderSocket } from "./socket";

const NAME = "hearth-caddy";
const DESCRIPTION = "Caddy, the reverse proxy";
const CADDY = "/usr/bin/caddy";
/** Any but root: the image names none. */
const USER = { uid: 1000, gid: 1000 };
const FEDERATION_PORT = 8448;
const MIB = 1024 ** 2;

const CONFIG_TARGET = "/etc/caddy";
const CADDYFILE = ["--config", `${CONFIG_TARGET}/Caddyfile`, "--adapter", "caddyfile"];
const TLS_TARGET = "/etc/hearth/tls";
const KEY_FILE = "tls_key";

/** What Caddy needs beside what every proxy does. */
export interface ContainedProxy {
  plan: ProxyPlan;
  config: Pick<ProxyConfig, "image" | "memory" | "listen">;
  /** Whether TLS ends here, with the stack's certificate. */
  tls: boolean;
}

/** Caddy in a container on the private network, its listeners opened by systemd. */
export function quadletProxy(proxy: ContainedProxy, places: Places): ProxyParts {
  const container = containerOf(proxy, places);
  const layout = layoutOf(places);
  const check = quadletCheck(SERVICE, places, [layout.containerFile, layout.socketFile]);
  return {
    packages: {},
    images: [container.image],
    directories: {
      [layout.config]: owned(places, "0755"),
      [places.programs(SERVICE)]: owned(places, "0755"),
    },
    files: { ...hostPrograms(SERVICE, places), ...check.files, ...filesOf(proxy, container, places) },
    units: {
      [`${NAME}.socket`]: { enabled: true, state: "running", restartOn: [], reloadOn: [] },
      [`${NAME}.service`]: {
        enabled: true,
        state: "running",
        // A container keeps the secrets that it was made with.
        restartOn: proxy.tls ? [CERTIFICATE_CHANGED] : [],
        // Long polls go on.
        reloadOn: [layout.caddyfile],
      },
    },
    ports: portsOf(listenersOf(proxy), `${NAME}.socket`),
    preflights: {},
    validators: {
      "10-caddy": { argv: runOnce(container, [CADDY, "validate", ...CADDYFILE]), timeoutSeconds: 60 },
      ...check.validators,
    },
    health: { answers: answers(proxy, places) },
  };
}

/** Where its things are on the host. */
function layoutOf(places: Places) {
  const config = places.config(SERVICE);
  return {
    config,
    caddyfile: `${config}/Caddyfile`,
    containerFile: `${places.containers}/${NAME}.container`,
    socketFile: `${places.units}/${NAME}.socket`,
  };
}

function filesOf(proxy: ContainedProxy, container: Container, places: Places): Record<string, HostFile> {
  const layout = layoutOf(places);
  const certificate = {
    certificateFile: `${TLS_TARGET}/${CERTIFICATE_NAME}`,
    keyFile: `/run/secrets/${KEY_FILE}`,
  };
  const caddyfile = renderCaddyfile({ ...proxy.plan, ...(proxy.tls ? { certificate } : {}) });
  return {
    [layout.caddyfile]: publicFile(caddyfile, places),
    [layout.containerFile]: publicFile(renderContainer(container), places),
    [layout.socketFile]: publicFile(renderSocket(DESCRIPTION, listenersOf(proxy)), places),
  };
}

/** The public listener, then federation's: the Caddyfile knows them by their order. */
function listenersOf({ plan, config, tls }: ContainedProxy): Listener[] {
  const { address } = config.listen;
  const federation = tls && plan.federationPort ? [{ address, port: FEDERATION_PORT }] : [];
  return [config.listen, ...federation].map((listener) => reachable(listener, plan.ipv6));
}

function containerOf({ config, tls }: ContainedProxy, places: Places): Container {
  return {
    ...USER,
    name: NAME,
    description: DESCRIPTION,
    image: config.image,
    entrypoint: CADDY,
    command: ["run", ...CADDYFILE],
    // It keeps nothing: what it would write goes to memory.
    environment: { XDG_CONFIG_HOME: "/tmp", XDG_DATA_HOME: "/tmp" },
    mounts: [
      { source: places.config(SERVICE), target: CONFIG_TARGET, readOnly: true },
      socketMount(places),
      ...(tls ? [{ source: tlsFolder(places), target: TLS_TARGET, readOnly: true }] : []),
    ],
    secrets: tls ? { [KEY_FILE]: KEY_SECRET } : {},
    network: NETWORK,
    publish: [],
    boundingCapabilities: ["NET_BIND_SERVICE"],
    tmpfs: [],
    health: {
      command: ["wget", "-q", "-O", "/dev/null", HEALTH_URL],
      intervalSeconds: 60,
      timeoutSeconds: 10,
    },
    memoryMiB: Math.floor(parseSize(config.memory) / MIB),
    pids: 64,
    startSeconds: 90,
    stopSeconds: 5,
    reload: [CADDY, "reload", ...CADDYFILE, "--address", ADMIN_ADDRESS],
    after: [`${NAME}.socket`],
    kind: "service",
  };
}

/** It answers where the world or the tunnel arrives, and not another program. */
function answers(proxy: ContainedProxy, places: Places): HealthProbe {
  const { plan, config, tls } = proxy;
  const everywhere = ["::", "0.0.0.0"].includes(config.listen.address);
  const address = everywhere ? "127.0.0.1" : config.listen.address;
  if (!tls) {
    const url = `http://${endpoint({ address, port: config.listen.port })}/`;
    return { kind: "http", url, status: 404, timeoutSeconds: 30 };
  }
  const ports = listenersOf(proxy).map(({ port }) => String(port));
  const program = `${places.programs(SERVICE)}/answers.sh`;
  return {
    kind: "command",
    argv: ["/bin/sh", program, plan.publicHost, address, ...ports],
    timeoutSeconds: 30,
  };
}
