import type { HostFacts } from "../../components/hosts/facts";
import type { VerificationInputs } from "../../provider/contract/matrix";
import { downHost, type Host, upHost } from "../../sandbox";
import { factsOf } from "../support/host-facts";
import { ok, sh } from "../support/host-programs";
import { changed, DEBIAN_12, fixture, runProgram } from "../support/program";
import { changesOf, RealReleases } from "../support/real-release";
import { AT_SYNAPSE } from "../support/synapse-socket";

// The whole deployment once on the older distribution: Postgres 15, Python 3.11, systemd 252, nginx 1.22 and nftables 1.0.6.
const NAME = `bookworm-${process.pid}`;
const STACK = changed(fixture("minimal"), { firewall: { host: "vps" } });
const ORDER = ["certificates", "postgres", "homeserver", "proxy", "firewall"];
const HOSTILE = `
echo LANG=xx_YY.UTF-8 >/etc/default/locale
systemd-run --quiet --unit=holder systemd-socket-activate --listen=127.0.0.1:5432 /bin/cat
until grep -q ':1538 ' /proc/net/tcp; do sleep 0.1; done
`;
const PSQL = "cd / && runuser -u postgres -- psql -p 5433 -XAtc";
let host: Host;
let releases: RealReleases;
let hostFacts: HostFacts;

beforeAll(async () => {
  host = await upHost({ name: NAME, suite: "bookworm" });
  // Debian's packages create no cluster here, because of a missing locale, and another program has port 5432.
  await sh(host, HOSTILE);
  const { memoryMiB, cores } = DEBIAN_12;
  hostFacts = { ...(await factsOf(host)), memoryMiB, cores };
  expect(hostFacts).toEqual({
    ...DEBIAN_12,
    systemd: expect.any(Number),
    postgresCluster: { name: "main", port: 5433, socket: "/run/postgresql" },
  });
  releases = new RealReleases(host, hostFacts);
  for (const name of ORDER) ok(await releases.apply(STACK, name));
});
afterAll(() => downHost(NAME));

it("[V1] runs the pinned Synapse behind nginx, with its own database", async () => {
  const get = "curl -sSk --resolve matrix.example.org:443:127.0.0.1 https://matrix.example.org";
  expect(JSON.parse(await sh(host, `${get}/_matrix/client/versions`)).versions).toContain("v1.11");
  expect(await sh(host, `curl -sS ${AT_SYNAPSE}/_synapse/admin/v1/server_version`)).toContain("1.163.2");
  const connections = "SELECT datname FROM pg_stat_activity WHERE usename = 'matrix-synapse' LIMIT 1";
  expect(await sh(host, `${PSQL} "${connections}"`)).toBe("synapse");
});

it("[W5] [W6] has a cluster that Hearth created, next to the program that has Postgres' port", async () => {
  expect(await sh(host, "pg_lsclusters --no-header | awk '{ print $1, $2, $3, $4 }'")).toBe(
    "15 main 5433 online",
  );
  expect(await sh(host, "systemctl is-active holder")).toBe("active");
  expect(await sh(host, "grep -A 12 ^database: /etc/hearth/homeserver/homeserver.yaml")).toContain(
    "port: 5433",
  );
});

it("[W6] [V13] the checks query this cluster, not the one that psql uses by default", async () => {
  const { resources } = await runProgram(fixture("full"), hostFacts);
  const checks = resources.find(({ type }) => type.endsWith(":Verification"));
  if (checks === undefined) throw new Error("no checks");
  const { console } = checks.inputs.database as VerificationInputs["database"];
  expect(await sh(host, `cd / && ${console.join(" ")} -XAtc 'SHOW port'`)).toBe("5433");
});

it("[V2] has the collation that Synapse needs, and the computed settings", async () => {
  const facts = "SELECT datcollate, datctype, datlocprovider FROM pg_database WHERE datname = 'synapse'";
  expect(await sh(host, `${PSQL} "${facts}"`)).toBe("C|C|c");
  expect(await sh(host, `${PSQL} 'SHOW shared_buffers'`)).toBe("976MB");
});

it("[A1] a second apply changes nothing", async () => {
  for (const name of ORDER.filter((each) => each !== "certificates")) {
    expect([name, changesOf(ok(await releases.apply(STACK, name)))]).toEqual([name, []]);
  }
});

it("[V11] has the firewall, whose rules this version of nftables reads and shows alike", async () => {
  const table = await sh(host, "nft -s list table inet hearth");
  expect(table).toMatch(/policy drop;/);
  expect(table).toMatch(/tcp dport \{ 80, 443, 8448 \} accept/);
  expect(table).toMatch(/"docker\*"/);
});
