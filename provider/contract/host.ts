import type { Connection } from "./connection";

/** Looks at a host, in previews too; changes nothing. Refuses hosts that cannot work, each with one clear message. */
export interface HostInputs {
  connection: Connection;
  /** Rootless containers of the login user are to run here: what that needs is looked at too. */
  rootless: boolean;
  /** MiB of memory that each use of this host may take, by what uses it; empty: not looked at. */
  memory: Record<string, number>;
  /** What may run there, by `ID:VERSION_ID` of os-release, or `ID` where there are no releases. Empty: not looked at. */
  distributions: Record<string, KnownDistribution>;
  ask: HostQuestions;
}

/** A distribution that the program has a column for. */
export interface KnownDistribution {
  /** As people call it, e.g. `Debian 13 (trixie)`. */
  title: string;
  /** Versions of packages that hold where its package manager has no lists yet (a fresh image). */
  offers: Record<string, string>;
  /** Packages that rootless containers, and the programs that come with them, need. */
  containers: string[];
  /** Why what is to run on the host cannot run there; empty: it can. */
  refused: string;
}

/** What the program asks beyond the facts of every host. */
export interface HostQuestions {
  /** Packages whose version is asked for. */
  packages: string[];
  /** Packages of which it is asked whether they are installed. */
  installed: string[];
  programs: Record<string, HostQuestion>;
}

/**
 * A program (POSIX sh) that is sent along, only reads, and prints one line. Its first argument is a file with the answers about
 * packages, `package NAME VERSION` with tabs between them; its user is who Hearth works as on the host.
 */
export interface HostQuestion {
  content: string;
  arguments: string[];
}

/** Facts of a host, rounded so that they stay the same from run to run, also when what was asked for gets installed. */
export interface MachineFacts {
  /** `ID` of os-release, e.g. `debian`. */
  distribution: string;
  /** `VERSION_ID`, e.g. `13`; empty where there are no releases. */
  release: string;
  codename: string;
  /** As Debian names it, e.g. `amd64`. */
  architecture: string;
  /** Total memory in MiB, rounded down to 64. */
  memoryMiB: number;
  cores: number;
  /** Version of the systemd on it, e.g. 257. */
  systemd: number;
  /** Who logs in, also where Hearth becomes root. */
  login: Login;
  /** Version of Podman that is there or that the distribution offers, e.g. `5.4.2` (empty: none). */
  podman: string;
  /** Whether it has IPv6 at all: where it is switched off, nothing can listen on `::` or `::1`. */
  ipv6: boolean;
  /** Upstream version of each package asked for: the installed one, else the one that the distribution offers. Absent: neither. */
  packages: Record<string, string>;
  /** Those asked for that are installed. */
  installed: string[];
  /** The line that each program printed. */
  programs: Record<string, string>;
}

/** The user of the ssh login. */
export interface Login {
  user: string;
  group: string;
  uid: number;
  /** Home directory, an absolute path. */
  home: string;
}
