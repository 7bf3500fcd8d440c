/** What a distribution calls what Hearth needs of it, by role. Another distribution is another column. */
export interface Distribution {
  /** As people call it. */
  title: string;
  /** Versions of packages that it offers: they hold where the package manager has no lists yet (a fresh image). */
  offers: Readonly<Record<string, string>>;
  /** Packages that rootless containers, and our programs for them, need; Podman's own only recommends most of them. */
  containers: readonly string[];
  postgres: {
    package: string;
    user: string;
    unit(major: number, cluster: string): string;
    /** Folder of a cluster's own configuration. */
    configuration(major: number, cluster: string): string;
    /** Folder of the server's programs. */
    programs(major: number): string;
  };
  nginx: {
    package: string;
    unit: string;
    program: string;
    /** User and group of its workers. */
    user: string;
  };
  python: {
    package: string;
    /** What `python -m venv` needs. */
    environments: string;
    /** Client library of Postgres for it, which would have to be compiled otherwise. */
    postgres: string;
    /** The interpreter of a version, e.g. `3.13`. */
    interpreter(version: string): string;
  };
  curl: { package: string };
  /** Why a runtime cannot be used there; absent: it can. */
  refused: { native?: string; quadlet?: string };
}

/** What Debian calls things, and who derives from it. */
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
  refused: {},
};

/** By `ID:VERSION_ID` of os-release, or `ID` where there are no releases. */
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
    // What it offers today is something else tomorrow.
    offers: {},
    // Users' ids and units are the base system's.
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
    refused: {
      native:
        "runtime native is not supported there yet: Postgres has one cluster, which a new major version cannot read, and Python changes under Synapse's locked packages; use runtime: quadlet",
    },
  },
};

/** The column of a host, by what its os-release says. */
export function columnOf({ distribution, release }: { distribution: string; release: string }): Distribution {
  const column = DISTRIBUTIONS[`${distribution}:${release}`] ?? DISTRIBUTIONS[distribution];
  if (column === undefined)
    throw new Error(`no column for ${distribution} ${release}: the Host must have refused it`);
  return column;
}
