import { execFileSync } from "node:child_process";
import { join } from "node:path";

const LIB = join(__dirname, "../../../../provider/machine/programs/lib");

/** Host and reason of each archive that apt says it could not fetch. */
function failures(words: string): string[][] {
  const program = '. "$1/redact.sh"; . "$1/pm-apt.sh"; pm_list_failures';
  const said = execFileSync("sh", ["-eu", "-c", program, "sh", LIB], { input: words, encoding: "utf8" });
  return said
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => line.split("\t"));
}

test.each([
  [
    "a mirror without a name in DNS",
    "Err:1 http://deb.gone.example/debian trixie InRelease\n  Could not resolve 'deb.gone.example'\nW: Failed to fetch http://deb.gone.example/debian/dists/trixie/InRelease  Could not resolve 'deb.gone.example'\nW: Some index files failed to download. They have been ignored, or old ones used instead.",
    "deb.gone.example",
    /Could not resolve/,
  ],
  [
    "a repository without a release for this suite (a dead PPA)",
    "Ign:2 http://ppa.example/x trixie InRelease\nE: The repository 'http://ppa.example/x trixie Release' does not have a Release file.\nN: Updating from such a repository can't be done securely",
    "ppa.example",
    /does not have a Release file/,
  ],
  [
    "one whose release was taken away",
    "E: The repository 'https://vendor.example trixie Release' no longer has a Release file.",
    "vendor.example",
    /no longer has/,
  ],
  [
    "a key that is missing",
    "W: GPG error: https://vendor.example stable InRelease: The following signatures couldn't be verified because the public key is not available: NO_PUBKEY AAF9AE843A7584B5\nE: The repository 'https://vendor.example stable InRelease' is not signed.",
    "vendor.example",
    /is not signed/,
  ],
  [
    "a key that has expired, as Debian 12 says it",
    "W: An error occurred during the signature verification. The repository is not updated and the previous index files will be used. GPG error: https://vendor.example stable InRelease: The following signatures were invalid: EXPKEYSIG CF45A512DE2DA058",
    "vendor.example",
    /EXPKEYSIG/,
  ],
  [
    "a key that has expired, as Debian 13 says it",
    "W: OpenPGP signature verification failed: https://vendor.example stable InRelease: Sub-process /usr/bin/sqv returned an error code (1)\nE: The repository 'https://vendor.example stable InRelease' is not signed.",
    "vendor.example",
    /is not signed/,
  ],
  [
    "lists that are too old",
    "E: Release file for http://snapshot.example/debian/dists/trixie/InRelease is expired (invalid since 3d 2h). Updates for this repository will not be applied.",
    "snapshot.example",
    /is expired/,
  ],
  [
    "a clock that is behind",
    "E: Release file for http://deb.example/debian/dists/trixie/InRelease is not valid yet (invalid for another 5h 3min).",
    "deb.example",
    /is not valid yet/,
  ],
  [
    "no route, on a host with IPv6 only",
    "W: Failed to fetch http://deb.example:8080/debian/dists/trixie/InRelease  Cannot initiate the connection to deb.example:8080 (192.0.2.1). - connect (101: Network is unreachable)",
    "deb.example:8080",
    /unreachable/,
  ],
  [
    "a proxy that is away",
    "W: Failed to fetch http://deb.example/debian/dists/trixie/InRelease  Could not connect to proxy.example:3128 (192.0.2.9). - connect (111: Connection refused)",
    "deb.example",
    /proxy\.example:3128/,
  ],
])("%s is named by its host and apt's reason", (_, words, host, why) => {
  expect(failures(`${words}\n`)).toEqual([[host, expect.stringMatching(why)]]);
});

test("no login of a mirror is shown, each archive is named once, and warnings about one that works are none", () => {
  const words = `W: http://fine.example/dists/x/InRelease: Key is stored in legacy trusted.gpg keyring
W: Failed to fetch http://me:hunter2@one.example/debian/a  403  Forbidden
W: Failed to fetch http://me:hunter2@one.example/debian/b  403  Forbidden [IP: 192.0.2.1 80]
W: Failed to fetch http://two.example/b  404  Not Found
E: Unable to locate package no-such-package
`;
  const found = failures(words);
  expect(found.map(([host]) => host)).toEqual(["one.example", "two.example"]);
  expect(JSON.stringify(found)).not.toContain("hunter2");
});

test("[F9] apt's simulation is read as what it installs, changes and removes", () => {
  const simulation = `NOTE: nothing
Inst libpq5 (17.6-0+deb13u1 Debian:13.1/stable [amd64])
Inst openssl [3.5.1-1] (3.5.2-1 Debian:13.1/stable [amd64]) []
Inst postgresql (17+278 Debian:13.1/stable [all])
Remv exim4-base [4.98.2-1]
Conf libpq5 (17.6-0+deb13u1 Debian:13.1/stable [amd64])
`;
  const program = '. "$1/pm-apt.sh"; simulated_changes /dev/stdin';
  const said = execFileSync("sh", ["-eu", "-c", program, "sh", LIB], { input: simulation, encoding: "utf8" });
  expect(said.trimEnd().split("\n")).toEqual([
    "libpq5\t-\t17.6-0+deb13u1",
    "openssl\t3.5.1-1\t3.5.2-1",
    "postgresql\t-\t17+278",
    "exim4-base\t4.98.2-1\t-",
  ]);
});
