import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { Dns, recordInputs } from "../../components/dns";
import { dynamicDnsSpec } from "../../components/dns/spec";
import { Machine } from "../../components/hosts";
import { dnsSchema } from "../../config-schemas/dns/schema";
import { GivenSecret } from "../../config-schemas/given-secrets";
import { hostsSchema } from "../../config-schemas/hosts/schema";
import { userPlaces } from "../../runtimes/places";
import { DynuAccount } from "../../stand-ins/dynu";
import { DEBIAN_13 } from "../support/program";
import { containerLayout, inContainers, jobHostOf } from "../support/rendered";

const PROGRAM = resolve(__dirname, "../../components/dns/programs/dynamic.py");
const IMAGE = "ghcr.io/x/y:1";
const LOGIN = { user: "alice", group: "alice", uid: 1000, home: "/home/alice" };
const DOMAIN = "alice.mywire.org";

let dynu: DynuAccount;
let folder: string;

beforeEach(async () => {
  dynu = await DynuAccount.start();
  folder = mkdtempSync(join(tmpdir(), "hearth-dns-"));
  writeFileSync(join(folder, "key"), `${dynu.key}\n`, { mode: 0o600 });
});
afterEach(async () => {
  await dynu.stop();
  rmSync(folder, { recursive: true });
});

/** One run of the client. */
function run(
  names: string[],
  kinds: ("ipv4" | "ipv6")[] = ["ipv4"],
): Promise<{ status: number; said: string }> {
  const urls = kinds.flatMap((kind) => [`--${kind}`, dynu.addressUrl(kind)]);
  const options = ["-B", PROGRAM, "--api", dynu.apiUrl, "--key-file", join(folder, "key"), ...urls, ...names];
  return new Promise((done) => {
    execFile("python3", options, (error, stdout, stderr) => {
      done({ status: error === null ? 0 : Number(error.code), said: stdout + stderr });
    });
  });
}

describe("[H6] the client of dynamic DNS", () => {
  it("sets a domain to the address that Dynu sees, and changes nothing if it is already correct", async () => {
    const domain = dynu.addDomain(DOMAIN, {
      ipv4Address: "8.8.4.4",
      ttl: 90,
      ipv4WildcardAlias: true,
      group: "g",
    });
    expect(await run([DOMAIN])).toEqual({ status: 0, said: `${DOMAIN} A 93.184.216.34 (was 8.8.4.4)\n` });
    expect(domain).toMatchObject({
      ipv4Address: "93.184.216.34",
      ttl: 90,
      ipv4WildcardAlias: true,
      group: "g",
    });
    const before = dynu.changes.length;
    expect(await run([DOMAIN])).toEqual({ status: 0, said: "nothing to change\n" });
    expect(dynu.changes).toHaveLength(before);
  });

  it("changes the record of a name in a domain, and keeps its other values", async () => {
    const { id } = dynu.addDomain(DOMAIN);
    const old = {
      nodeName: "home",
      recordType: "A",
      ttl: 30,
      state: true,
      group: "g",
      ipv4Address: "8.8.4.4",
    };
    const record = dynu.addRecord(id, old);
    dynu.addRecord(id, { ...old, nodeName: "other" });
    expect(await run([`home.${DOMAIN}`])).toMatchObject({ status: 0 });
    expect(record).toMatchObject({ ...old, ipv4Address: "93.184.216.34" });
    expect(dynu.records.get(id)).toHaveLength(2);
    expect(dynu.changes).toHaveLength(1);
  });

  it("creates the missing record of a name, for both kinds of address", async () => {
    const { id } = dynu.addDomain(DOMAIN);
    const { status, said } = await run([`home.${DOMAIN}`], ["ipv4", "ipv6"]);
    expect(status).toBe(0);
    expect(said).toMatch(/A 93\.184\.216\.34 \(was none\).*AAAA 2606:[^ ]+ \(was none\)/);
    expect(dynu.records.get(id)).toMatchObject([
      { nodeName: "home", recordType: "A", ipv4Address: "93.184.216.34", state: true },
      { nodeName: "home", recordType: "AAAA", ipv6Address: "2606:2800:220:1:248:1893:25c8:1946" },
    ]);
    expect((await run([`home.${DOMAIN}`], ["ipv4", "ipv6"])).said).toBe("nothing to change\n");
  });

  it("recognizes the same IPv6 address in another notation", async () => {
    dynu.addDomain(DOMAIN, { ipv6: true, ipv6Address: "2606:2800:0220:0001:0248:1893:25C8:1946" });
    expect((await run([DOMAIN], ["ipv6"])).said).toBe("nothing to change\n");
  });

  it("continues with the other names when one fails, logs one line, and ends with status 1", async () => {
    const domain = dynu.addDomain(DOMAIN);
    const { status, said } = await run(["bob.example.org", DOMAIN]);
    expect(status).toBe(1);
    expect(said).toMatch(
      /^bob\.example\.org A: Dynu answers .* 501 \(Argument Exception: Invalid\.\); alice.* A 93.*\n$/,
    );
    expect(said.trimEnd()).not.toContain("\n");
    expect(domain.ipv4Address).toBe("93.184.216.34");
  });

  it.each<[string, string, ("ipv4" | "ipv6")?]>([
    ["192.168.1.7", "no public address"],
    ["100.64.3.2", "no public address"],
    ["<html>busy</html>", "without an address"],
    ["224.0.0.251", "no public address"],
    ["fec0::7", "no public address", "ipv6"],
    ["fd00::7", "no public address", "ipv6"],
  ])("changes nothing if the answer with the address is %s", async (address, reason, kind = "ipv4") => {
    dynu.addDomain(DOMAIN);
    dynu[kind === "ipv6" ? "address6" : "address"] = address;
    const { status, said } = await run([DOMAIN], [kind]);
    expect(status).toBe(1);
    expect(said).toContain(reason);
    expect(dynu.changes).toEqual([]);
  });

  it("changes nothing if a name has several addresses", async () => {
    const { id } = dynu.addDomain(DOMAIN);
    const record = { nodeName: "home", recordType: "A", ttl: 30, state: true };
    dynu.addRecord(id, { ...record, ipv4Address: "8.8.8.8" });
    dynu.addRecord(id, { ...record, ipv4Address: "8.8.4.4" });
    expect((await run([`home.${DOMAIN}`])).said).toMatch(/there are 2 A records: remove all but one/);
    expect(dynu.changes).toEqual([]);
  });

  it("[A9] logs the fix for a refused key, and never the key", async () => {
    dynu.addDomain(DOMAIN);
    dynu.key = "another";
    const { status, said } = await run([DOMAIN]);
    expect(status).toBe(1);
    expect(said).toMatch(/refuses the API key \(Authentication Exception.*set hearth:secrets\.dynu\.apiKey/);
    expect(said).not.toContain("dynu-stand-in-key");
  });

  it("[A9] never shows an invalid key, for example one with a line break", async () => {
    dynu.addDomain(DOMAIN);
    writeFileSync(join(folder, "key"), "planted-key\nmore\n");
    const { status, said } = await run([DOMAIN]);
    expect(status).toBe(1);
    expect(said).toMatch(/^the API key has a line break.*set hearth:secrets\.dynu\.apiKey\n$/);
    expect(dynu.requests).toEqual([]);
  });

  it("reads no address from an error answer", async () => {
    dynu.addDomain(DOMAIN);
    dynu.addressStatus = 503;
    const { status, said } = await run([DOMAIN]);
    expect(status).toBe(1);
    expect(said).toMatch(/checkip-ipv4 answers 503 instead of an address/);
    expect(dynu.changes).toEqual([]);
  });

  it("logs in one line that Dynu does not answer", async () => {
    dynu.addDomain(DOMAIN);
    dynu.breaking = 9;
    const { status, said } = await run([DOMAIN]);
    expect(status).toBe(1);
    expect(said).toMatch(/does not answer/);
    expect(said).not.toContain("Traceback");
  });
});

describe("[H6] the job", () => {
  const places = userPlaces(LOGIN);
  const { dynamic, apiUrl } = dnsSchema.parse({
    host: "home",
    dynamic: { names: ["a.mywire.org", "b.mywire.org"], ipv6: true },
  });
  if (dynamic === undefined) throw new Error("no dynamic DNS");
  const apiKey = pulumi.output("planted");
  const spec = dynamicDnsSpec({ dynamic, apiUrl, apiKey }, jobHostOf(places, IMAGE));
  const { files, units } = inContainers(places, spec);
  const text = (name: string) =>
    Object.entries(files).find(([path]) => path.endsWith(name))?.[1].content ?? "";

  it("runs soon after boot and then every interval", () => {
    expect(text("hearth-dns.timer")).toMatch(/^OnBootSec=30$/m);
    expect(text("hearth-dns.timer")).toMatch(/^OnUnitInactiveSec=600$/m);
    expect(units).toMatchObject({ "hearth-dns.timer": { enabled: true, state: "running" } });
  });

  it("[A9] has the key as a Podman secret and not in its command", () => {
    const container = text("hearth-dns.container");
    expect(container).toContain(`Secret=hearth-dynu-key,type=mount,target=dynu_key`);
    expect(container.replaceAll(" \\\n  ", " ")).toMatch(
      /^Exec=.* --key-file \/run\/secrets\/dynu_key .* a\.mywire\.org b\.mywire\.org$/m,
    );
    expect(container).toMatch(/^Network=pasta$/m);
  });
});

it("[H6] a record of the stack file becomes the inputs of its resource", () => {
  const { records } = dnsSchema.parse({
    host: "home",
    records: {
      federation: {
        type: "SRV",
        name: "_matrix-fed._tcp.example.org",
        port: 443,
        target: "m.example.org",
        ttl: "1h",
      },
    },
  });
  expect(Object.values(records).map(recordInputs)).toEqual([
    {
      ...{ name: "_matrix-fed._tcp.example.org", ttl: 3600, enabled: true },
      data: { kind: "SRV", priority: 10, weight: 5, port: 443, target: "m.example.org" },
    },
  ]);
});

it("[H6] [A9] only the records and the client have the key, as a secret", async () => {
  const created: Record<string, Record<string, unknown>> = {};
  await pulumi.runtime.setMocks({
    call: () => ({}),
    newResource: ({ type, name, inputs }) => {
      created[name] = inputs;
      return { id: name, state: type.endsWith(":Host") ? { facts: { ...DEBIAN_13, login: LOGIN } } : {} };
    },
  });
  const hosts = hostsSchema.parse({
    home: { address: "home", user: "alice", become: "sudo", runtime: "quadlet" },
  });
  if (hosts.home === undefined) throw new Error("no host");
  const machine = new Machine("home", {
    config: hosts.home ?? hosts.none!,
    projectDirectory: "/",
    memory: {},
  });
  const { dynamic, ...config } = dnsSchema.parse({
    host: "home",
    dynamic: { names: ["home.mywire.org"] },
    records: { note: { type: "TXT", name: "mywire.org", text: "x" } },
  });
  if (dynamic === undefined) throw new Error("no dynamic DNS");
  const homeserver = { layout: machine.places.apply((places) => containerLayout(places)) };
  const wanted = { ...config, dynamic: { ...dynamic, image: IMAGE }, apiKey: new GivenSecret("planted") };
  new Dns("home-dns", { config: wanted, machine, homeserver });
  await pulumi.runtime.disconnect();
  expect(Object.keys(created)).toEqual(expect.arrayContaining(["home-dns", "home-dns-note"]));
  expect(created["home-dns"]).toMatchObject({ scope: "user", release: "dns", images: [IMAGE] });
  for (const name of ["home-dns", "home-dns-note"]) {
    const clear = JSON.stringify(created[name], (key, value) =>
      key === "apiKey" || key === "containerSecrets" ? undefined : value,
    );
    expect(clear).not.toContain("planted");
    expect(JSON.stringify(created[name])).toContain("planted");
  }
});
