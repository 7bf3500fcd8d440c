/** The names that a distribution uses for what Hearth needs, by role. Each distribution is a column of this table. */
export interface Distribution {
  /** Name for people. */
  title: string;
  /** Package versions that it offers, for hosts whose package manager has no lists yet (a new image). */
  offers: Readonly<Record<string, string>>;
  /** Packages that rootless containers and our programs for them need; Podman's package only recommends most of them. */
  containers: readonly string[];
  postgres: {
    package: string;
    user: string;
    unit(major: number, cluster: string): string;
    /** Folder of a cluster's configuration. */
    configuration(major: number, cluster: string): string;
    /** Folder of the server's programs. */
    programs(major: number): string;
  };
  nginx: {
    package: string;
    unit: string;
    program: string;
    /** User and group of its worker processes. */
    user: string;
  };
  python: {
    package: string;
    /** Package that `python -m venv` needs. */
    environments: string;
    /** Postgres client library for Python; without this package it would have to be compiled. */
    postgres: string;
    /** Path of the interpreter of a version, e.g. `3.13`. */
    interpreter(version: string): string;
  };
  curl: { package: string };
  /** Packages for WireGuard with its filter and its watch; wireguard-go serves kernels without the module. */
  wireguard: readonly string[];
  nftables: { package: string; program: string };
  openssl: { package: string };
  /** ACME client. */
  certbot: { package: string };
  /** Backups: the program, encryption to a person's key, and ssh for a target behind it. */
  restic: { package: string };
  age: { package: string };
  ssh: { package: string };
  /** Why a runtime does not work with this distribution; absent: it works. */
  refused: { native?: string; quadlet?: string };
}

/** Names in Debian and in distributions that derive from it. */
const DEBIAN: Omit<Distribution, "title" | "offers"> = {
  containers: [
    ...["podman", "crun", "uidmap", "passt", "netavark", "nftables", "aardvark-dns"],
    ...["dbus-user-session", "libpam-systemd", "curl", "python3"],
  ],
  postgres: {
    package: "postgresql",
    user: "postgres",
    unit: (major, cluster) => `postgresql@${major}-${cluster}.service`,
    configuration: (major, cluster) => `/etc/postgresql/${major}/${cluster}`,
    programs: (major) => `/usr/lib/postgresql/${major}/bin`,
  },
  nginx: { package: "nginx", unit: "nginx.service", program: "/usr/sbin/nginx", user: "www-data" },
  python: {
    package: "python3",
    environments: "python3-venv",
    postgres: "python3-psycopg2",
    interpreter: (version) => `/usr/bin/python${version}`,
  },
  curl: { package: "curl" },
  wireguard: ["wireguard-tools", "wireguard-go", "nftables", "iputils-ping"],
  nftables: { package: "nftables", program: "/usr/sbin/nft" },
  openssl: { package: "openssl" },
  certbot: { package: "certbot" },
  restic: { package: "restic" },
  age: { package: "age" },
  ssh: { package: "openssh-client" },
  refused: {},
};

/** The distributions by `ID:VERSION_ID` of os-release, or by `ID` if they have no releases. */
export const DISTRIBUTIONS: Readonly<Record<string, Distribution>> = {
  "debian:12": {
    ...DEBIAN,
    title: "Debian 12 (bookworm)",
    offers: { python3: "3.11", postgresql: "15", nginx: "1.22.1", podman: "4.3.1" },
  },
  "debian:13": {
    ...DEBIAN,
    title: "Debian 13 (trixie)",
    offers: { python3: "3.13", postgresql: "17", nginx: "1.26.3", podman: "5.4.2" },
  },
  "ubuntu:24.04": {
    ...DEBIAN,
    title: "Ubuntu 24.04 (noble)",
    offers: { python3: "3.12", postgresql: "16", nginx: "1.24.0", podman: "4.9.3" },
  },
  "ubuntu:26.04": {
    ...DEBIAN,
    title: "Ubuntu 26.04 (resolute)",
    offers: { python3: "3.14", postgresql: "18", nginx: "1.28.2", podman: "5.7.0" },
  },
  arch: {
    title: "Arch Linux (containers only)",
    // A rolling release: its versions change every day.
    offers: {},
    // The base system already has subordinate ids and units for users.
    containers: ["podman", "crun", "passt", "netavark", "nftables", "aardvark-dns", "curl", "python"],
    postgres: {
      package: "postgresql",
      user: "postgres",
      unit: () => "postgresql.service",
      configuration: () => "/var/lib/postgres/data",
      programs: () => "/usr/bin",
    },
    nginx: { package: "nginx", unit: "nginx.service", program: "/usr/bin/nginx", user: "http" },
    python: {
      package: "python",
      environments: "python",
      postgres: "python-psycopg2",
      interpreter: (version) => `/usr/bin/python${version}`,
    },
    curl: { package: "curl" },
    wireguard: ["wireguard-tools", "nftables", "iputils"],
    nftables: { package: "nftables", program: "/usr/bin/nft" },
    openssl: { package: "openssl" },
    certbot: { package: "certbot" },
    restic: { package: "restic" },
    age: { package: "age" },
    ssh: { package: "openssh" },
    refused: {
      native:
        "runtime native is not supported there yet: Postgres has one cluster, which a new major version cannot read, and Python changes under Synapse's locked packages; use runtime: quadlet",
    },
  },
};

/** The column for a host's os-release. */
export function columnOf({ distribution, release }: { distribution: string; release: string }): Distribution {
  const column = DISTRIBUTIONS[`${distribution}:${release}`] ?? DISTRIBUTIONS[distribution];
  if (column === undefined)
    throw new Error(`no column for ${distribution} ${release}: the Host should have refused it`);
  return column;
}
