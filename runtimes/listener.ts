/** An address and port that a service listens on. */
export interface Listener {
  address: string;
  port: number;
}

/** A port of a service, with TCP: its release claims the port on the host, the firewall opens it, and verification tries it. */
export interface ServicePort {
  /** Absent: all addresses of the host. */
  address?: string;
  port: number;
  /** Who may reach it: everybody, the other host of a link, or only programs on the same host. */
  from: "world" | "link" | "host";
}

/** A port of a service on its host. */
export interface HostPort extends ServicePort {
  /** Name of the service. */
  service: string;
  /** Absent: TCP. */
  protocol?: "udp";
}

/** `address:port`, with brackets around an IPv6 address. */
export function endpoint({ address, port }: Listener): string {
  return `${address.includes(":") ? `[${address}]` : address}:${port}`;
}

/** The `ports` of a release: these all belong to one unit. */
export function portsOf(
  ports: readonly Pick<ServicePort, "address" | "port">[],
  unit: string,
): Record<string, string> {
  const shown = ports.map(({ address, port }) =>
    address === undefined ? String(port) : endpoint({ address, port }),
  );
  return Object.fromEntries(shown.map((one) => [one, unit]));
}
