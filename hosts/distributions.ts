/** What a distribution calls what Hearth needs of it, by role. Adding one is adding a column. */
export interface Distribution {
  /** As people call it. */
  title: string;
  /** Versions of packages that it is known to offer: they hold where the package manager has no lists yet (a fresh image). */
  offers: Readonly<Record<string, string>>;
  /** Packages that rootless containers, and our programs for them, need; Podman's own only recommends most of them. */
  containers: readonly string[];
}

const CONTAINERS = [
  ...["podman", "crun", "uidmap", "passt", "netavark", "nftables", "aardvark-dns"],
  ...["dbus-user-session", "libpam-systemd", "curl", "python3"],
];

/** By `ID:VERSION_ID` of os-release. */
export const DISTRIBUTIONS: Readonly<Record<string, Distribution>> = {
  "debian:12": {
    title: "Debian 12 (bookworm)",
    offers: { python3: "3.11", postgresql: "15", nginx: "1.22.1", podman: "4.3.1" },
    containers: CONTAINERS,
  },
  "debian:13": {
    title: "Debian 13 (trixie)",
    offers: { python3: "3.13", postgresql: "17", nginx: "1.26.3", podman: "5.4.2" },
    containers: CONTAINERS,
  },
};
