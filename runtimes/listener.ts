/** An address and port that a service listens on. */
export interface Listener {
  address: string;
  port: number;
}

/** `address:port`, brackets around an IPv6 address. */
export function endpoint({ address, port }: Listener): string {
  return `${address.includes(":") ? `[${address}]` : address}:${port}`;
}

/** A release's `ports`: listeners, all of them of one unit. */
export function portsOf(listeners: readonly Listener[], unit: string): Record<string, string> {
  return Object.fromEntries(listeners.map((listener) => [endpoint(listener), unit]));
}
