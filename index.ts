import { Accounts } from "./components/accounts";
import { Certificates } from "./components/certificates";
import { Delegation } from "./components/delegation";
import { baseUrl as baseUrlOf } from "./components/delegation/documents";
import { Dns } from "./components/dns";
import { Homeserver } from "./components/homeserver";
import { machinesOf } from "./components/hosts";
import { Inactivity } from "./components/inactivity";
import { Maintenance } from "./components/maintenance";
import { Postgres } from "./components/postgres";
import { ReverseProxy } from "./components/proxy";
import { Rooms } from "./components/rooms";
import { Tunnel } from "./components/tunnel";
import { Checks } from "./components/verification";
import { keptNames, publicNames } from "./config-schemas/certificates/names";
import { loadStack } from "./config-schemas/load";

const { config, projectDirectory } = loadStack();
// All services share the homeserver's host: the rules refuse another placement. Other hosts are only looked at.
const machines = machinesOf(config, projectDirectory);
const machine = machines.serving;
const named = (part: string) => `${machine.name}-${part}`;
const base = { machine, projectDirectory, homeserverConfig: config.homeserver };

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
  new Certificates(named("certificates"), {
    ...{ ...base, config: config.certificates, records: dns?.records ?? [] },
    ...{ names: publicNames(config), keptNames: keptNames(config) },
  });
const proxy = new ReverseProxy(named("proxy"), { ...behind, config: config.proxy, delegation, certificates });
const tunnel =
  config.tunnel &&
  new Tunnel(named("tunnel"), {
    ...base,
    config: config.tunnel,
    proxy,
  });
const accounts = new Accounts(named("accounts"), { ...behind, config: config.accounts });
const maintenance =
  config.maintenance && new Maintenance(named("maintenance"), { ...behind, config: config.maintenance });
const inactivity =
  config.inactivity &&
  new Inactivity(named("inactivity"), { ...behind, config: config.inactivity, sections: config });
const rooms = new Rooms(named("rooms"), {
  ...behind,
  config: config.rooms,
  service: inactivity?.members ?? [],
  after: [accounts, ...(inactivity ? [inactivity.account] : [])],
});
const checks = config.verification.enabled
  ? new Checks(named("verification"), {
      ...behind,
      config,
      after: [accounts, rooms, ...(inactivity ? [inactivity] : []), ...(dns ? [dns] : [])],
      database: postgres.access,
      renewal: certificates?.renewal,
      releases: { postgres, homeserver, proxy, certificates, tunnel, maintenance },
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
export const verification = checks?.summary ?? "switched off";
