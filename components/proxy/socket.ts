/** An address and port that systemd listens on for a service of the same name; the service gets them in this order. */
export interface Listener {
  address: string;
  port: number;
}

/**
 * A `.socket` file, a plain unit of systemd. A container gets its listeners this way for two reasons: it sees the client's own
 * address, which a port published by rootless Podman hides, and while it restarts connections wait instead of failing.
 */
export function renderSocket(description: string, listeners: readonly Listener[]): string {
  return [
    "# Written by Hearth: a change here restarts the service too.",
    "",
    "[Unit]",
    `Description=${description}`,
    "",
    "[Socket]",
    ...listeners.map((listener) => `ListenStream=${endpoint(listener)}`),
    // IPv4 too where the address is all of IPv6.
    "BindIPv6Only=both",
    "",
    "[Install]",
    "WantedBy=sockets.target",
    "",
  ].join("\n");
}

/** The same listener on a host without IPv6, where `::` is no address: all of IPv4. */
export function reachable(listener: Listener, ipv6: boolean): Listener {
  return listener.address === "::" && !ipv6 ? { ...listener, address: "0.0.0.0" } : listener;
}

/** `address:port`, brackets around an IPv6 address. */
export function endpoint({ address, port }: Listener): string {
  return `${address.includes(":") ? `[${address}]` : address}:${port}`;
}
