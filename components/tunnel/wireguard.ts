import * as pulumi from "@pulumi/pulumi";
import type { WireguardModel } from "../../config-schemas/model";
import { columnOf } from "../../hosts/distributions";
import type { Link, LinkEnd, SocketEndpoint } from "../../hosts/link";
import { Release } from "../../provider/sdk";
import { visible } from "../../provider/text";
import { native } from "../../runtimes/native";
import { PUBLIC_DIRECTORY } from "../../runtimes/ownership";
import { owned, SYSTEM_PLACES } from "../../runtimes/places";
import { serviceRelease } from "../../runtimes/release";
import type { ServiceSpec } from "../../runtimes/service";
import type { Machine } from "../hosts";
import type { DoorKeeper } from "./wireguard-render";
import { DOOR_PORT, doorSpec, SERVICE, type TunnelPlan, tunnelSpec, watchSpec } from "./wireguard-spec";

const KEYS = `${SERVICE}-keys`;
const KEY_FILE = `${SYSTEM_PLACES.config(KEYS)}/private.key`;
const PUBLIC_KEY = "publicKey";

export interface WireGuardArgs {
  config: WireguardModel;
  /** The homeserver's host, behind the tunnel. */
  home: Machine;
  /** The host with the public address. */
  edge: Machine;
  /** Where programs on the homeserver's host reach the homeserver. */
  homeserver: pulumi.Input<SocketEndpoint>;
}

/**
 * WireGuard between the homeserver's host and the edge. Each host generates its own key and publishes the public one, so both
 * ends exist after the first update. Stateful: the keys stay when it is deleted.
 */
export class WireGuard extends pulumi.ComponentResource implements Link {
  readonly reached: Link["reached"];
  readonly releases: Link["releases"];

  constructor(name: string, args: WireGuardArgs, opts?: pulumi.ComponentResourceOptions) {
    super("hearth:tunnel:WireGuard", name, {}, opts);
    const { home, edge, config } = args;
    home.opens({
      ...{ service: SERVICE, address: config.addresses.home, port: DOOR_PORT, from: "link" as const },
    });
    edge.opens({ service: SERVICE, port: config.port, protocol: "udp", from: "world" });
    const keys = { home: this.keysOf(home), edge: this.keysOf(edge) };
    this.reached = { kind: "tcp", address: config.addresses.home, port: DOOR_PORT };
    const edgeRelease = this.end(edge, keys, endOf(args, "edge"), [], [keys.edge, keys.home]);
    const door = doorOf(args);
    // The homeserver's host connects, and its health is an answer of the edge.
    const homeRelease = this.end(home, keys, endOf(args, "home"), door, [keys.edge, keys.home, edgeRelease]);
    this.releases = { home: homeRelease, edge: edgeRelease };
    pulumi.all([publicKey(keys.home), publicKey(keys.edge)]).apply((both) => {
      const fault = keyFault([home.name, edge.name], both);
      // An error thrown here would be reported once for every value that depends on it.
      if (fault !== undefined) void pulumi.log.error(fault, this);
    });
    this.registerOutputs({ digest: homeRelease.digest });
  }

  /** The packages and the key of one host. */
  private keysOf(machine: Machine): Release {
    return new Release(
      `${machine.name}-${KEYS}`,
      {
        connection: machine.connection,
        scope: "system",
        release: KEYS,
        packages: machine.facts.apply((facts) =>
          Object.fromEntries(columnOf(facts).wireguard.map((name) => [name, "any"])),
        ),
        directories: { [SYSTEM_PLACES.config(KEYS)]: PUBLIC_DIRECTORY },
        secrets: {
          [KEY_FILE]: {
            source: { kind: "command", argv: ["/usr/bin/wg", "genkey"] },
            ...owned(SYSTEM_PLACES, "0600"),
          },
        },
        publishes: {
          [PUBLIC_KEY]: { argv: ["/bin/sh", "-c", 'exec wg pubkey <"$1"', "sh", KEY_FILE] },
        },
      },
      { parent: this, dependsOn: machine.ready },
    );
  }

  private end(
    machine: Machine,
    keys: Record<LinkEnd, Release>,
    { other, plan }: EndPlan,
    door: pulumi.Input<ServiceSpec[]>,
    dependsOn: pulumi.Resource[],
  ): Release {
    const places = SYSTEM_PLACES;
    const parts = pulumi
      .all([machine.facts, publicKey(keys[other]), door])
      .apply(([{ memoryMiB }, key = "", doors]) =>
        native.render([...specsOf(plan(key)), ...doors], { places, memoryMiB }),
      );
    const host = { connection: machine.connection, places: pulumi.output(places) };
    return serviceRelease(`${machine.name}-${SERVICE}`, SERVICE, host, parts, { parent: this, dependsOn });
  }
}

/** The tunnel; the end that connects also watches over it. */
function specsOf(plan: TunnelPlan): ServiceSpec[] {
  const { peer } = plan.end;
  return [tunnelSpec(plan), ...(peer.endpoint === undefined ? [] : [watchSpec(peer, peer.endpoint)])];
}

interface EndPlan {
  other: LinkEnd;
  plan(peerKey: string): TunnelPlan;
}

/** What one end needs of the other. The edge does not know where home is, and home may change its address. */
function endOf({ config, home, edge }: WireGuardArgs, end: LinkEnd): EndPlan {
  const { addresses, mtu, subnet, port, endpoint } = config;
  const other = end === "home" ? "edge" : "home";
  const isHome = end === "home";
  return {
    other,
    plan: (peerKey) => ({
      peer: isHome ? edge.name : home.name,
      subnet,
      end: {
        ...{ address: addresses[end], mtu, keyFile: KEY_FILE },
        ...(isHome ? {} : { listenPort: port }),
        peer: {
          address: addresses[other],
          publicKey: peerKey,
          ...(isHome ? { endpoint: { address: endpoint, port } } : {}),
        },
      },
      ...(isHome ? { opened: DOOR_PORT } : {}),
    }),
  };
}

function doorOf({ config, home, homeserver }: WireGuardArgs) {
  return pulumi.all([home.facts, home.places, homeserver]).apply(([facts, { scope }, { path }]) => {
    const keeper: DoorKeeper =
      scope === "system" ? { group: columnOf(facts).nginx.user } : { user: facts.login.user };
    return [doorSpec(config.addresses.home, keeper, path)];
  });
}

/** Why two hosts with these public keys cannot be connected, with the fix; undefined: they can. */
export function keyFault(
  [home, edge]: readonly [string, string],
  [one, other]: readonly (string | undefined)[],
): string | undefined {
  if (one === undefined || one !== other) return undefined;
  return `${home} and ${edge} have the same WireGuard key: one is a copy of the other\n  fix: on one of them remove ${KEY_FILE}, then run \`pulumi up\` again`;
}

/** A public key: 32 bytes, base64. */
const KEY = /^[A-Za-z0-9+/]{43}=$/;

/** The published key. The other host writes it into a file with commands, so a host that publishes something else is not believed. */
export function checkedKey(key: string | undefined): string | undefined {
  if (key === undefined || KEY.test(key)) return key;
  throw new Error(`${visible(key)} is not a WireGuard key, but a host of this stack publishes it as its own`);
}

function publicKey({ published }: Release): pulumi.Output<string | undefined> {
  return published.apply((facts) => checkedKey(facts?.[PUBLIC_KEY]));
}
