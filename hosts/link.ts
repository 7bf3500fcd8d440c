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

/** The two hosts that a link connects. */
export type LinkEnd = "home" | "edge";

/**
 * A private connection between two hosts. It carries one service of the first to the second: programs there reach the service at
 * `reached`, and nothing else of the first host.
 */
export interface Link {
  reached: TcpEndpoint;
}
