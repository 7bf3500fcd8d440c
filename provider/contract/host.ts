import type { Connection } from "./connection";

/** Looks at a machine, in previews too; changes nothing. Refuses machines that cannot work, each with one clear message. */
export interface HostInputs {
  connection: Connection;
  /** Rootless containers of the login user are to run here: what that needs is looked at too. */
  rootless: boolean;
  /** MiB of memory that each use of this machine may take, by what uses it; empty: not looked at. */
  memory: Record<string, number>;
}

/** Debian packages that rootless containers, and our programs for them, need; Podman's own only recommends most of them. */
export const ROOTLESS_PACKAGES = [
  "podman",
  "crun",
  "uidmap",
  "passt",
  "netavark",
  "nftables",
  "aardvark-dns",
  "dbus-user-session",
  "libpam-systemd",
  "curl",
  "python3",
] as const;

/** Facts of a host, rounded so that they stay the same from run to run. */
export interface HostFacts {
  /** `ID` of os-release, e.g. `debian`. */
  distribution: string;
  /** `VERSION_ID`, e.g. `13`. */
  release: string;
  codename: string;
  /** As dpkg names it, e.g. `amd64`. */
  architecture: string;
  /** Total memory in MiB, rounded down to 64. */
  memoryMiB: number;
  cores: number;
  /** Version of the systemd on it, e.g. 257. */
  systemd: number;
  /** Version of python3's package that the distribution offers, e.g. `3.13`. */
  python: string;
  /** Major version of the Postgres cluster to use, else of the package that the distribution offers, e.g. 17 (0: none). */
  postgres: number;
  /** The cluster for that major version: there, or to be made. Absent where Hearth is not root, and in older states. */
  postgresCluster?: PostgresCluster;
  /** Who logs in, also where Hearth becomes root. */
  login: Login;
  /** Version of Podman that is there or that the distribution offers, e.g. `5.4.2` (empty: none). */
  podman: string;
  /** Whether tailscaled is there: not (empty), from a package, or put there in another way. */
  tailscale: "" | "package" | "other";
  /** Version of nginx that the distribution offers, e.g. `1.26.3` (empty: none). */
  nginx: string;
  /** Whether it has IPv6 at all: where it is switched off, nothing can listen on `::` or `::1`. */
  ipv6: boolean;
}

/** A Postgres cluster of Debian's packages. */
export interface PostgresCluster {
  /** Its name: `main`, or `hearth` next to one that others use. */
  name: string;
  port: number;
  /** Directory of its socket (empty: it has none). */
  socket: string;
}

/** The user of the ssh login. */
export interface Login {
  user: string;
  group: string;
  uid: number;
  /** Home directory, an absolute path. */
  home: string;
}
