import type { z } from "zod";
import * as common from "../../config-schemas/language/common";

/** Shape, values that it accepts, values that it refuses. */
const TABLE: [string, z.ZodType, unknown[], unknown[]][] = [
  [
    "duration",
    common.duration,
    ["1s", "30m", "12h", "14d", "2w", "1y"],
    ["0d", "14", 14, "1.5d", "d", "14 d", "14D", "-1d", "1ms", ""],
  ],
  ["size", common.size, ["1K", "100M", "2G", "1T"], ["100", 100, "100MB", "0M", "1.5G", "100m", ""]],
  ["days", common.days, ["1d", "14d"], ["1w", "0d", "24h", 14]],
  ["port", common.port, [1, 8008, 65_535], [0, 65_536, 80.5, "80"]],
  [
    "own server name",
    common.ownServerName,
    ["example.org", "a.b.example.org", "xn--bcher-kva.example", "1.example.org"],
    [
      "example",
      "https://example.org",
      "HTTPS://example.org",
      "example.org:8448",
      "Example.org",
      "192.0.2.1",
      "[::1]",
      "2001:db8::1",
      "a..org",
      "-a.org",
      "a.org/",
      "a b.org",
      "",
    ],
  ],
  [
    "remote server name",
    common.remoteServerName,
    ["matrix.org", "example.org:8448", "example.org:65535"],
    [
      "Matrix.org",
      "https://matrix.org",
      "192.0.2.1",
      "matrix.org:",
      "matrix.org:0",
      "matrix.org:65536",
      "*.matrix.org",
    ],
  ],
  [
    "host name in the stack",
    common.hostName,
    ["vps", "edge-1"],
    ["VPS", "1st", "a.b", "a_b", "", "a".repeat(32)],
  ],
  [
    "address",
    common.ipAddress,
    ["192.0.2.1", "2001:db8::1", "::1"],
    ["192.0.2.256", "example.org", "192.0.2.0/24", "0177.0.0.1"],
  ],
  [
    "address range",
    common.cidr,
    ["192.0.2.0/24", "2001:db8::/32", "0.0.0.0/0"],
    ["192.0.2.0", "192.0.2.0/33", "2001:db8::/129", "example.org/24"],
  ],
  ["file", common.localFile, ["./a/b.pem", "/etc/x", "~/.ssh/id", "a b"], ["", "dir/", "a\nb", "a\0b"]],
  [
    "local part",
    common.localpart,
    ["alice", "a.b_c=d-e+f", "9lives"],
    ["", "Alice", "@alice", "alice:example.org", "42", "a/b", "..", "-a", "_x", "a b"],
  ],
  [
    "URL",
    common.httpsUrl,
    ["https://example.org", "https://example.org:8448"],
    ["http://example.org", "https://example.org/", "example.org", "https://192.0.2.1"],
  ],
];

describe.each(TABLE)("%s", (_name, shape, good, bad) => {
  test.each(good)("accepts %j", (value) => {
    expect(shape.safeParse(value).success).toBe(true);
  });
  test.each(bad)("refuses %j", (value) => {
    expect(shape.safeParse(value).success).toBe(false);
  });
});

test.each([
  ["90s", 90],
  ["2m", 120],
  ["1h", 3600],
  ["14d", 1_209_600],
  ["1w", 604_800],
  ["1y", 31_536_000],
])("a duration of %s is %d seconds; wrong units would delete data early", (text, seconds) => {
  expect(common.parseDuration(text)).toBe(seconds);
});

test.each([
  ["1K", 1024],
  ["100M", 104_857_600],
  ["2G", 2_147_483_648],
  ["1T", 1_099_511_627_776],
])("a size of %s is %d bytes; with another factor Synapse and the proxy would disagree", (text, bytes) => {
  expect(common.parseSize(text)).toBe(bytes);
});

test.each([
  ["1.26.3", "1.25.1", true],
  ["1.25.1", "1.25.1", true],
  ["1.25", "1.25.1", false],
  ["1.22.1", "1.25.1", false],
  ["1.163.2rc1", "1.157.0", true],
  ["1.99.0", "1.157.0", false],
])(
  "version %s at least %s: %s; compared as text, 1.99 would be newer than 1.157",
  (version, least, expected) => {
    expect(common.isAtLeast(version, least)).toBe(expected);
  },
);
