import { CADDY_DEFAULTS } from "../../config-schemas/proxy/schema";
import { CONTAINED } from "./rules/maintenance";
import { WIREGUARD } from "./rules/wireguard";
import { type Change, configOf, stackWith } from "./support";

/** The tunnel of a stack with Funnel. */
function funnelOf(change: Change) {
  const { tunnel } = configOf(stackWith(change));
  return tunnel?.kind === "tailscale-funnel" ? tunnel : undefined;
}

test("the host of all services comes with its name, and other hosts do not change it", () => {
  const { hosts, serving } = configOf(stackWith({ hosts: { other: { address: "b" } } }));
  const vps = { name: "vps", config: hosts.vps };
  expect(serving).toEqual({ homeserver: vps, proxy: vps });
  expect(Object.keys(hosts)).toEqual(["vps", "other"]);
});

test("every section with jobs names the homeserver's image, in which they run", () => {
  const jobs = {
    dns: { host: "vps", dynamic: { names: ["home.mywire.org"] } },
    maintenance: { host: "vps" },
    inactivity: { host: "vps", window: "14d" },
    secrets: { dynu: { apiKey: "x" } },
  };
  const outside = {
    proxy: { ...CONTAINED.proxy, listen: { address: "::", port: 8443 } },
  };
  const image = (homeserver: object) => {
    const contained = { hosts: CONTAINED.hosts, ...outside, homeserver };
    const { dns, maintenance, inactivity } = configOf(stackWith({ ...contained, ...jobs }));
    return [dns?.dynamic, maintenance, inactivity].map((section) => section?.image);
  };
  const usual = "ghcr.io/element-hq/synapse:v1.163.2";
  expect(image({})).toEqual([usual, usual, usual]);
  const own = `registry.example/synapse:v1.163.2@sha256:${"0".repeat(64)}`;
  expect(image({ image: own })).toEqual([own, own, own]);
});

test("a stack without jobs has none in its model", () => {
  const { dns, maintenance, inactivity } = configOf(stackWith({}));
  expect([dns, maintenance, inactivity]).toEqual([undefined, undefined, undefined]);
});

test("DNS comes with the key of its API, and a tunnel with its key if there is one", () => {
  const dns = { dns: { host: "vps" }, secrets: { dynu: { apiKey: "planted" } } };
  expect(configOf(stackWith(dns)).dns?.apiKey.reveal()).toBe("planted");
  const keyOf = (secrets: object) => funnelOf({ ...CONTAINED, secrets })?.authKey?.reveal();
  expect([keyOf({}), keyOf({ tunnel: { authKey: "planted" } })]).toEqual([undefined, "planted"]);
});

test("a proxy has the keys of its kind only, and a tunnel knows where Caddy listens", () => {
  const nginx = configOf(stackWith({})).proxy;
  expect(nginx).toEqual({ host: "vps", kind: "nginx", federationPort: true, readTimeout: "10m" });
  const { proxy } = configOf(stackWith(CONTAINED));
  expect(proxy).toMatchObject({ ...nginx, ...CADDY_DEFAULTS, kind: "caddy", federationPort: false });
  expect(funnelOf(CONTAINED)?.target).toEqual(CADDY_DEFAULTS.listen);
});

test("[W1] with WireGuard the proxy has its own host, each end its address, and the edge the public name unless another is given", () => {
  const linkOf = (tunnel: object) =>
    configOf(stackWith({ ...WIREGUARD, tunnel: { ...WIREGUARD.tunnel, ...tunnel } }));
  const { serving, tunnel } = linkOf({});
  expect([serving.homeserver.name, serving.proxy.name]).toEqual(["home", "vps"]);
  expect(tunnel).toMatchObject({
    addresses: { edge: "10.213.87.1", home: "10.213.87.2" },
    endpoint: "matrix.example.org",
  });
  const other = linkOf({ subnet: "192.168.7.12/30", endpoint: "192.0.2.10" }).tunnel;
  expect(other).toMatchObject({
    addresses: { edge: "192.168.7.13", home: "192.168.7.14" },
    endpoint: "192.0.2.10",
  });
});
