import type * as pulumi from "@pulumi/pulumi";
import { Account, type HomeserverAccess, type Inputs, type Release } from "../../provider/sdk";
import type { JobHost } from "../../runtimes/job";
import type { Layout } from "../../runtimes/layout";
import { jobHost } from "./image";
import { formerNames } from "./names";

/** The homeserver that jobs use. */
interface JobServer {
  access: Inputs<HomeserverAccess>;
  release: Release;
  layout: pulumi.Output<Layout>;
}

/** Where the jobs of this homeserver run. */
export function jobHostOf(
  { layout }: Pick<JobServer, "layout">,
  { image }: { image: string },
): pulumi.Output<JobHost> {
  return layout.apply((at) => jobHost(image, at));
}

/**
 * The account with which a component's jobs log in. Its password is generated on the host, where only the jobs read it. If the
 * name is taken, the account is reclaimed first, so nobody keeps access to a future admin account.
 */
export function jobAccount(
  host: { name: string },
  { access, release }: Omit<JobServer, "layout">,
  person: { localpart: string; admin: boolean; displayName: string },
  parent: pulumi.Resource,
): Account {
  const name = `account-${person.localpart}`;
  return new Account(
    name,
    { ...access, ...person, deactivated: false, password: { kind: "generated", reclaim: true } },
    { parent, dependsOn: release, aliases: formerNames(host, name) },
  );
}
