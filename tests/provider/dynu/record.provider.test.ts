import type { DnsData } from "../../../provider/contract/dns";
import { type Properties, reveal, toProperties } from "../../../provider/protocol/values";
import { DynuAccount } from "../../../stand-ins/dynu";
import { ProviderClient, type StoredResource } from "../../support/provider-client";
import { failure } from "../../support/release-host";

const URN = "urn:pulumi:test::hearth::hearth-host:index:DnsRecord::home-dns-federation";
const SRV: DnsData = { kind: "SRV", priority: 10, weight: 5, port: 443, target: "m.example.org" };
const NAME = "_matrix-fed._tcp.example.org";
const A: DnsData = { kind: "A", address: "192.0.2.1" };

let dynu: DynuAccount;
let provider: ProviderClient;
let zone: number;

beforeEach(async () => {
  dynu = await DynuAccount.start();
  zone = dynu.addDomain("example.org").id;
  provider = await ProviderClient.start();
});
afterEach(async () => {
  expect(await provider.stop()).toBe(0);
  await dynu.stop();
});

const wanted = (data: DnsData, fields: object = {}): Properties =>
  toProperties({
    ...{ apiUrl: dynu.apiUrl, apiKey: dynu.key, name: NAME, ttl: 300, enabled: true, data },
    ...fields,
  });

/** Inputs as the engine gets them from Check. */
async function checked(data: DnsData, fields: object = {}): Promise<Properties> {
  const { inputs, faults } = await provider.check(URN, wanted(data, fields));
  expect(faults).toEqual([]);
  return inputs;
}

async function create(data: DnsData, fields: object = {}): Promise<StoredResource> {
  return provider.create(URN, await checked(data, fields));
}

async function read(stored: StoredResource): Promise<StoredResource> {
  const found = await provider.read(URN, stored);
  if (found === undefined) throw new Error("it is gone");
  return found;
}

const records = () => dynu.records.get(zone) ?? [];

it.each<[DnsData, object, object]>([
  [
    { kind: "A", address: "192.0.2.1" },
    { name: "m.example.org" },
    { nodeName: "m", ipv4Address: "192.0.2.1" },
  ],
  [{ kind: "AAAA", address: "2001:db8::1" }, { name: "m.example.org" }, { ipv6Address: "2001:db8::1" }],
  [{ kind: "CNAME", target: "m.example.org" }, { name: "www.example.org" }, { host: "m.example.org" }],
  [{ kind: "TXT", text: "v=spf1 -all" }, { name: "example.org" }, { nodeName: "", textData: "v=spf1 -all" }],
  [SRV, {}, { nodeName: "_matrix-fed._tcp", priority: 10, weight: 5, port: 443, host: "m.example.org" }],
])("[H6] makes a record, finds it as it is, and removes it: %j", async (data, fields, made) => {
  const stored = await create(data, fields);
  expect(records()).toMatchObject([{ recordType: data.kind, ttl: 300, state: true, ...made }]);
  expect((await read(stored)).inputs).toEqual(stored.inputs);
  await provider.delete(URN, stored);
  expect(records()).toEqual([]);
});

it("[H6] a preview changes nothing", async () => {
  await provider.create(URN, await checked(SRV), true);
  expect(dynu.changes).toEqual([]);
});

it("[H6] changes in place what can be changed, and creates a new record for another one", async () => {
  const stored = await create(SRV);
  const news = await checked({ ...SRV, port: 8448 }, { ttl: 600 });
  expect(await provider.diff(URN, stored.inputs, news)).toEqual({ "data.port": "UPDATE", ttl: "UPDATE" });
  const updated = await provider.update(URN, stored, news);
  expect(records()).toMatchObject([{ port: 8448, ttl: 600 }]);
  expect((await read(updated)).inputs).toEqual(news);
  const other = await checked(SRV, { name: "_other._tcp.example.org" });
  expect(await provider.diff(URN, stored.inputs, other)).toEqual({ name: "UPDATE_REPLACE" });
});

it("[H6] [A3] shows what somebody changed at Dynu, and fixes it", async () => {
  const stored = await create(SRV);
  Object.assign(records()[0] ?? {}, { port: 1, state: false });
  const seen = await read(stored);
  expect(seen.outputs.drift).toEqual(["switched off by hand", "changed by hand to SRV 10 5 1 m.example.org"]);
  expect(await provider.diff(URN, seen.inputs, stored.inputs)).toEqual({
    "data.port": "UPDATE",
    enabled: "UPDATE",
  });
  const updated = await provider.update(URN, seen, stored.inputs);
  expect(updated.outputs).not.toHaveProperty("drift");
  expect(records()).toMatchObject([{ port: 443, state: true }]);
});

it("[H6] takes one address in two spellings for one", async () => {
  const stored = await create({ kind: "AAAA", address: "2001:DB8:0:0::0001" }, { name: "m.example.org" });
  Object.assign(records()[0] ?? {}, { ipv6Address: "2001:0db8::1" });
  const seen = await read(stored);
  expect(seen.outputs).not.toHaveProperty("drift");
  expect(await provider.diff(URN, seen.inputs, stored.inputs)).toEqual({});
});

it("[H6] knows a record that somebody removed as gone", async () => {
  const stored = await create(SRV);
  records().length = 0;
  expect(await provider.read(URN, stored)).toBeUndefined();
  await provider.delete(URN, stored);
});

it("[H6] takes over the same record made by hand, and leaves it there", async () => {
  dynu.addRecord(zone, { nodeName: "m", recordType: "A", ttl: 60, state: true, ipv4Address: "192.0.2.1" });
  const stored = await create(A, { name: "m.example.org" });
  expect(provider.takeLogs("info").join()).toMatch(/is taken over/);
  expect(records()).toMatchObject([{ ttl: 300 }]);
  await provider.delete(URN, stored);
  expect(records()).toHaveLength(1);
  expect(provider.takeLogs("info").join()).toMatch(/stays at Dynu: it was there before/);
});

it("[H6] leaves a record alone that got another key in the stack file: it is made under the new one first", async () => {
  const old = await create(SRV);
  const renamed = await create(SRV);
  expect(renamed.id).toBe(old.id);
  await provider.delete(URN, old);
  expect(records()).toMatchObject([{ port: 443 }]);
  expect(provider.takeLogs("info").join()).toMatch(/stays at Dynu: another key of the stack file has it now/);
});

it("[H6] leaves it alone also when the run ended between the two, and the last of its keys takes it away", async () => {
  const other = `${URN}-renamed`;
  const old = await create(SRV);
  const renamed = await provider.create(other, await checked(SRV));
  expect(provider.takeLogs("info").join()).not.toMatch(/taken over/);
  expect(await provider.stop()).toBe(0);
  provider = await ProviderClient.start();
  // The engine has every resource read before it changes one.
  await read(old);
  await provider.read(other, renamed);
  await provider.delete(URN, old);
  expect(records()).toMatchObject([{ port: 443 }]);
  await provider.delete(other, renamed);
  expect(records()).toEqual([]);
});

it("[H6] [A5] neither changes nor removes a record that somebody gave another name", async () => {
  const stored = await create(SRV);
  Object.assign(records()[0] ?? {}, { nodeName: "_theirs._tcp" });
  expect(await provider.read(URN, stored)).toBeUndefined();
  await provider.delete(URN, stored);
  expect(records()).toMatchObject([{ nodeName: "_theirs._tcp" }]);
});

it.each<[string, object, RegExp]>([
  [
    "another address of the name",
    { name: "m.example.org" },
    /has another A record at Dynu already \(192\.0\.2\.9\)/,
  ],
  [
    "a domain of somebody else",
    { name: "m.example.net" },
    /m\.example\.net is in no domain of this account at Dynu/,
  ],
  [
    "a whole domain's address",
    { name: "example.org" },
    /is a whole domain at Dynu, whose address is no record/,
  ],
])("[H6] refuses %s, in the preview too", async (_what, fields, message) => {
  dynu.addRecord(zone, { nodeName: "m", recordType: "A", ttl: 60, state: true, ipv4Address: "192.0.2.9" });
  const inputs = await checked(A, fields);
  for (const preview of [true, false]) {
    expect((await failure(provider.create(URN, inputs, preview))).details).toMatch(message);
  }
  expect(dynu.changes).toEqual([]);
});

it("[H6] looks again when Dynu breaks a connection off", async () => {
  const stored = await create(SRV);
  dynu.breaking = 2;
  expect((await read(stored)).inputs).toEqual(stored.inputs);
});

it("[H6] says that Dynu does not answer and what to do", async () => {
  const stored = await create(SRV);
  await dynu.stop();
  expect((await failure(provider.read(URN, stored))).details).toMatch(
    /does not answer: .*\n.*HEARTH_OFFLINE=1/,
  );
  dynu = await DynuAccount.start();
});

it("[A9] a refused key is named in words, never shown, and a new one can be given", async () => {
  const stored = await create(SRV);
  const old = dynu.key;
  dynu.key = "another-key";
  const seen = await read(stored);
  expect(seen.inputs).toEqual(stored.inputs);
  expect(provider.takeLogs("warning").join()).toMatch(/was not looked at.*refuses the API key/);
  const refused = await failure(provider.update(URN, seen, stored.inputs));
  expect(refused.details).toMatch(/refuses the API key.*\n.*npm run pulumi -- config set --secret/);
  expect(refused.details).not.toContain(old);
  const updated = await provider.update(URN, seen, await checked(SRV));
  expect(reveal((await read(updated)).inputs)).toMatchObject({ apiKey: "another-key" });
});

it("[A9] the key stays wrapped in all that the state gets", async () => {
  const stored = await create(SRV);
  const seen = await read(stored);
  for (const { inputs, outputs } of [stored, seen]) {
    expect(JSON.stringify(outputs)).not.toContain(dynu.key);
    const { apiKey, ...rest } = inputs;
    expect(JSON.stringify(rest)).not.toContain(dynu.key);
    expect(apiKey).toMatchObject({ value: dynu.key });
    expect(Object.keys(apiKey as object)).toHaveLength(2);
  }
});

it.each([
  [
    "http://api.example.org/v2",
    /apiUrl: "http:\/\/api\.example\.org\/v2" is not allowed; write an https URL/,
  ],
  ["https://api.example.org/v2/", /apiUrl: .*without a slash/],
])("[A9] sends the key to no %s", async (apiUrl, message) => {
  const { faults } = await provider.check(URN, wanted(SRV, { apiUrl }));
  expect(faults).toEqual([expect.stringMatching(message)]);
  expect(faults.join()).not.toContain(dynu.key);
});
