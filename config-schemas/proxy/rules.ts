import type { HostConfig } from "../hosts/schema";
import { rangeContains } from "../language/addresses";
import { type AnyRule, at, rule } from "../language/rule";
import type { FullStack } from "../stack";
import { CADDY_DEFAULTS, type ProxyConfig } from "./schema";

/** How each proxy is run so far, and why. */
const RUNTIMES: Readonly<
  Record<ProxyConfig["kind"], { runtimes: readonly HostConfig["runtime"][]; why: string }>
> = {
  nginx: { runtimes: ["native"], why: "is run as the distribution's package, by root" },
  caddy: { runtimes: ["quadlet"], why: "is run as a rootless container" },
};

const FEDERATION_PORT = 8448;
/** An ordinary user may take ports from here on. */
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

/** Whether only programs on the machine itself reach the address. */
function isLoopback(address: string): boolean {
  return rangeContains("127.0.0.0/8", address) || rangeContains("::1/128", address);
}

/** Keys of Caddy's that somebody set; what equals the default says nothing. */
function caddyKeys({ image, memory, listen }: ProxyConfig): string[] {
  const { address, port } = CADDY_DEFAULTS.listen;
  return [
    ...(image === CADDY_DEFAULTS.image ? [] : ["image"]),
    ...(memory === CADDY_DEFAULTS.memory ? [] : ["memory"]),
    ...(listen.address === address && listen.port === port ? [] : ["listen"]),
  ];
}

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
  rule({
    name: "Caddy's keys are for Caddy",
    needs: ["proxy"],
    when: ({ proxy }) =>
      proxy.kind === "caddy" ? [] : caddyKeys(proxy).map((key): [string, string] => ["proxy", key]),
    message: ({ proxy }) =>
      `is for \`kind: caddy\`; ${proxy.kind} has the distribution's program and the ports 80, 443 and 8448`,
    fix: "remove it",
  }),
  rule({
    name: "something ends TLS",
    needs: ["certificates", "tunnel"],
    when: ({ certificates, tunnel }) =>
      at(certificates === undefined && tunnel === undefined, "certificates"),
    message: "is absent and so is hearth:tunnel, but clients and servers come by https only",
    fix: "add the files of a certificate for all public names, or a tunnel that has its own",
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
      "would let the network in without TLS, and everybody there could claim to be any client (the tunnel's word for it is believed)",
    fix: "write `address: 127.0.0.1`, where the tunnel arrives",
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
    message: "is loopback, where nobody from outside arrives without a tunnel",
    fix: 'write `listen: { address: "::", port: 8443 }` and let your router send port 443 there (and 8448 to 8448)',
  }),
  rule({
    name: "an ordinary user takes no port below 1024",
    needs: ["proxy"],
    when: ({ proxy: { kind, listen } }) =>
      at(kind === "caddy" && listen.port < FIRST_FREE_PORT, "proxy", "listen", "port"),
    message: "is below 1024, where only root may listen",
    fix: "write `port: 8443` and let your router send port 443 there, or 8080 behind a tunnel",
  }),
  rule({
    name: "the proxy's port is its own",
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
        ? "is the federation port, which is taken (`federationPort: true`)"
        : "is the port of Synapse itself (hearth:homeserver.listener.port)",
    fix: "write another one, e.g. 8080 or 8443",
  }),
];
