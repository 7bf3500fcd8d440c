import { memoryBudget } from "../../components/hosts/budget";
import { dnsSchema } from "../../config-schemas/dns/schema";
import { JOB_MIB } from "../../runtimes/job";
import { committedStacks, parsedFixture } from "../fixtures/stacks";
import { changed, fixture } from "../support/program";

const home = () => {
  const stack = committedStacks().find(({ name }) => name === "home");
  if (stack === undefined) throw new Error("there is no Pulumi.home.yaml");
  return stack;
};
const budget = (changes: Record<string, unknown> = {}) =>
  memoryBudget(parsedFixture(changed(home(), changes)).config, "home");
const sum = (uses: Record<string, number>) => Object.values(uses).reduce((total, mib) => total + mib, 0);

test("[H14] every program on the home stack's host counts with its limit, and the sum fits in 4 GB", () => {
  expect(budget()).toEqual({
    synapse: 1024,
    postgres: 512,
    caddy: 128,
    tailscaled: 64,
    jobs: 512,
    "the system itself": 512,
  });
  // The usable memory of a host that is sold with 4 GB.
  expect(sum(budget())).toBeLessThan(3712);
});

test.each([
  ["homeserver.memory", "2G", "synapse", 2048],
  ["postgres.memory", "768M", "postgres", 768],
  ["proxy.memory", "96M", "caddy", 96],
])("[H14] the value of %s counts for %s", (key, size, use, mib) => {
  expect(budget({ [key]: size })).toEqual({ ...budget(), [use]: mib });
});

test("[H14] an absent section needs no memory", () => {
  const { jobs: _, ...others } = budget();
  expect(budget({ inactivity: undefined })).toEqual({ ...others, jobs: 384 });
  expect(budget({ inactivity: undefined, maintenance: undefined })).toEqual(others);
});

test("[H14] every job of a section counts, because a job that waits for another one already has its container", () => {
  const { config } = parsedFixture(home());
  const names = { dynamic: { names: ["home.mywire.org"] } };
  const withDns = (dns: object) =>
    memoryBudget({ ...config, dns: dnsSchema.parse({ host: "home", ...dns }) }, "home").jobs;
  expect([withDns({}), withDns(names)]).toEqual([4 * JOB_MIB, 5 * JOB_MIB]);
  const permanently = {
    "homeserver.retention": undefined,
    "homeserver.media.localLifetime": undefined,
    "homeserver.media.remoteLifetime": undefined,
  };
  expect(budget(permanently).jobs).toBe(3 * JOB_MIB);
});

test("hosts without containers have no limits to add up", () => {
  expect(memoryBudget(parsedFixture(fixture("minimal")).config, "vps")).toEqual({});
});
