import type { Release } from "../provider/sdk";

/** A socket on the program's own host. */
export interface SocketEndpoint {
  kind: "socket";
  path: string;
}

export interface TcpEndpoint {
  kind: "tcp";
  address: string;
  port: number;
}

/** Where a program reaches a service: a socket on the program's own host, or an address and port. */
export type Endpoint = SocketEndpoint | TcpEndpoint;

/** The two hosts that a link connects: the homeserver's, and the one with the public address. */
export type LinkEnd = "home" | "edge";

/** A private connection between two hosts. It carries one service of the first to the second, and nothing else of the first. */
export interface Link {
  /** Where programs on the second host reach the service. */
  reached: TcpEndpoint;
  /** The releases of both ends: what uses the link depends on them. */
  releases: Readonly<Record<LinkEnd, Release>>;
}
