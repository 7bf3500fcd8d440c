import { readFileSync } from "node:fs";

/**
 * The engine finds a provider by a port of loopback, which every user of the machine may reach; what they ask would be done with
 * our ssh keys. So the other end of each connection has to be ours, or root's. Only Linux says whose it is.
 */
export function isOurs(
  peer: string,
  port: number,
  connections: () => string | undefined = tcpTable,
): boolean {
  const table = connections();
  if (table === undefined) return true;
  const [address, from] = [
    peer.slice(0, peer.lastIndexOf(":")),
    Number(peer.slice(peer.lastIndexOf(":") + 1)),
  ];
  if (address !== "127.0.0.1") return false;
  const owner = ownerOf(table, from, port);
  return owner !== undefined && [0, process.getuid?.()].includes(owner);
}

/**
 * How long an answer is good for, ms. A preview asks dozens of times within a second, and the table of a busy machine is long.
 * Nobody else gets the port of a connection that has just ended so soon: Linux keeps it for a second at least (tcp_tw_reuse).
 */
const GOOD_MS = 500;

/** The same question, asked again only after a while for a peer that is ours. */
export class Peers {
  private readonly ours = new Map<string, number>();

  isOurs(peer: string, port: number): boolean {
    const asked = this.ours.get(peer);
    const now = performance.now();
    if (asked !== undefined && now - asked < GOOD_MS) return true;
    if (!isOurs(peer, port)) return false;
    this.ours.set(peer, now);
    return true;
  }
}

/** 127.0.0.1 as the kernel writes it, on machines of either byte order. */
const LOOPBACK = ["0100007F", "7F000001"];
const ESTABLISHED = "01";

/** Whose the open connection from one port of loopback to another is; a closed one has no owner, and counts as root's. */
function ownerOf(table: string, from: number, to: number): number | undefined {
  for (const row of table.split("\n").slice(1)) {
    const [, local = "", remote = "", state, , , , uid] = row.trim().split(/\s+/);
    if (state === ESTABLISHED && isPort(local, from) && isPort(remote, to)) return Number(uid);
  }
  return undefined;
}

function isPort(end: string, port: number): boolean {
  const [address = "", hex = ""] = end.split(":");
  return LOOPBACK.includes(address) && Number.parseInt(hex, 16) === port;
}

function tcpTable(): string | undefined {
  try {
    return readFileSync("/proc/net/tcp", "utf8");
  } catch {
    return undefined;
  }
}
