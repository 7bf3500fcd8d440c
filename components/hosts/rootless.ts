import type * as pulumi from "@pulumi/pulumi";
import { SYSTEM_PLACES } from "../../runtimes/places";
import { hostPrograms } from "../../runtimes/programs";

const SERVICE = "hosts";

/**
 * The settings, in addition to packages, that root makes once so that a user can run rootless containers: subordinate ids for
 * the users inside them, and a systemd manager for the user's units that starts at boot.
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
