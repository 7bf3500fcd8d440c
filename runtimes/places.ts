import type { Login, Ownership, ReleaseInputs } from "../provider/sdk";

/**
 * The folders of services on a host, and their owner: root, with the system's directories, or the login user, with
 * directories below the home directory.
 */
export interface Places {
  scope: ReleaseInputs["scope"];
  /** Owner of files and directories. */
  owner: string;
  group: string;
  /** Folder of a service's configuration. */
  config(service: string): string;
  /** Folder of a service's helper programs. */
  programs(service: string): string;
  /** Folder of a service's data. Hearth never removes it. */
  data(service: string): string;
  /** Folder of systemd units. */
  units: string;
  /** Folder of Quadlet files. */
  containers: string;
  /** Folder of Hearth's own records on the host. */
  state: string;
}

/** Folders of services that belong to root. */
export const SYSTEM_PLACES: Places = {
  scope: "system",
  owner: "root",
  group: "root",
  config: (service) => `/etc/hearth/${service}`,
  programs: (service) => `/usr/local/lib/hearth/${service}`,
  data: (service) => `/var/lib/hearth-data/${service}`,
  units: "/etc/systemd/system",
  containers: "/etc/containers/systemd",
  state: "/var/lib/hearth",
};

/** Folders of services that belong to the login user. */
export function userPlaces({ user, group, home }: Login): Places {
  return {
    scope: "user",
    owner: user,
    group,
    config: (service) => `${home}/.config/hearth/${service}`,
    programs: (service) => `${home}/.local/lib/hearth/${service}`,
    data: (service) => `${home}/.local/share/hearth/${service}`,
    units: `${home}/.config/systemd/user`,
    containers: `${home}/.config/containers/systemd`,
    state: `${home}/.local/state/hearth`,
  };
}

/** This mode, with the owner and group of `places`. */
export function owned(places: Places, mode: string): Ownership {
  return { mode, owner: places.owner, group: places.group };
}
