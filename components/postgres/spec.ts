import type { PostgresConfig } from "../../config-schemas/postgres/schema";
import type { Layout } from "../../runtimes/layout";
import type { Listener } from "../../runtimes/listener";
import type { ServiceSpec } from "../../runtimes/service";
import type { HostFacts } from "../hosts/facts";
import { debianCluster } from "./cluster";
import { officialImage } from "./image";
import { type PostgresFiles, renderPostgres } from "./render";

/** The database server of the homeserver, in the distribution's own cluster or in a container without network. */
export function postgresSpec(config: PostgresConfig, facts: HostFacts): ServiceSpec {
  const settings = ({ memoryMiB, inside }: Layout): PostgresFiles =>
    renderPostgres(config, memoryMiB, inside.listen(listenersOf(config)));
  return {
    name: "postgres",
    description: "Postgres, the database of the Matrix homeserver",
    programs: { native: () => debianCluster(config, facts), quadlet: () => officialImage(config) },
    files: [
      { name: "restart.conf", change: "restart", text: (at) => settings(at).restart },
      { name: "reload.conf", change: "reload", text: (at) => settings(at).reload },
    ],
  };
}

/** All clients use the socket, except with password authentication: then they use TCP. */
function listenersOf({ authentication }: PostgresConfig): Listener[] {
  return authentication === "password" ? [{ address: "localhost", port: 5432 }] : [];
}
