import fs from "node:fs/promises";
import path from "node:path";
import { downHost } from "../../sandbox";
import { IMAGE_NAMES, prepareImages } from "../../sandbox/containers";
import { type HomeHost, homeHostWithoutPodman } from "../support/home-host";

/** The stand-ins behave like the official images where Hearth relies on them; otherwise other tests would prove nothing. */

const [SYNAPSE, OLDER_SYNAPSE, POSTGRES, CADDY] = IMAGE_NAMES as [string, string, string, string];
const PASSWORD = "planted-database-password";

/** The same limits as Hearth's containers: an unprivileged user, mapped to the login user, and nothing writable. */
const confined = (uid: number): string =>
  `--userns=keep-id:uid=${uid},gid=${uid} --user=${uid}:${uid} --read-only --cap-drop=all --security-opt=no-new-privileges`;

const name = `img-${process.pid}`;
let home: HomeHost;

beforeAll(async () => {
  home = await homeHostWithoutPodman(name);
  // Containers outlive the logins that start them.
  await home.root("loginctl enable-linger debian");
});

afterAll(() => downHost(name));

/** Waits until shell text succeeds for debian; throws with its last error after 60 s. */
async function until(text: string): Promise<string> {
  return home.sh(
    `for try in $(seq 120); do said=$({ ${text}; } 2>&1) && { echo "$said"; exit; }; sleep 0.5; done; echo "$said" >&2; exit 1`,
  );
}

/** The output and the exit code of shell text that must fail. */
const refused = (text: string): Promise<string> =>
  home.sh(`if said=$({ ${text}; } 2>&1); then echo "it did not fail: $said"; else echo "exit $?: $said"; fi`);

test("images are in debian's store before Podman is installed, and it finds them pulled, without traces of the build", async () => {
  expect(await home.sh("command -v podman || echo none")).toBe("none");
  await prepareImages(home.host);
  const listed = await home.sh("podman images --all --format '{{.Repository}}:{{.Tag}}' 2>&1");
  expect(listed.split("\n").sort()).toEqual([...IMAGE_NAMES].sort());
});

test("a store with contents is never replaced", async () => {
  const mark = path.join(home.host.root, "home/debian/.local/share/containers/storage/hearth-sandbox-build");
  const text = await fs.readFile(mark);
  await prepareImages(home.host);
  await fs.rm(mark);
  await expect(prepareImages(home.host)).rejects.toThrow("has other contents");
  await fs.writeFile(mark, text);
});

describe("Postgres", () => {
  beforeAll(async () => {
    await home.sh("mkdir -p postgres first-start && podman secret create password -", PASSWORD);
    await home.sh("cat >first-start/table.sql", "CREATE TABLE seeded (number int);");
    await home.sh("cat >first-start/words.sh", `echo "SELECT 'run as uid ' || $(id -u)" >/tmp/words`);
    const locale = "--encoding=UTF8 --locale-provider=libc --lc-collate=C --lc-ctype=C --auth=scram-sha-256";
    await home.sh(`podman run --detach --name postgres --network=none ${confined(999)} \
      --volume socket:/var/run/postgresql --volume ~/postgres:/var/lib/postgresql/data \
      --volume ~/first-start:/docker-entrypoint-initdb.d:ro --secret password,uid=999,gid=999,mode=0400 \
      --env POSTGRES_PASSWORD_FILE=/run/secrets/password --env POSTGRES_USER=synapse \
      --env POSTGRES_INITDB_ARGS='${locale}' ${POSTGRES}`);
    await until(
      `podman logs postgres 2>&1 | grep "init process complete" && podman exec postgres pg_isready`,
    );
  });

  const ask = (query: string) =>
    home.sh(`podman exec --env PGPASSWORD=${PASSWORD} --interactive postgres psql -U synapse -At`, query);

  test("is confined, and its files belong to the login user", async () => {
    expect(await home.sh("podman exec postgres id -u")).toBe("999");
    expect(await home.sh("stat -c '%U %a' postgres/PG_VERSION postgres")).toBe("debian 600\ndebian 700");
  });

  test("sorts as configured, names the database after the user, and requires the password on its socket", async () => {
    expect(await ask("SELECT datcollate, datctype FROM pg_database WHERE datname = 'synapse'")).toBe("C|C");
    expect(await ask("SELECT count(*) FROM seeded")).toBe("0");
    expect(await home.sh("podman exec postgres cat /tmp/words")).toContain("run as uid ' || 999");
    const without = await refused("podman exec postgres psql -U synapse -w -c 'SELECT 1'");
    expect(without).toContain("no password supplied");
  });

  test("sorts as en_US by default", async () => {
    const database = "podman exec plain psql -U postgres -Atc";
    await home.sh(`podman run --detach --name plain --env POSTGRES_PASSWORD=any ${POSTGRES}`);
    await until(`podman logs plain 2>&1 | grep "init process complete" && podman exec plain pg_isready`);
    expect(await until(`${database} 'SELECT datcollate FROM pg_database WHERE oid = 1'`)).toBe("en_US.utf8");
    // Started as root, it drops to its own user.
    expect(await home.sh("podman exec plain stat -c %U /proc/1")).toBe("postgres");
    await home.sh("podman rm --force --volumes plain");
  });

  test("refuses a first start without a password", async () => {
    const said = await refused(`podman run --rm ${POSTGRES}`);
    expect(said).toMatch(/^exit 1: .*POSTGRES_PASSWORD/);
  });
});

describe("Synapse", () => {
  const configuration = {
    server_name: "home.test",
    report_stats: false,
    signing_key_path: "/data/signing.key",
    media_store_path: "/data/media",
    pid_file: "/data/pid",
    macaroon_secret_key: "planted-macaroon",
    trusted_key_servers: [],
    listeners: [
      {
        port: 8008,
        type: "http",
        bind_addresses: ["0.0.0.0"],
        resources: [{ names: ["client", "federation"] }],
      },
    ],
    database: {
      name: "psycopg2",
      args: {
        host: "/var/run/postgresql",
        user: "synapse",
        dbname: "synapse",
        passfile: "/run/secrets/passfile",
      },
    },
  };
  const start = (image: string) =>
    home.sh(`podman run --replace --detach --name synapse ${confined(991)} --publish 127.0.0.1:8008:8008 \
      --volume socket:/var/run/postgresql --volume ~/synapse:/data --volume ~/configuration:/etc/hearth:ro \
      --secret passfile,uid=991,gid=991,mode=0400 --entrypoint python ${image} \
      -m synapse.app.homeserver --config-path /etc/hearth/homeserver.yaml`);
  const version = () =>
    until("podman exec synapse curl -fsS http://127.0.0.1:8008/_matrix/federation/v1/version");

  beforeAll(async () => {
    await home.sh(
      "mkdir -p synapse configuration && cat >configuration/homeserver.yaml",
      JSON.stringify(configuration),
    );
    await home.sh("podman secret create passfile -", `*:*:*:synapse:${PASSWORD}\n`);
    const keys = `podman run --rm --network=none ${confined(991)} --volume ~/synapse:/data --entrypoint python ${SYNAPSE}`;
    await home.sh(`${keys} -m synapse._scripts.generate_signing_key --output_file /data/signing.key`);
  });

  test("serves a configuration like Hearth's in both releases, with Postgres over the shared socket", async () => {
    await start(OLDER_SYNAPSE);
    expect(JSON.parse(await version())).toEqual({ server: { name: "Synapse", version: "1.162.0" } });
    await start(SYNAPSE);
    expect(JSON.parse(await version())).toEqual({ server: { name: "Synapse", version: "1.163.2" } });
    expect(await home.sh("podman exec synapse id -u")).toBe("991");
    // The image contains its own health check, which Podman runs.
    await home.sh("podman healthcheck run synapse");
    await home.sh("podman rm --force synapse");
  });

  test("start.py generates a configuration, gives /data to the user of Synapse, and runs it", async () => {
    const container =
      "podman run --volume generated:/data --env SYNAPSE_SERVER_NAME=other.test --env SYNAPSE_REPORT_STATS=no";
    await home.sh(`${container} --rm ${SYNAPSE} generate`);
    await home.sh(`${container} --detach --name generated ${SYNAPSE}`);
    const health = "podman exec generated curl -fsS http://127.0.0.1:8008/health";
    expect(await until(health)).toBe("OK");
    expect(await home.sh("podman exec generated stat -c '%u:%g' /data/homeserver.db /proc/1")).toBe(
      "991:991\n991:991",
    );
    await home.sh("podman rm --force generated");
  });

  test("start.py creates a configuration from an older image's environment, for the given user", async () => {
    const container = "podman run --rm --env UID=1234 --env GID=1235 --volume migrated:/data";
    await home.sh(
      `${container} --env SYNAPSE_SERVER_NAME=old.test --env SYNAPSE_REPORT_STATS=no ${SYNAPSE} migrate_config`,
    );
    const look = `--entrypoint stat ${SYNAPSE} -c '%u:%g %a' /data/homeserver.yaml`;
    expect(await home.sh(`${container} ${look}`)).toBe("1234:1235 600");
  });

  test("start.py refuses to run without a configuration, and an unknown mode", async () => {
    const container = `podman run --rm ${SYNAPSE}`;
    expect(await refused(container)).toContain("exit 2: Config file '/data/homeserver.yaml' does not exist");
    expect(await refused(`${container} serve`)).toContain("exit 2: Unknown execution mode 'serve'");
  });
});

describe("Caddy", () => {
  const ports = "--cap-add=CAP_NET_BIND_SERVICE";

  test("is the release of its tag, and serves its default page on port 80", async () => {
    expect(await home.sh(`podman run --rm ${CADDY} caddy version`)).toMatch(/^v2\.10\.2 /);
    await home.sh(`podman run --detach --name caddy ${CADDY}`);
    expect(
      await until(
        "podman exec caddy bash -c 'exec 3<>/dev/tcp/127.0.0.1/80; printf \"GET / HTTP/1.0\\r\\n\\r\\n\" >&3; cat <&3'",
      ),
    ).toContain("Caddy works");
    await home.sh("podman rm --force caddy");
  });

  test("needs the capability to listen on low ports in its bounding set, and no other capability", async () => {
    const command = `${CADDY} caddy validate --config /etc/caddy/Caddyfile --adapter caddyfile`;
    expect(await refused(`podman run --rm ${confined(1000)} ${command}`)).toContain(
      "Operation not permitted",
    );
    expect(await home.sh(`podman run --rm ${confined(1000)} ${ports} ${command} 2>&1`)).toContain(
      "Valid configuration",
    );
  });
});
