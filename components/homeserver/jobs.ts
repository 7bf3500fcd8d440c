import type * as pulumi from "@pulumi/pulumi";
import { Account, type HomeserverAccess, type Inputs, type Release } from "../../provider/sdk";
import type { JobHost } from "../../runtimes/job";

/** The homeserver that jobs work for. */
interface JobServer {
  access: Inputs<HomeserverAccess>;
  release: Release;
  jobs: pulumi.Output<JobHost> | undefined;
}

/** What jobs run in next to this homeserver. */
export function jobHostOf({ jobs }: Pick<JobServer, "jobs">): pulumi.Output<JobHost> {
  if (jobs === undefined) throw new Error("no image to run jobs in: the rules must have refused this stack");
  return jobs;
}

/**
 * The account with which a component's jobs log in. Its password is made on the host, where only they read it. Whoever took
 * the name before loses it: nobody may be waiting in an account that becomes an admin's.
 */
export function jobAccount(
  { name }: { name: string },
  { access, release }: Omit<JobServer, "jobs">,
  person: { localpart: string; admin: boolean; displayName: string },
  parent: pulumi.Resource,
): Account {
  return new Account(
    `${name}-account-${person.localpart}`,
    { ...access, ...person, deactivated: false, password: { kind: "generated", reclaim: true } },
    { parent, dependsOn: release },
  );
}
