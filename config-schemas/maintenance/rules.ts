import { INACTIVITY_ACCOUNT } from "../inactivity/schema";
import { parseDuration } from "../language/common";
import type { Path } from "../language/fault";
import { type AnyRule, at, broken, proof, proved, rule } from "../language/rule";
import type { FullStack } from "../stack";
import { MAINTENANCE_ACCOUNT } from "./schema";

const OWN_ACCOUNTS = [MAINTENANCE_ACCOUNT, INACTIVITY_ACCOUNT];
const JOBS = ["maintenance", "inactivity"] as const;

/** Jobs on hosts without containers. */
function nativeJobs(stack: Pick<FullStack, "hosts" | (typeof JOBS)[number]>): Path[] {
  return JOBS.filter((job) => stack.hosts[stack[job]?.host ?? ""]?.runtime === "native").map((job) => [
    job,
    "host",
  ]);
}

/** The sections with jobs, on a host with containers. */
export const jobsInContainers = proof({
  name: "jobs run in containers",
  needs: ["hosts", ...JOBS],
  prove: (stack) => {
    const native = nativeJobs(stack);
    const { maintenance, inactivity } = stack;
    return native.length === 0 ? proved({ maintenance, inactivity }) : broken(...native);
  },
  message: (stack, [job]) =>
    `is ${stack[job as (typeof JOBS)[number]]?.host}, which has \`runtime: native\`, but Hearth runs jobs in containers only`,
  fix: (_stack, [job]) => `write \`runtime: quadlet\` for the host, or remove hearth:${job}`,
});

/** Rules about the jobs that Hearth runs next to the homeserver, and about the cleaning. */
export const maintenanceRules: readonly AnyRule[] = [
  jobsInContainers,
  rule({
    name: "the accounts of jobs belong to Hearth",
    needs: ["accounts"],
    when: ({ accounts }) =>
      OWN_ACCOUNTS.filter((name) => Object.hasOwn(accounts, name)).map((name) => ["accounts", name]),
    message: "is the account of one of Hearth's jobs; Hearth creates it",
    fix: "remove it, or choose another name",
  }),
  rule({
    name: "the cleaning finds media to delete",
    needs: ["homeserver", "maintenance"],
    when: ({ homeserver: { media }, maintenance }) =>
      at(
        maintenance?.remoteMedia !== undefined &&
          media.remoteLifetime !== undefined &&
          parseDuration(maintenance.remoteMedia) >= parseDuration(media.remoteLifetime),
        "maintenance",
        "remoteMedia",
      ),
    message: ({ homeserver: { media }, maintenance }) =>
      `is ${maintenance?.remoteMedia}, but media of other servers are already deleted after ${media.remoteLifetime} (hearth:homeserver.media.remoteLifetime)`,
    fix: "remove it, or raise or remove remoteLifetime",
  }),
];
