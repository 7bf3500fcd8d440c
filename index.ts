import { Accounts } from "./components/accounts";
import { Backup } from "./components/backup";
import { Certificates } from "./components/certificates";
import { Delegation } from "./components/delegation";
import { baseUrl as baseUrlOf } from "./components/delegation/documents";
import { Dns } from "./components/dns";
import { Firewall } from "./components/firewall";
import { Homeserver } from "./components/homeserver";
import { machinesOf } from "./components/hosts";
import { Inactivity } from "./components/inactivity";
import { Maintenance } from "./components/maintenance";
import { Postgres } from "./components/postgres";
import { ReverseProxy } from "./components/proxy";
import { Rooms } from "./components/rooms";
import { Tunnel } from "./components/tunnel";
import { WireGuard } from "./components/tunnel/wireguard";
import { Checks } from "./components/verification";
import { keptNames, publicNames } from "./config-schemas/certificates/names";
import { loadStack } from "./config-schemas/load";

const { config, written, projectDirectory } = loadStack();
const machines = machinesOf(config, projectDirectory);
// All services are on the homeserver's host, except for the proxy of a tunnel between two hosts. Other hosts are only looked at.
const machine = machines.homeserver;
const named = (part: string) => `${machine.name}-${part}`;
const base = { machine, projectDirectory, homeserverConfig: config.homeserver };
const atProxy = { ...base, machine: machines.proxy };
const namedAtProxy = (part: string) => `${machines.proxy.name}-${part}`;

const delegation = new Delegation(named("delegation"), {
  config: config.delegation,
  homeserver: config.homeserver,
});
const postgres = new Postgres(named("postgres"), { ...base, config: config.postgres });
const homeserver = new Homeserver(named("homeserver"), {
  ...base,
  config: config.homeserver,
  identityServer: config.delegation.identityServer,
  postgres,
  secrets: config.homeserverSecrets,
});
const behind = { ...base, homeserver };
const dns = config.dns && new Dns(named("dns"), { ...behind, config: config.dns });
const certificates =
  config.certificates &&
  new Certificates(namedAtProxy("certificates"), {
    ...{ ...atProxy, config: config.certificates, records: dns?.records ?? [] },
    ...{ names: publicNames(config), keptNames: keptNames(config) },
  });
const link =
  config.tunnel?.kind === "wireguard"
    ? new WireGuard(named("wireguard"), {
        config: config.tunnel,
        home: machine,
        edge: machines.proxy,
        homeserver: homeserver.endpoint,
      })
    : undefined;
const proxy = new ReverseProxy(namedAtProxy("proxy"), {
  ...atProxy,
  homeserver,
  link,
  config: config.proxy,
  delegation,
  certificates,
});
const tunnel =
  config.tunnel?.kind === "tailscale-funnel"
    ? new Tunnel(named("tunnel"), { ...base, config: config.tunnel, proxy })
    : undefined;
const accounts = new Accounts("accounts", { ...behind, config: config.accounts });
const maintenance =
  config.maintenance && new Maintenance(named("maintenance"), { ...behind, config: config.maintenance });
const inactivity =
  config.inactivity &&
  new Inactivity(named("inactivity"), { ...behind, config: config.inactivity, sections: config });
const rooms = new Rooms("rooms", {
  ...behind,
  config: config.rooms,
  service: inactivity?.members ?? [],
  after: [accounts, ...(inactivity ? [inactivity.account] : [])],
});
const backup = new Backup(named("backup"), { ...behind, config: config.backup, written, postgres });
// The last of the host's releases: it opens the ports of all services before it.
const firewall =
  config.firewall &&
  machines.firewall &&
  new Firewall(`${machines.firewall.name}-firewall`, {
    machine: machines.firewall,
    config: config.firewall,
  });
const checks = config.verification.enabled
  ? new Checks(named("verification"), {
      ...behind,
      config,
      after: [accounts, rooms, ...(inactivity ? [inactivity] : []), ...(dns ? [dns] : [])],
      database: postgres.access,
      ports: machines.proxy.ports,
      certificates,
      backup,
      releases: {
        ...{ postgres, homeserver, proxy, certificates, tunnel, maintenance, backup, firewall },
        ...{ home: link && { release: link.releases.home }, edge: link && { release: link.releases.edge } },
      },
    })
  : undefined;

/** The distribution of each host. */
export const hosts = machines.distributions;
export const serverName = config.homeserver.serverName;
export const baseUrl = baseUrlOf(config.homeserver);
export const userIds = accounts.userIds;
export const roomIds = rooms.roomIds;
/** For people who may join: https://matrix.to links by the room's key. */
export const inviteLinks = rooms.inviteLinks;
/** The documents for the bare domain's own web server, when that is another one. */
export const wellKnown = delegation.servedHere ? "served here" : delegation.documents;
/** Copy of the backups' password that only your age key opens: `base64 -d | age -d -i key.txt`. */
export const backupKey = backup.key ?? "no backups";
export const verification = checks?.summary ?? "switched off";
