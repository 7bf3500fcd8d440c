import { endpoint, type Listener } from "../listener";

/**
 * A `.socket` file, a plain unit of systemd: it listens for a service of the same name, which gets the listeners in this
 * order. A container gets its listeners this way for two reasons: it sees the client's own
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
