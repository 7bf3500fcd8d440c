import type * as pulumi from "@pulumi/pulumi";
import { SYSTEM_PLACES } from "../../runtimes/places";
import { hostPrograms } from "../../runtimes/programs";

const SERVICE = "hosts";

/**
 * What root puts right once, besides packages, so that a user can run containers without root: ids of his own for the users
 * inside them, and a manager of his units that runs from boot on.
 * @param user the login user
 */
export function rootlessRelease<User extends pulumi.Input<string>>(user: User) {
  const program = `${SYSTEM_PLACES.programs(SERVICE)}/rootless.sh`;
  const task = (name: string, want: string) => ({
    observe: ["/bin/sh", program, name, "observe", user],
    apply: ["/bin/sh", program, name, "apply", user],
    want,
  });
  return {
    files: hostPrograms(SERVICE),
    tasks: { subids: task("subids", "enough"), linger: task("linger", "on") },
  };
}
