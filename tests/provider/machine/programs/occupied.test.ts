import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { kernelAddress } from "../../../../provider/machine/release/ports";

const PROGRAMS = join(__dirname, "../../../../provider/machine/programs/lib");

/** What systemd says of the units of a host, one file a unit. */
const SYSTEMCTL = `#!/bin/sh
for name; do :; done
case $1 in
  show) if [ -f "$UNITS/$name" ]; then cat "$UNITS/$name"; else echo LoadState=not-found; fi ;;
  list-sockets) cat "$UNITS/sockets" 2>/dev/null ;;
esac
`;

/** The programs on this machine, with a request, records and units of a test's own. */
class Look {
  readonly folder = mkdtempSync(join(tmpdir(), "hearth-occupied-"));

  constructor() {
    for (const name of ["request/argv", "request/preflight", "work", "state/releases", "units"])
      mkdirSync(join(this.folder, name), { recursive: true });
    this.write("systemctl", SYSTEMCTL);
    chmodSync(join(this.folder, "systemctl"), 0o755);
    this.write("work/units", "");
    this.write("manifest", "");
  }

  write(name: string, text: string): void {
    mkdirSync(dirname(join(this.folder, name)), { recursive: true });
    writeFileSync(join(this.folder, name), text);
  }

  /** Rows of the answer: text and fix of each obstacle. */
  obstacles(): { text: string; fix: string }[] {
    const script = `set -eu; DIR=$1; . "$2/base.sh"; . "$2/pm-apt.sh"; . "$2/occupied.sh"; WORK=$DIR/work STATE=$DIR/state SYSTEMCTL=$DIR/systemctl
      recorded=$DIR/manifest; UNITS=$DIR/units; export UNITS; report_obstacles`;
    const text = execFileSync("sh", ["-c", script, "sh", this.folder, PROGRAMS], { encoding: "utf8" });
    const rows = text.split("\n").filter((line) => line !== "");
    return rows.map((line) => {
      const [kind, what = "", fix = ""] = line.split("\t");
      expect(kind).toBe("obstacle");
      return { text: what, fix };
    });
  }

  texts(): string[] {
    return this.obstacles().map(({ text }) => text);
  }
}

let look: Look;
beforeEach(() => {
  look = new Look();
});
afterEach(() => rmSync(look.folder, { recursive: true }));

describe("[W2] a unit that no release made", () => {
  const UNIT = "matrix-synapse.service";
  const OURS = "/etc/systemd/system/matrix-synapse.service";
  const unit = (name: string, fragment: string, active = "active", enabled = "enabled") =>
    look.write(
      `units/${name}`,
      `LoadState=loaded\nActiveState=${active}\nUnitFileState=${enabled}\nFragmentPath=${fragment}\nSourcePath=\n`,
    );
  const wants = (name: string) => look.write("request/units", `${name}\t1\trunning\n`);
  const brings = (path: string, sum = "0".repeat(64)) =>
    look.write("request/files", `0\t${path}\t0644\troot\troot\t${sum}\n`);

  beforeEach(() => wants(UNIT));

  it("is none on a fresh host", () => {
    brings(OURS);
    expect(look.texts()).toEqual([]);
  });

  it.each([
    ["that runs", "/usr/lib/systemd/system/matrix-synapse.service", "active", "enabled", "active, enabled"],
    ["that is only enabled", "/srv/matrix-synapse.service", "inactive", "enabled", "inactive, enabled"],
    ["that is only there", OURS, "failed", "disabled", "failed"],
  ])("%s is in the way of one whose file the release brings", (_what, fragment, active, enabled, words) => {
    brings(OURS);
    unit(UNIT, fragment, active, enabled);
    const [found] = look.obstacles();
    expect(found?.text).toBe(
      `${UNIT} is on this host already, and no release of Hearth made it: ${fragment}, ${words}`,
    );
    expect(found?.fix).toContain(`disable --now ${UNIT}`);
  });

  it("is not when a release has it, nor when it is, byte for byte, what Hearth writes", () => {
    brings(OURS);
    unit(UNIT, OURS);
    look.write("state/releases/homeserver/manifest", `unit\t${UNIT}\t1\trunning\tnotify\n`);
    expect(look.texts()).toEqual([]);
    look.write("state/releases/homeserver/manifest", "");
    const own = join(look.folder, "systemd/system/matrix-synapse.service");
    look.write("systemd/system/matrix-synapse.service", "ours\n");
    brings(own, execFileSync("sha256sum", [own], { encoding: "utf8" }).slice(0, 64));
    unit(UNIT, own);
    expect(look.texts()).toEqual([]);
    look.write("systemd/system/matrix-synapse.service", "theirs\n");
    expect(look.texts()).toHaveLength(1);
  });

  it("is in the way by the Quadlet file that it is made of, too", () => {
    wants("hearth-x.service");
    brings("/home/anna/.config/containers/systemd/hearth-x.container");
    unit("hearth-x.service", "/run/user/1000/systemd/generator/hearth-x.service", "inactive", "generated");
    expect(look.texts()).toHaveLength(1);
  });

  it.each([
    ["active", "disabled", 1],
    ["inactive", "enabled", 1],
    ["inactive", "disabled", 0],
  ])(
    "of a package that the release uses is in the way when in service: %s and %s",
    (active, enabled, count) => {
      unit(UNIT, "/usr/lib/systemd/system/matrix-synapse.service", active, enabled);
      expect(look.texts()).toHaveLength(count);
      // Unless the release says that such a one may be taken over, and has preflights for what it may not.
      look.write("request/adopted", `${UNIT}\n`);
      expect(look.texts()).toEqual([]);
    },
  );
});

describe("[W11] a port that somebody else holds", () => {
  const servers: Server[] = [];
  afterEach(() => {
    for (const server of servers.splice(0)) server.close();
  });

  async function listen(host: string): Promise<number> {
    const server = createServer().listen(0, host);
    servers.push(server);
    await once(server, "listening");
    const address = server.address();
    if (address === null || typeof address === "string") throw new Error("listens on no port");
    return address.port;
  }

  const wants = (...shown: string[]) =>
    look.write(
      "request/ports",
      shown
        .map(
          (text) => `${text}\t${kernelAddress(text)?.port}\t${kernelAddress(text)?.address}\tweb.service\n`,
        )
        .join(""),
    );

  it("is named with its holder, whichever address of it is wanted", async () => {
    const port = await listen("127.0.0.1");
    const holder = (shown: string) =>
      expect.stringMatching(new RegExp(`^port ${shown} is held by \\S+ \\(pid ${process.pid}[,)]`));
    for (const shown of [`${port}`, `127.0.0.1:${port}`]) {
      wants(shown);
      expect(look.texts()).toEqual([holder(shown)]);
    }
    wants(`127.0.0.2:${port}`);
    expect(look.texts()).toEqual([]);
  });

  it("on all addresses is in the way of each of them, once", async () => {
    const port = await listen("0.0.0.0");
    wants(`127.0.0.1:${port}`, `${port}`);
    expect(look.texts()).toHaveLength(2);
  });

  it("is not in the way when a running unit of this release has it by the last apply", async () => {
    const port = await listen("127.0.0.1");
    wants(`${port}`);
    look.write("manifest", `port\t${port}\tweb.service\nunit\tweb.service\t1\trunning\tsimple\n`);
    look.write("work/units", "web.service\tenabled\tactive\trunning\n");
    expect(look.texts()).toEqual([]);
    look.write("work/units", "web.service\tenabled\tinactive\tdead\n");
    expect(look.texts()).toHaveLength(1);
  });

  it("is not in the way of a running unit whose record is an earlier version's, which names no ports", async () => {
    const port = await listen("127.0.0.1");
    wants(`${port}`);
    look.write("work/units", "web.service\tenabled\tactive\trunning\n");
    expect(look.texts()).toHaveLength(1);
    look.write("manifest", "unit\tweb.service\t1\trunning\tsimple\n");
    expect(look.texts()).toEqual([]);
    // Nor is it its own for a release that opened none before.
    look.write("manifest", "port\t-\t-\nunit\tweb.service\t1\trunning\tsimple\n");
    expect(look.texts()).toHaveLength(1);
    look.write("manifest", `port\t1\tweb.service\nunit\tweb.service\t1\trunning\tsimple\n`);
    expect(look.texts()).toHaveLength(1);
  });

  it("says nothing of ports that nobody holds", async () => {
    wants("1", "127.0.0.1:9");
    expect(look.texts()).toEqual([]);
  });

  it.each([
    ["443", "01BB", "-"],
    ["0.0.0.0:80", "0050", "-"],
    ["[::]:80", "0050", "-"],
    ["127.0.0.1:8008", "1F48", "0100007F"],
    ["[::1]:8008", "1F48", "00000000000000000000000001000000"],
    ["[2001:db8::7]:8448", "2100", "B80D0120000000000000000007000000"],
  ])("%s is %s and %s to the kernel", (shown, port, address) => {
    expect(kernelAddress(shown)).toEqual({ port, address });
  });

  it.each(["", "0", "65536", "x:80", "::1:80", "[127.0.0.1]:80", "127.0.0.1", "80\n"])(
    "%j is no port",
    (shown) => {
      expect(kernelAddress(shown)).toBeUndefined();
    },
  );
});

describe("a release's own look", () => {
  it("is told line by line; one that fails without a word is in the way too", () => {
    look.write("request/preflights", "0\tsites\n1\tbroken\n2\tfine\n");
    look.write("request/preflight/0", 'printf "%s is served\\tmove %s\\n" "$1" "$2"; exit 1\n');
    look.write("request/argv/preflight.0", "a blog\nit there\n");
    look.write("request/preflight/1", "echo no such file >&2; exit 3\n");
    look.write("request/argv/preflight.1", "");
    look.write("request/preflight/2", "echo all well\n");
    look.write("request/argv/preflight.2", "");
    expect(look.obstacles()).toEqual([
      { text: "a blog is served", fix: "move it there" },
      { text: "the look at this host by broken failed: no such file", fix: "-" },
    ]);
  });
});
