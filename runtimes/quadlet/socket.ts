import { endpoint, type Listener } from "../listener";

/**
 * A `.socket` file, an ordinary systemd unit: systemd listens for the service of the same name and passes the listeners in
 * this order. Containers use this for two reasons: they see the client's address, which rootless Podman hides when it publishes
 * a port; and during a restart connections wait instead of failing.
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
    // If the address is `::`, this listens on IPv4 too.
    "BindIPv6Only=both",
    "",
    "[Install]",
    "WantedBy=sockets.target",
    "",
  ].join("\n");
}

/** On a host without IPv6, the address `::` does not exist: listen on all IPv4 addresses instead. */
export function reachable(listener: Listener, ipv6: boolean): Listener {
  return listener.address === "::" && !ipv6 ? { ...listener, address: "0.0.0.0" } : listener;
}
