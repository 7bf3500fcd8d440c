import fs from "node:fs";
import path from "node:path";
import { parse } from "yaml";
import { type Placement, placeStack } from "../../../sandbox/deploy/stack-file";

const committed = fs.readFileSync(path.resolve(__dirname, "../../../Pulumi.vps.yaml"), "utf8");

const placement: Placement = {
  serverName: "one.test",
  publicHost: "matrix.one.test",
  address: "10.1.2.3",
  sshConfigFile: "/sandbox/ssh/config",
  certificateFile: "/tls/fullchain.pem",
  privateKeyFile: "/tls/privkey.pem",
  network: "10.1.2.0/24",
  partner: { serverName: "two.test", url: "https://matrix.two.test" },
  resolve: { "one.test": "10.1.2.3" },
  caFile: "/sandbox/ca.crt",
  people: { bob: "Bob" },
  verify: true,
};

type Stack = Record<string, Record<string, unknown>>;
const configOf = (text: string): Stack => (parse(text) as { config: Stack }).config;

test("the sandbox runs the committed stack: only addresses, paths, names, keys and users differ from it", () => {
  const [before, after] = [configOf(committed), configOf(placeStack(committed, placement))];
  const differing = Object.keys({ ...before, ...after }).flatMap((section) => {
    const keys = Object.keys({ ...before[section], ...after[section] });
    return keys
      .filter((key) => JSON.stringify(before[section]?.[key]) !== JSON.stringify(after[section]?.[key]))
      .map((key) => `${section} ${key}`);
  });
  expect(differing.sort()).toEqual([
    "hearth:accounts alice",
    "hearth:accounts bob",
    "hearth:certificates certificateFile",
    "hearth:certificates privateKeyFile",
    "hearth:homeserver federation",
    "hearth:homeserver publicHost",
    "hearth:homeserver serverName",
    "hearth:hosts vps",
    "hearth:verification caFile",
    "hearth:verification partner",
    "hearth:verification resolve",
  ]);
});

test("a second placement changes nothing, so that a second quickstart run has nothing to do", () => {
  const once = placeStack(committed, placement);
  expect(placeStack(once, placement)).toBe(once);
});

test("a user's edit of a placed file, and its comments, survive the next run", () => {
  const edited = placeStack(committed, placement).replace(
    "remoteLifetime: 90d",
    "remoteLifetime: 30d # mine",
  );
  expect(placeStack(edited, placement)).toContain("remoteLifetime: 30d # mine");
});

test("the partner replaces the allowlist's servers, otherwise the pair could not federate", () => {
  const { federation } = configOf(placeStack(committed, placement))["hearth:homeserver"] ?? {};
  expect(federation).toEqual({ allowlist: ["two.test"], allowedRanges: ["10.1.2.0/24"] });
});

test("a stack file with two hosts is refused and not placed in part", () => {
  const two = "config:\n  hearth:hosts: { a: { address: a }, b: { address: b } }\n";
  expect(() => placeStack(two, placement)).toThrow("2 hosts");
});

test("a broken stack file is refused with the reason", () => {
  expect(() => placeStack("config: [", placement)).toThrow("not YAML");
});
