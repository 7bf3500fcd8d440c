import { PROOFS } from "../../config-schemas/model";
import { rules } from "../../config-schemas/rules";
import { BACKUPS } from "./rules/backup";
import { CERTIFICATES } from "./rules/certificates";
import { CONTAINERS } from "./rules/containers";
import { DNS } from "./rules/dns";
import { FEDERATION } from "./rules/federation";
import { FIREWALL } from "./rules/firewall";
import { HOMESERVER } from "./rules/homeserver";
import { HOSTS } from "./rules/hosts";
import { INACTIVITY } from "./rules/inactivity";
import { MAINTENANCE } from "./rules/maintenance";
import { POSTGRES } from "./rules/postgres";
import { PROXY } from "./rules/proxy";
import { REGISTRATION } from "./rules/registration";
import { ROOMS } from "./rules/rooms";
import { TUNNEL } from "./rules/tunnel";
import { WIREGUARD_ROWS } from "./rules/wireguard";
import { faultsOf, stackWith } from "./support";

const ROWS = [
  ...[...HOSTS, ...CONTAINERS, ...REGISTRATION, ...FEDERATION, ...HOMESERVER, ...POSTGRES],
  ...[...CERTIFICATES, ...PROXY, ...TUNNEL, ...WIREGUARD_ROWS, ...DNS, ...FIREWALL],
  ...[...ROOMS, ...MAINTENANCE, ...INACTIVITY, ...BACKUPS],
];

test("every rule has a stack that follows it and one that breaks it", () => {
  expect(ROWS.map((row) => row.rule).sort()).toEqual(rules.map((rule) => rule.name).sort());
});

test("what the model takes from a rule, the rules check too, so that a stack without a model has faults", () => {
  expect(Object.values(PROOFS).filter((proof) => !rules.includes(proof))).toEqual([]);
});

describe.each(ROWS)("$rule", ({ rule, good, bad, says }) => {
  test("follows", () => {
    expect(faultsOf(stackWith(good))).toEqual([]);
  });
  test("breaks, with exactly this message", () => {
    expect(faultsOf(stackWith(bad))).toEqual(says);
    expect(rules.filter((one) => one.name === rule)).toHaveLength(1);
  });
});
