import {
  DEFAULT_BLOCKED_RANGES,
  parseRange,
  rangeContains,
  rangesOverlap,
} from "../../config-schemas/language/addresses";

test("[V5] the ranges that are always blocked cover the host itself, private networks, metadata services and multicast", () => {
  const dangerous = [
    "127.0.0.1",
    "10.1.2.3",
    "172.31.255.255",
    "192.168.0.1",
    "100.100.100.100",
    "169.254.169.254",
    "224.0.0.1",
    "::1",
    "fe80::1",
    "fd00::1",
    "ff02::1",
    // The same addresses in networks that translate: NAT64, 6to4, Teredo, mapped.
    "64:ff9b::a01:203",
    "64:ff9b:1::a01:203",
    "2002:a01:203::1",
    "2001:0:a01:203::1",
    "::ffff:10.1.2.3",
    "0.0.0.0",
    "240.0.0.1",
  ];
  for (const address of dangerous)
    expect(DEFAULT_BLOCKED_RANGES.filter((range) => rangeContains(range, address))).toHaveLength(1);
  expect(DEFAULT_BLOCKED_RANGES).toHaveLength(29);
  expect(
    DEFAULT_BLOCKED_RANGES.some(
      (range) => rangeContains(range, "9.9.9.9") || rangeContains(range, "2620:fe::9"),
    ),
  ).toBe(false);
});

test.each([
  ["10.0.0.0/8", "10.255.0.1", true],
  ["10.0.0.0/8", "11.0.0.1", false],
  ["10.0.0.0/8", "10.1.0.0/16", true],
  ["10.1.0.0/16", "10.0.0.0/8", false],
  ["0.0.0.0/0", "203.0.113.9", true],
  ["192.0.2.77/24", "192.0.2.1", true],
  ["2001:db8::/32", "2001:db8:ffff::1", true],
  ["2001:db8::/32", "2001:db9::1", false],
  ["::/0", "192.0.2.1", false],
  ["::ffff:192.0.2.0/120", "::ffff:192.0.2.9", true],
])("%s contains %s: %s", (outer, inner, expected) => {
  expect(rangeContains(outer, inner)).toBe(expected);
});

test.each([
  ["10.0.0.0/8", "10.2.0.0/16", true],
  ["10.2.0.0/16", "10.0.0.0/8", true],
  ["10.0.0.0/9", "10.128.0.0/9", false],
  ["::/0", "10.0.0.0/8", false],
])("%s and %s share an address: %s", (a, b, expected) => {
  expect(rangesOverlap(a, b)).toBe(expected);
});

test("the ends of a range are exact", () => {
  expect(parseRange("192.0.2.128/25")).toEqual({ version: 4, first: 3_221_226_112n, last: 3_221_226_239n });
  expect(parseRange("::1")).toEqual({ version: 6, first: 1n, last: 1n });
});
