import { endpoint, type Listener } from "../../runtimes/listener";
import { unitCheck } from "../../runtimes/native";
import { SYSTEM_PLACES } from "../../runtimes/places";
import { programText } from "../../runtimes/programs";
import type { ServiceSpec } from "../../runtimes/service";
import {
  type DoorKeeper,
  type End,
  INTERFACE,
  renderDoor,
  renderDoorSocket,
  renderFilter,
  renderInterface,
  renderUnit,
  renderWatch,
} from "./wireguard-render";

/** Name of release and folders. */
export const SERVICE = "wireguard";
/** Port of the homeserver's host in the tunnel; Synapse's usual one. */
export const DOOR_PORT = 8008;

const UNIT = "hearth-wireguard.service";
const DOOR = "hearth-wireguard-door";
const WATCH = "hearth-wireguard-watch.service";
const INTERFACE_FILE = `${INTERFACE}.conf`;
const FILTER_FILE = "filter.nft";
/** How long the first packets may take, seconds: WireGuard tries a handshake every 5 seconds. */
const HANDSHAKE_SECONDS = 30;

/** What the two ends have in common, and what one of them needs to know of the other. */
export interface TunnelPlan {
  end: Omit<End, "filterFile">;
  /** Name of the other host, for people. */
  peer: string;
  subnet: string;
  /** Port that the other end may connect to. */
  opened?: number;
}

/** WireGuard to the other host, and the filter for what comes from there. */
export function tunnelSpec({ end, peer, subnet, opened }: TunnelPlan): ServiceSpec {
  const path = (file: string) => `${SYSTEM_PLACES.config(SERVICE)}/${file}`;
  const unitFile = `${SYSTEM_PLACES.units}/${UNIT}`;
  const description = `WireGuard to ${peer}`;
  const outside = end.peer.endpoint;
  return {
    name: SERVICE,
    description,
    programs: {
      native: () => ({
        unit: UNIT,
        unitFiles: () => ({ [unitFile]: renderUnit(description, path(INTERFACE_FILE)) }),
        preflights: ({ host }) => ({
          network: {
            program: host.program("network.sh"),
            arguments: [INTERFACE, subnet, String(end.listenPort ?? "")],
          },
        }),
        validators: () => ({ "20-unit": unitCheck(unitFile) }),
      }),
    },
    files: [
      {
        name: INTERFACE_FILE,
        change: "restart",
        text: ({ host }) => renderInterface({ ...end, filterFile: host.config(FILTER_FILE) }),
      },
      { name: FILTER_FILE, change: "restart", text: () => renderFilter(end.address, opened) },
    ],
    checks: {
      "10-filter": {
        argv: ({ host }) => ["/usr/sbin/nft", "--check", "--file", host.config(FILTER_FILE)],
        timeoutSeconds: 30,
      },
    },
    programFiles: programs("network.sh", ...(outside === undefined ? [] : ["handshake.sh"])),
    // The end that waits cannot know when the other one comes.
    ...(outside === undefined
      ? {}
      : {
          health: ({ host }) => ({
            kind: "command",
            argv: [
              ...["/bin/sh", host.program("handshake.sh"), INTERFACE, end.peer.publicKey],
              ...[outside.address, String(outside.port)],
            ],
            timeoutSeconds: HANDSHAKE_SECONDS,
          }),
        }),
  };
}

function programs(...names: string[]): Record<string, string> {
  return Object.fromEntries(names.map((name) => [name, programText("tunnel", `wireguard/${name}`)]));
}

/** Makes the end that connects notice within seconds that the other one was started again, or has another address. */
export function watchSpec(peer: Pick<End["peer"], "address" | "publicKey">, outside: Listener): ServiceSpec {
  return {
    name: SERVICE,
    description: "Watch over the tunnel",
    programs: {
      native: () => ({
        unit: WATCH,
        unitFiles: ({ host }) => ({
          [`${SYSTEM_PLACES.units}/${WATCH}`]: renderWatch(
            [
              ...["/bin/sh", host.program("watch.sh"), INTERFACE],
              ...[peer.publicKey, peer.address, endpoint(outside)],
            ],
            UNIT,
          ),
        }),
        validators: () => ({ "25-watch": unitCheck(`${SYSTEM_PLACES.units}/${WATCH}`) }),
      }),
    },
    programFiles: programs("watch.sh"),
    runs: ["watch.sh"],
  };
}

/** The one port of the homeserver's host in the tunnel, which leads to Synapse's socket. */
export function doorSpec(address: string, keeper: DoorKeeper, socket: string): ServiceSpec {
  const unit = (kind: "socket" | "service") => `${SYSTEM_PLACES.units}/${DOOR}.${kind}`;
  return {
    name: DOOR,
    description: "Door from the tunnel to Synapse",
    programs: {
      native: () => ({
        unit: `${DOOR}.socket`,
        unitFiles: () => ({
          [unit("socket")]: renderDoorSocket({ address, port: DOOR_PORT }),
          [unit("service")]: renderDoor(keeper, socket),
        }),
        validators: () => ({ "30-door": unitCheck(unit("service")) }),
      }),
    },
    listens: [{ address, port: DOOR_PORT, from: "link" }],
  };
}
