import { Accounts } from "./components/accounts";
import { Certificates } from "./components/certificates";
import { Delegation } from "./components/delegation";
import { baseUrl as baseUrlOf } from "./components/delegation/documents";
import { Homeserver } from "./components/homeserver";
import { machinesOf } from "./components/hosts";
import { Postgres } from "./components/postgres";
import { ReverseProxy } from "./components/proxy";
import { Checks } from "./components/verification";
import { loadStack } from "./config-schemas/load";

const { config, secrets, projectDirectory } = loadStack();
const machines = machinesOf(config.hosts, secrets.sudo, projectDirectory);
const [home, database, edge] = [config.homeserver.host, config.postgres.host, config.proxy.host];

const delegation = new Delegation(`${edge}-delegation`, {
  config: config.delegation,
  homeserver: config.homeserver,
});
const postgres = new Postgres(`${database}-postgres`, {
  config: config.postgres,
  machine: machines.get(database),
});
const certificates = new Certificates(`${edge}-certificates`, {
  config: config.certificates,
  machine: machines.get(config.certificates.host),
  projectDirectory,
});
const homeserver = new Homeserver(`${home}-homeserver`, {
  config: config.homeserver,
  identityServer: config.delegation.identityServer,
  machine: machines.get(home),
  postgres,
  secrets,
  projectDirectory,
});
const proxy = new ReverseProxy(`${edge}-proxy`, {
  config: config.proxy,
  homeserverConfig: config.homeserver,
  machine: machines.get(edge),
  homeserver,
  delegation,
  certificates,
});
const accounts = new Accounts(`${home}-accounts`, {
  config: config.accounts,
  machine: machines.get(home),
  homeserver,
  passwords: secrets.accounts,
});
const checks = config.verification.enabled
  ? new Checks(`${home}-verification`, {
      config,
      machine: machines.get(home),
      homeserver,
      releases: { postgres, certificates, homeserver, proxy },
      projectDirectory,
      after: [accounts],
    })
  : undefined;

export const serverName = config.homeserver.serverName;
export const baseUrl = baseUrlOf(config.homeserver);
export const userIds = accounts.userIds;
/** The documents for the bare domain's own web server, when that is another one. */
export const wellKnown = delegation.servedHere ? "served here" : delegation.documents;
export const verification = checks?.summary ?? "switched off";
