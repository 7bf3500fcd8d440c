import type * as pulumi from "@pulumi/pulumi";
import { Account, Release, type ReleaseArgs } from "../provider/sdk";
import type { Homeserver } from "./homeserver";
import type { Machine } from "./hosts";
import type { JobParts } from "./job";

/** The release of one component's jobs; `service` is the component's name, `secrets` those that its jobs read. */
export function jobRelease(
  name: string,
  service: string,
  { connection, places }: Machine,
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
  { name }: Machine,
  { access, release }: Homeserver,
  person: { localpart: string; admin: boolean; displayName: string },
  parent: pulumi.Resource,
): Account {
  return new Account(
    `${name}-account-${person.localpart}`,
    { ...access, ...person, deactivated: false, password: { kind: "generated", reclaim: true } },
    { parent, dependsOn: release },
  );
}
