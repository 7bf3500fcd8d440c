import type * as pulumi from "@pulumi/pulumi";
import {
  Account,
  type Connection,
  type HomeserverAccess,
  type Inputs,
  Release,
  type ReleaseArgs,
} from "../provider/sdk";
import type { JobParts, Site } from "./job";
import type { Places } from "./places";

/** The host that jobs run on. */
interface JobHost {
  /** Its name in the stack file. */
  name: string;
  connection: Inputs<Connection>;
  places: pulumi.Output<Places>;
}

/** The homeserver that jobs work for. */
interface JobServer {
  access: Inputs<HomeserverAccess>;
  release: Release;
  site: pulumi.Output<Site> | undefined;
}

/** Where jobs run next to this homeserver. */
export function siteOf({ site }: Pick<JobServer, "site">): pulumi.Output<Site> {
  if (site === undefined) throw new Error("no image to run jobs in: the rules must have refused this stack");
  return site;
}

/** The release of one component's jobs; `service` is the component's name, `secrets` those that its jobs read. */
export function jobRelease(
  name: string,
  service: string,
  { connection, places }: Omit<JobHost, "name">,
  parts: pulumi.Output<JobParts>,
  opts: pulumi.CustomResourceOptions,
  secrets: Pick<ReleaseArgs, "containerSecrets"> = {},
): Release {
  const { directories, files, images, units, validators } = parts;
  const args = { connection, scope: places.scope, release: service };
  return new Release(name, { ...args, directories, files, images, units, validators, ...secrets }, opts);
}

/**
 * The account with which a component's jobs log in. Its password is made on the host, where only they read it. Whoever took
 * the name before loses it: nobody may be waiting in an account that becomes an admin's.
 */
export function jobAccount(
  { name }: Pick<JobHost, "name">,
  { access, release }: Omit<JobServer, "site">,
  person: { localpart: string; admin: boolean; displayName: string },
  parent: pulumi.Resource,
): Account {
  return new Account(
    `${name}-account-${person.localpart}`,
    { ...access, ...person, deactivated: false, password: { kind: "generated", reclaim: true } },
    { parent, dependsOn: release },
  );
}
