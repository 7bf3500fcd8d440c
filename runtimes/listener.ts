/** An address and port that a service listens on. */
export interface Listener {
  address: string;
  port: number;
}

/** `address:port`, with brackets around an IPv6 address. */
export function endpoint({ address, port }: Listener): string {
  return `${address.includes(":") ? `[${address}]` : address}:${port}`;
}

/** The `ports` of a release: these listeners all belong to one unit. */
export function portsOf(listeners: readonly Listener[], unit: string): Record<string, string> {
  return Object.fromEntries(listeners.map((listener) => [endpoint(listener), unit]));
}
