import { downHost, type Host, upHost } from "../../sandbox";
import { ok, sh } from "../support/host-programs";
import { DEBIAN_12, fixture } from "../support/program";
import { changesOf, RealReleases } from "../support/real-release";

// The older distribution has Postgres 15, Python 3.11, systemd 252 and nginx 1.22: the whole deployment once.
const NAME = `bookworm-${process.pid}`;
const ORDER = ["certificates", "postgres", "homeserver", "proxy"];
let host: Host;
let releases: RealReleases;

beforeAll(async () => {
  host = await upHost({ name: NAME, suite: "bookworm" });
  releases = new RealReleases(host, DEBIAN_12);
  for (const name of ORDER) ok(await releases.apply(fixture("minimal"), name));
});
afterAll(() => downHost(NAME));

it("[V1] runs the pinned Synapse behind nginx, on a database of its own", async () => {
  const get = "curl -sSk --resolve matrix.example.org:443:127.0.0.1 https://matrix.example.org";
  expect(JSON.parse(await sh(host, `${get}/_matrix/client/versions`)).versions).toContain("v1.11");
  expect(await sh(host, "curl -sS http://127.0.0.1:8008/_synapse/admin/v1/server_version")).toContain(
    "1.163.2",
  );
  const connections = "SELECT datname FROM pg_stat_activity WHERE usename = 'matrix-synapse' LIMIT 1";
  expect(await sh(host, `cd / && runuser -u postgres -- psql -XAtc "${connections}"`)).toBe("synapse");
});

it("[V2] has the collation that Synapse needs, and the computed settings", async () => {
  const facts = "SELECT datcollate, datctype, datlocprovider FROM pg_database WHERE datname = 'synapse'";
  expect(await sh(host, `cd / && runuser -u postgres -- psql -XAtc "${facts}"`)).toBe("C|C|c");
  expect(await sh(host, "cd / && runuser -u postgres -- psql -XAtc 'SHOW shared_buffers'")).toBe("976MB");
});

it("[A1] a second apply changes nothing", async () => {
  for (const name of ORDER.filter((each) => each !== "certificates")) {
    expect([name, changesOf(ok(await releases.apply(fixture("minimal"), name)))]).toEqual([name, []]);
  }
});
