import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const QUESTION = join(__dirname, "../../components/postgres/programs/questions/clusters.sh");
let root = "";

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "hearth-clusters-"));
});
afterEach(() => rmSync(root, { recursive: true }));

/** A cluster as Debian's packages create it; `databases` are the numbers of its databases' folders. */
function cluster(
  name: string,
  settings: string,
  databases: number[] = [1, 4, 5],
  more: Record<string, string> = {},
) {
  const [etc, data] = [join(root, "etc", name), join(root, "data", name)];
  mkdirSync(join(etc, "conf.d"), { recursive: true });
  writeFileSync(join(etc, "postgresql.conf"), `data_directory = '${data}'\t# where\n${settings}\n`);
  for (const [file, text] of Object.entries(more)) writeFileSync(join(etc, "conf.d", file), text);
  for (const database of databases) mkdirSync(join(data, "base", String(database)), { recursive: true });
}

/** The chosen cluster: major version, name, port, socket directory. `listening`: ports in use. */
function chosen(options: { known?: boolean; listening?: number[] } = {}): string {
  const script = `
# All of it but the last line, which would look at this machine.
eval "$(sed '$d' "$2")"
used_ports() { printf '%s\\n' ${(options.listening ?? []).join(" ")}; }
clusters "$1/etc" "$1/data" | choose_cluster 17 "${options.known ? "example.org" : ""}"
`;
  return execFileSync("dash", ["-c", script, "sh", root, QUESTION], { encoding: "utf8" }).trimEnd();
}

const OURS = { "50-hearth.conf": "include_if_exists '/etc/hearth/postgres/restart.conf'\n" };

describe("[W6] the Postgres cluster of a host", () => {
  it("is created if there is none, on the first unused port", () => {
    expect(chosen()).toBe("17 main 5432 /run/postgresql");
    expect(chosen({ listening: [22, 5432, 5433] })).toBe("17 main 5434 /run/postgresql");
  });

  it("is the packages' cluster if nobody uses it, with its port and its socket", () => {
    cluster("17/main", "port = 5433\nunix_socket_directories = '/var/run/postgresql' # here");
    expect(chosen({ listening: [5432] })).toBe("17 main 5433 /run/postgresql");
    cluster("17/main", "#port = 1\nport=6000", [1], {
      "a.conf": "unix_socket_directories = '/srv/pg, /tmp'\n",
    });
    expect(chosen()).toBe("17 main 6000 /srv/pg");
    cluster("17/main", "unix_socket_directories = ''", [1], {});
    rmSync(join(root, "etc/17/main/conf.d/a.conf"));
    expect(chosen()).toBe("17 main 5432 -");
  });

  it("is never one with a database of others: a new one is created next to it", () => {
    cluster("17/main", "port = 5432", [1, 4, 5, 16384]);
    expect(chosen()).toBe("17 hearth 5433 /run/postgresql");
    cluster("15/main", "port = 5433", [1, 4, 5, 20001]);
    expect(chosen({ listening: [5434] })).toBe("17 hearth 5435 /run/postgresql");
  });

  it("counts as unused if its data directory is missing", () => {
    cluster("15/main", "port = 5432", []);
    expect(chosen()).toBe("15 main 5432 /run/postgresql");
  });

  it("stays the same: on another port, with an older major version, next to a newer cluster", () => {
    cluster("15/main", "port = 5440", [1, 16384], OURS);
    cluster("17/main", "port = 5432");
    expect(chosen()).toBe("15 main 5440 /run/postgresql");
  });

  it("is the one with the standard port on a host that an earlier Hearth has set up", () => {
    cluster("15/main", "port = 5432", [1, 16384]);
    cluster("17/main", "port = 5433");
    expect(chosen({ known: true })).toBe("15 main 5432 /run/postgresql");
  });

  it("is refused if its name, port or path could be misread in a plan", () => {
    cluster("17/main", "port = 99999\nunix_socket_directories = '/run/$(id)'");
    mkdirSync(join(root, "etc/17/$(id)"), { recursive: true });
    writeFileSync(join(root, "etc/17/$(id)/postgresql.conf"), "port = 5432\n");
    expect(chosen()).toBe("17 main 5432 -");
  });
});
