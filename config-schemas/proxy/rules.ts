import type { HostConfig } from "../hosts/schema";
import { rangeContains } from "../language/addresses";
import type { Path } from "../language/fault";
import { type AnyRule, at, broken, type Proved, proof, proved, rule } from "../language/rule";
import type { FullStack } from "../stack";
import { CADDY_DEFAULTS, type ProxyConfig, type ProxyModel } from "./schema";

/** The runtimes of each proxy, and the reason. */
const RUNTIMES: Readonly<
  Record<ProxyConfig["kind"], { runtimes: readonly HostConfig["runtime"][]; why: string }>
> = {
  nginx: { runtimes: ["native"], why: "runs as the distribution's package, by root" },
  caddy: { runtimes: ["quadlet"], why: "runs as a rootless container" },
};

const FEDERATION_PORT = 8448;
/** The first port that an ordinary user may use. */
const FIRST_FREE_PORT = 1024;

type Runs = Pick<FullStack, "hosts" | "proxy">;

function runtimeOf({ hosts, proxy }: Runs): HostConfig["runtime"] | undefined {
  return hosts[proxy.host]?.runtime;
}

function kindFor(runtime: HostConfig["runtime"] | undefined): string {
  const kinds = Object.entries(RUNTIMES).filter(([, { runtimes }]) =>
    runtimes.some((one) => one === runtime),
  );
  return kinds.map(([kind]) => `\`kind: ${kind}\``).join(" or ");
}

/** Whether only programs on the host itself can reach the address. */
function isLoopback(address: string): boolean {
  return rangeContains("127.0.0.0/8", address) || rangeContains("::1/128", address);
}

/** Caddy's keys with a value other than the default. */
function caddyKeys({ image, memory, listen }: ProxyConfig): string[] {
  const { address, port } = CADDY_DEFAULTS.listen;
  return [
    ...(image === CADDY_DEFAULTS.image ? [] : ["image"]),
    ...(memory === CADDY_DEFAULTS.memory ? [] : ["memory"]),
    ...(listen.address === address && listen.port === port ? [] : ["listen"]),
  ];
}

/** The proxy with the keys of its kind only. */
export const proxyOfKind = proof({
  name: "Caddy's keys need Caddy",
  needs: ["proxy"],
  prove: ({ proxy }): Proved<ProxyModel> => {
    const { kind, image, memory, listen, ...common } = proxy;
    if (kind === "caddy") return proved({ ...common, kind, image, memory, listen });
    const keys = caddyKeys(proxy);
    return keys.length === 0
      ? proved({ ...common, kind })
      : broken(...keys.map((key): Path => ["proxy", key]));
  },
  message: ({ proxy }) =>
    `is for \`kind: caddy\`; ${proxy.kind} uses the distribution's program and the ports 80, 443 and 8448`,
  fix: "remove it",
});

/** Rules about the reverse proxy. */
export const proxyRules: readonly AnyRule[] = [
  rule({
    name: "each proxy has its runtime",
    needs: ["hosts", "proxy"],
    when: (stack) => {
      const runtime = runtimeOf(stack);
      return at(
        runtime !== undefined && !RUNTIMES[stack.proxy.kind].runtimes.includes(runtime),
        "proxy",
        "kind",
      );
    },
    message: (stack) => {
      const { kind, host } = stack.proxy;
      return `is ${kind}, which ${RUNTIMES[kind].why}, but ${host} has \`runtime: ${runtimeOf(stack)}\``;
    },
    fix: (stack) =>
      `write ${kindFor(runtimeOf(stack))}, or for the host \`runtime: ${RUNTIMES[stack.proxy.kind].runtimes[0]}\``,
  }),
  proxyOfKind,
  rule({
    name: "something ends TLS",
    needs: ["certificates", "tunnel"],
    when: ({ certificates, tunnel }) =>
      at(certificates === undefined && tunnel?.kind !== "tailscale-funnel", "certificates"),
    message: "is absent, and no hearth:tunnel ends TLS, but clients and servers use https only",
    fix: "add the files of a certificate for all public names, or Funnel, which has its own certificate",
  }),
  rule({
    name: "plain HTTP stays on loopback",
    needs: ["proxy", "certificates"],
    when: ({ proxy: { kind, listen }, certificates }) =>
      at(
        kind === "caddy" && certificates === undefined && !isLoopback(listen.address),
        "proxy",
        "listen",
        "address",
      ),
    message:
      "would serve the network without TLS, and everybody there could forge client addresses (the proxy trusts the address that the tunnel reports)",
    fix: "write `address: 127.0.0.1`, where the tunnel connects",
  }),
  rule({
    name: "without a tunnel the proxy can be reached",
    needs: ["proxy", "certificates", "tunnel"],
    when: ({ proxy: { kind, listen }, certificates, tunnel }) =>
      at(
        kind === "caddy" && certificates !== undefined && tunnel === undefined && isLoopback(listen.address),
        "proxy",
        "listen",
        "address",
      ),
    message: "is loopback, which nobody outside can reach without a tunnel",
    fix: 'write `listen: { address: "::", port: 8443 }` and let your router forward port 443 to it (and 8448 to 8448)',
  }),
  rule({
    name: "an ordinary user uses no port below 1024",
    needs: ["proxy"],
    when: ({ proxy: { kind, listen } }) =>
      at(kind === "caddy" && listen.port < FIRST_FREE_PORT, "proxy", "listen", "port"),
    message: "is below 1024, where only root may listen",
    fix: "write `port: 8443` and let your router forward port 443 to it, or 8080 behind a tunnel",
  }),
  rule({
    name: "the proxy's port is free",
    needs: ["proxy", "homeserver"],
    when: ({ proxy: { kind, listen, federationPort }, homeserver }) =>
      at(
        kind === "caddy" &&
          (listen.port === homeserver.listener?.port || (federationPort && listen.port === FEDERATION_PORT)),
        "proxy",
        "listen",
        "port",
      ),
    message: ({ proxy: { listen } }) =>
      listen.port === FEDERATION_PORT
        ? "is the federation port, which is in use (`federationPort: true`)"
        : "is the port of Synapse itself (hearth:homeserver.listener.port)",
    fix: "write another one, e.g. 8080 or 8443",
  }),
];
