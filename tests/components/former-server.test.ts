import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

const SIGNING_KEY = "/etc/hearth/homeserver/secrets/signing.key";
const PROGRAM = join(__dirname, "../../components/homeserver/programs/former_server.sh");

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "hearth-former-"));
});
afterEach(() => rmSync(root, { recursive: true }));

function write(path: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), "x");
}

/** The obstacles: the first part of each line. */
function look(): string[] {
  const { status, stdout, stderr } = spawnSync("sh", [PROGRAM, SIGNING_KEY, root], {
    encoding: "utf8",
  });
  const lines = stdout.split("\n").filter((line) => line !== "");
  expect({ status, stderr }).toEqual({ status: lines.length > 0 ? 1 : 0, stderr: "" });
  return lines.map((line) => {
    const [what = "", fix = ""] = line.split("\t");
    expect(fix).toContain("mkdir -p /root/former-synapse && mv /");
    return what;
  });
}

const left = (folder: string) =>
  `another Synapse has left its key or its data in ${folder}, and no release of Hearth made it`;

describe("[W2] the identity and the data of another Synapse are always reported", () => {
  it("a host without a Synapse, or with a package that never started, has no obstacle", () => {
    expect(look()).toEqual([]);
    write("/etc/matrix-synapse/homeserver.yaml");
    mkdirSync(join(root, "var/lib/matrix-synapse/media"), { recursive: true });
    expect(look()).toEqual([]);
  });

  it.each([
    [
      "the key of a package that was removed",
      "/etc/matrix-synapse/homeserver.signing.key",
      "/etc/matrix-synapse",
    ],
    ["an SQLite database", "/var/lib/matrix-synapse/homeserver.db", "/var/lib/matrix-synapse"],
    ["media", "/var/lib/matrix-synapse/media/local_content", "/var/lib/matrix-synapse"],
    ["a playbook's key", "/matrix/synapse/config/example.org.signing.key", "/matrix/synapse/config"],
    ["a file name with a shell command in it", "/opt/synapse/$(reboot);.signing.key", "/opt/synapse"],
  ])("%s", (_what, path, folder) => {
    write(path);
    expect(look()).toEqual([left(folder)]);
  });

  it("data next to our own key belongs to our server", () => {
    write("/var/lib/matrix-synapse/media/local_content");
    write(SIGNING_KEY);
    expect(look()).toEqual([]);
  });
});
