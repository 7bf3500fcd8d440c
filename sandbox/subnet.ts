import net from "node:net";

/** An IPv4 range: its first address as a number and its prefix length. */
export interface Range {
  base: number;
  prefix: number;
}

/** Parses `10.1.2.0/24`, or a single address as a /32; undefined for anything else (IPv6, `default`). */
export function parseRange(text: string): Range | undefined {
  const [address = "", prefixText = "32"] = text.split("/");
  const prefix = Number(prefixText);
  if (!net.isIPv4(address) || !Number.isInteger(prefix) || prefix < 0 || prefix > 32) return undefined;
  const number = address.split(".").reduce((sum, part) => sum * 256 + Number(part), 0);
  return { base: number - (number % 2 ** (32 - prefix)), prefix };
}

/** Whether two ranges share an address. */
export function overlaps(a: Range, b: Range): boolean {
  return a.base < b.base + 2 ** (32 - b.prefix) && b.base < a.base + 2 ** (32 - a.prefix);
}

/**
 * The /24 for the sandbox: the first of 10.213.x.0/24, starting at x = `start`, that overlaps with none of `taken`
 * (routes and resolvers of this machine; entries that are not IPv4 are ignored, and so is the default route,
 * which overlaps with everything). Undefined when all 256 are taken.
 */
export function chooseSubnet(taken: readonly string[], start: number): string | undefined {
  const ranges = taken.map(parseRange).filter((range) => range !== undefined && range.prefix > 0);
  for (let offset = 0; offset < 256; offset++) {
    const subnet = `10.213.${(start + offset) % 256}.0/24`;
    const candidate = parseRange(subnet);
    if (candidate && !ranges.some((range) => range && overlaps(range, candidate))) return subnet;
  }
  return undefined;
}

/** The address with the given last number in a /24: index 1 is the bridge, 2 to 254 are hosts. */
export function addressIn(subnet: string, index: number): string {
  return subnet.replace(/\.0\/24$/, `.${index}`);
}

/** The smallest host index that is free; undefined when all 253 are in use. */
export function freeIndex(used: readonly number[]): number | undefined {
  for (let index = 2; index < 255; index++) if (!used.includes(index)) return index;
  return undefined;
}
