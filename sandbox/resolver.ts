import fs from "node:fs/promises";
import { SandboxError } from "./errors";

/** The file with the real resolvers on a machine whose own resolver is on loopback. */
const CANDIDATES = [
  "/etc/resolv.conf",
  "/run/systemd/resolve/resolv.conf",
  "/run/NetworkManager/no-stub-resolv.conf",
];

/** The lines of a resolv.conf that work in another network namespace; empty without a usable server. */
export function usableResolverLines(text: string): string[] {
  const lines = text.split("\n").map((line) => line.trim());
  const servers = lines.filter((line) => /^nameserver\s+(?!127\.|::1(\s|$)|fe80:)\S+/i.test(line));
  return servers.length === 0
    ? []
    : [...lines.filter((line) => /^(search|options)\s/.test(line)), ...servers];
}

/**
 * The resolv.conf for hosts: this machine's own, without servers on its loopback (a host could not reach
 * them). `HEARTH_SANDBOX_DNS` (one IP address) takes precedence.
 */
export async function resolverForHosts(): Promise<string> {
  const given = process.env.HEARTH_SANDBOX_DNS;
  if (given) return `nameserver ${given}\n`;
  for (const file of CANDIDATES) {
    const lines = usableResolverLines(await fs.readFile(file, "utf8").catch(() => ""));
    if (lines.length > 0) return `${lines.join("\n")}\n`;
  }
  throw new SandboxError(
    "no DNS server is reachable from the sandbox's hosts: /etc/resolv.conf names only this machine's loopback" +
      "\n  fix: set HEARTH_SANDBOX_DNS to the address of a server",
  );
}
