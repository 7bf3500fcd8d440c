import { isIPv6 } from "node:net";

/**
 * Addresses that a homeserver must not connect to for any user or server: loopback, private, link-local, test, multicast. First
 * the 19 ranges that Synapse blocks by default for federation (for URL previews they must be listed explicitly), then the ranges
 * that embed an IPv4 address: where the network translates addresses, a name in them could lead to a private address.
 */
export const DEFAULT_BLOCKED_RANGES: readonly string[] = [
  "127.0.0.0/8",
  "10.0.0.0/8",
  "172.16.0.0/12",
  "192.168.0.0/16",
  "100.64.0.0/10",
  "192.0.0.0/24",
  "169.254.0.0/16",
  "192.88.99.0/24",
  "198.18.0.0/15",
  "192.0.2.0/24",
  "198.51.100.0/24",
  "203.0.113.0/24",
  "224.0.0.0/4",
  "::1/128",
  "fe80::/10",
  "fc00::/7",
  "2001:db8::/32",
  "ff00::/8",
  "fec0::/10",
  "64:ff9b::/96",
  "64:ff9b:1::/48",
  "2002::/16",
  "2001::/32",
  "::ffff:0:0/96",
  "100::/64",
  "2001:20::/28",
  "3fff::/20",
  "240.0.0.0/4",
  "0.0.0.0/8",
];

interface Range {
  version: 4 | 6;
  first: bigint;
  last: bigint;
}

function ipv4Bits(text: string): bigint {
  return text.split(".").reduce((bits, octet) => bits * 256n + BigInt(octet), 0n);
}

function ipv6Bits(text: string): bigint {
  const dotted = /^(.*:)(\d+\.\d+\.\d+\.\d+)$/.exec(text);
  if (dotted) {
    const low = ipv4Bits(dotted[2] ?? "0.0.0.0");
    return ipv6Bits(`${dotted[1]}${(low >> 16n).toString(16)}:${(low & 0xffffn).toString(16)}`);
  }
  const [head = "", tail] = text.split("::");
  const left = head === "" ? [] : head.split(":");
  const right = tail === undefined || tail === "" ? [] : tail.split(":");
  const zeros = new Array<string>(8 - left.length - right.length).fill("0");
  return [...left, ...zeros, ...right].reduce((bits, group) => bits * 65_536n + BigInt(`0x${group}`), 0n);
}

/** First and last address of a range (or of a single address). The text must be valid; the schemas check it. */
export function parseRange(text: string): Range {
  const [address = "", prefix] = text.split("/");
  const version = isIPv6(address) ? 6 : 4;
  const width = version === 6 ? 128 : 32;
  const bits = version === 6 ? ipv6Bits(address) : ipv4Bits(address);
  const free = BigInt(width - (prefix === undefined ? width : Number(prefix)));
  const first = (bits >> free) << free;
  return { version, first, last: first + (1n << free) - 1n };
}

/** The nth address of an IPv4 range; 0 is its first. */
export function nthAddress(range: string, n: number): string {
  const address = parseRange(range).first + BigInt(n);
  return [24n, 16n, 8n, 0n].map((shift) => (address >> shift) & 255n).join(".");
}

/** Whether the two ranges share an address. */
export function rangesOverlap(a: string, b: string): boolean {
  const [x, y] = [parseRange(a), parseRange(b)];
  return x.version === y.version && x.first <= y.last && y.first <= x.last;
}

/** Whether every address of `inner` is in `outer`. */
export function rangeContains(outer: string, inner: string): boolean {
  const [x, y] = [parseRange(outer), parseRange(inner)];
  return x.version === y.version && x.first <= y.first && y.last <= x.last;
}
