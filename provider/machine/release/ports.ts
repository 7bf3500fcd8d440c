import net from "node:net";

/** A port on one address, or on all (`-`), as /proc/net/tcp spells them on the machines that Debian runs on (little-endian). */
export interface KernelAddress {
  address: string;
  port: string;
}

/** The kernel's spelling of `443`, `127.0.0.1:8008` or `[::1]:8008`; undefined for anything else. */
export function kernelAddress(text: string): KernelAddress | undefined {
  const [, , bracketed, plain, digits = ""] = /^((?:\[([^\]]+)\]|([^:]+)):)?(\d{1,5})$/.exec(text) ?? [];
  const port = Number(digits);
  if (digits === "" || port < 1 || port > 65_535) return undefined;
  const address = bracketed ?? plain;
  if (bracketed !== undefined ? !net.isIPv6(bracketed) : plain !== undefined && !net.isIPv4(plain))
    return undefined;
  return { address: hexAddress(address), port: port.toString(16).toUpperCase().padStart(4, "0") };
}

function hexAddress(address: string | undefined): string {
  if (address === undefined || address === "0.0.0.0" || address === "::") return "-";
  const bytes = net.isIPv4(address) ? address.split(".").map(Number) : bytesOfV6(address);
  const words = Array.from({ length: bytes.length / 4 }, (_, index) =>
    bytes.slice(index * 4, index * 4 + 4).reverse(),
  );
  return Buffer.from(words.flat()).toString("hex").toUpperCase();
}

/** The engine's own parser writes every form of an IPv6 address in one. */
function bytesOfV6(address: string): number[] {
  const host = new URL(`http://[${address.replace(/%.*/, "")}]`).hostname.slice(1, -1);
  const [head = "", tail] = host.split("::");
  const groups = (part: string) => part.split(":").filter((group) => group !== "");
  const [first, last] = [groups(head), groups(tail ?? "")];
  const all = [...first, ...Array<string>(8 - first.length - last.length).fill("0"), ...last];
  return all.map((group) => Number.parseInt(group, 16)).flatMap((group) => [group >> 8, group & 255]);
}
