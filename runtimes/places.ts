import type { Login, Ownership, ReleaseInputs } from "../provider/sdk";

/**
 * Where things of a service go on a machine, and whose they are: root's, below the directories of the system, or the login
 * user's, below his home.
 */
export interface Places {
  scope: ReleaseInputs["scope"];
  /** Whose files and directories are. */
  owner: string;
  group: string;
  /** Folder of a service's configuration. */
  config(service: string): string;
  /** Folder of the helper programs that a service brings along. */
  programs(service: string): string;
  /** Folder of a service's data: never removed. */
  data(service: string): string;
  /** Folder of systemd units. */
  units: string;
  /** Folder of Quadlet files. */
  containers: string;
  /** Hearth's own records on the machine. */
  state: string;
}

/** Services of root's. */
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

/** Services of the login user. */
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

/** Access of a file or directory of theirs. */
export function owned(places: Places, mode: string): Ownership {
  return { mode, owner: places.owner, group: places.group };
}
