import { endpoint, type Listener } from "../../runtimes/listener";
import { CONFINED } from "../../runtimes/native/hardening";

/** Name of the network interface on both hosts. */
export const INTERFACE = "hearth0";
/** How often the host behind the tunnel sends a packet, so that its router keeps the way back open, seconds; wg(8) suggests it. */
const KEEPALIVE = 25;
const TABLE = "inet hearth_wireguard";

/** One end of the tunnel. */
export interface End {
  address: string;
  mtu: number;
  /** UDP port on which it waits for the other end; absent: it connects itself. */
  listenPort?: number;
  /** Path of its private key. */
  keyFile: string;
  /** Path of the rules that {@link renderFilter} wrote. */
  filterFile: string;
  peer: {
    address: string;
    publicKey: string;
    /** Where it waits; absent: it connects to this end, from whichever address it has. */
    endpoint?: Listener;
  };
}

/**
 * The interface for wg-quick(8). Its commands contain only paths of Hearth: the key stays in its own file, and the filter is in
 * place before the interface.
 */
export function renderInterface({ address, mtu, listenPort, keyFile, filterFile, peer }: End): string {
  return [
    "# Written by Hearth from hearth:tunnel; a change here restarts the tunnel.",
    "[Interface]",
    `Address = ${address}/30`,
    `MTU = ${mtu}`,
    ...(listenPort === undefined ? [] : [`ListenPort = ${listenPort}`]),
    `PreUp = nft -f ${filterFile}`,
    `PostUp = wg set %i private-key ${keyFile}`,
    `PostDown = nft delete table ${TABLE} || true`,
    "",
    "[Peer]",
    `PublicKey = ${peer.publicKey}`,
    `AllowedIPs = ${peer.address}/32`,
    ...(peer.endpoint === undefined
      ? []
      : [`Endpoint = ${endpoint(peer.endpoint)}`, `PersistentKeepalive = ${KEEPALIVE}`]),
    "",
  ].join("\n");
}

/**
 * What may come out of the tunnel: answers, pings, and on the homeserver's host connections to its one port. Nothing is
 * forwarded into the tunnel or out of it, so the other host's networks stay out of reach. And nobody reaches the tunnel's address from
 * another network: Linux accepts packets for any of its addresses on every interface.
 * @param address this end's address in the tunnel
 * @param opened port that the other end may connect to
 */
export function renderFilter(address: string, opened?: number): string {
  return [
    "# Written by Hearth from hearth:tunnel. What the other host may reach through the tunnel.",
    `table ${TABLE}`,
    `delete table ${TABLE}`,
    `table ${TABLE} {`,
    "  chain input {",
    "    type filter hook input priority filter - 10; policy accept;",
    `    ip daddr ${address} iifname != { "${INTERFACE}", "lo" } drop`,
    `    iifname "${INTERFACE}" jump from_tunnel`,
    "  }",
    "  chain from_tunnel {",
    "    ct state established,related accept",
    ...(opened === undefined ? [] : [`    tcp dport ${opened} accept`]),
    "    icmp type echo-request accept",
    "    counter drop",
    "  }",
    "  chain forward {",
    "    type filter hook forward priority filter - 10; policy accept;",
    `    iifname "${INTERFACE}" drop`,
    `    oifname "${INTERFACE}" drop`,
    "  }",
    "}",
    "",
  ].join("\n");
}

/** The unit that sets the interface up, again and again until the other end's name can be looked up. */
export function renderUnit(description: string, interfaceFile: string): string {
  return [
    "[Unit]",
    `Description=${description}`,
    "Documentation=man:wg-quick(8) man:wg(8)",
    "Wants=network-online.target",
    "After=network-online.target nss-lookup.target",
    "StartLimitIntervalSec=0",
    "",
    "[Service]",
    "Type=oneshot",
    "RemainAfterExit=yes",
    "# Left by a wireguard-go that was killed.",
    `ExecStartPre=-/usr/sbin/ip link delete dev ${INTERFACE}`,
    `ExecStart=/usr/bin/wg-quick up ${interfaceFile}`,
    `ExecStop=/usr/bin/wg-quick down ${interfaceFile}`,
    "TimeoutStartSec=60",
    "Restart=on-failure",
    "RestartSec=5",
    "",
    "[Install]",
    "WantedBy=multi-user.target",
    "",
  ].join("\n");
}

/** The unit that runs `watch.sh` for the end that connects; it may do nothing but ask the other end, and change the interface. */
export function renderWatch(command: readonly string[], tunnel: string): string {
  return [
    "[Unit]",
    "Description=Watch over the tunnel",
    `PartOf=${tunnel}`,
    `After=${tunnel}`,
    "",
    "[Service]",
    `ExecStart=${command.join(" ")}`,
    "Restart=always",
    "RestartSec=5",
    ...CONFINED,
    "RestrictAddressFamilies=AF_NETLINK",
    "CapabilityBoundingSet=CAP_NET_ADMIN CAP_NET_RAW",
    "",
    "[Install]",
    "WantedBy=multi-user.target",
    "",
  ].join("\n");
}

/** The socket through which the other end reaches the homeserver. It can be opened before the interface has its address. */
export function renderDoorSocket(listener: Listener): string {
  return [
    "[Unit]",
    "Description=Door from the tunnel to Synapse",
    "",
    "[Socket]",
    `ListenStream=${endpoint(listener)}`,
    "FreeBind=yes",
    "NoDelay=yes",
    "Backlog=4096",
    "",
    "[Install]",
    "WantedBy=sockets.target",
    "",
  ].join("\n");
}

/** Most connections at the same time; the proxy's own limit is lower. systemd-socket-proxyd's default is 256. */
const CONNECTIONS = 4096;

/** Who may use Synapse's socket: a group, or the user that owns it. */
export type DoorKeeper = { group: string } | { user: string };

/** Passes connections on to Synapse's socket, byte for byte. It can do nothing else. */
export function renderDoor(keeper: DoorKeeper, socket: string): string {
  const who =
    "group" in keeper ? ["DynamicUser=yes", `SupplementaryGroups=${keeper.group}`] : [`User=${keeper.user}`];
  return [
    "[Unit]",
    "Description=Door from the tunnel to Synapse",
    "",
    "[Service]",
    ...who,
    `ExecStart=/usr/lib/systemd/systemd-socket-proxyd --connections-max=${CONNECTIONS} ${socket}`,
    "LimitNOFILE=16384",
    "CapabilityBoundingSet=",
    ...CONFINED,
    "",
  ].join("\n");
}
