import type { Connection } from "./connection";

/** Looks at a machine, in previews too; changes nothing. Refuses machines that cannot work, each with one clear message. */
export interface HostInputs {
  connection: Connection;
}

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
  /** Major version of the postgresql package that the distribution offers, e.g. 17 (0: none). */
  postgres: number;
  /** Version of nginx that the distribution offers, e.g. `1.26.3` (empty: none). */
  nginx: string;
}
