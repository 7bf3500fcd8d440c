import { execFileSync, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

const PROGRAM = join(__dirname, "../../components/proxy/programs/other_sites.sh");
const OURS = "/etc/hearth/proxy/sites";

const MAIN = `user www-data;
include /etc/nginx/modules-enabled/*.conf;
events { worker_connections 768; }
http {
	upstream backend { server 127.0.0.1:9000; }
	# server { listen 81; }
	include /etc/nginx/mime.types; include /etc/nginx/conf.d/*.conf;
	include /etc/nginx/sites-enabled/*;
}
`;
const DEFAULT = "server {\n\tlisten 80 default_server;\n\troot /var/www/html;\n\tserver_name _;\n}\n";
const SITE = "server { listen 81; }\n";

/** A host's files as Debian's package creates them. */
class Files {
  readonly root = mkdtempSync(join(tmpdir(), "hearth-sites-"));

  constructor() {
    this.write("/etc/nginx/nginx.conf", MAIN);
    this.write("/etc/nginx/sites-available/default", DEFAULT);
    this.link("/etc/nginx/sites-enabled/default", "../sites-available/default");
    this.write("/var/www/html/index.nginx-debian.html", "Welcome\n");
    const sum = (text: string) => createHash("md5").update(text).digest("hex");
    const conffiles = [
      ["/etc/nginx/nginx.conf", MAIN],
      ["/etc/nginx/sites-available/default", DEFAULT],
    ].map(([path = "", text = ""]) => ` ${path} ${sum(text)}\n`);
    const fields = "Package: nginx-common\nStatus: install ok installed\nArchitecture: all\nVersion: 1\n";
    const rest = "Maintainer: x <x@example.org>\nDescription: x\n";
    this.write("/var/lib/dpkg/status", `${fields}Conffiles:\n${conffiles.join("")}${rest}`);
    mkdirSync(join(this.root, "var/lib/dpkg/info"), { recursive: true });
  }

  write(path: string, text: string): void {
    mkdirSync(dirname(join(this.root, path)), { recursive: true });
    writeFileSync(join(this.root, path), text);
  }

  link(path: string, target: string): void {
    mkdirSync(dirname(join(this.root, path)), { recursive: true });
    symlinkSync(target, join(this.root, path));
  }

  /** The obstacles: the first part of each line. */
  look(): string[] {
    const { status, stdout, stderr } = spawnSync("sh", [PROGRAM, OURS, this.root], {
      encoding: "utf8",
      env: { ...process.env, LC_ALL: "C" },
    });
    const lines = stdout.split("\n").filter((line) => line !== "");
    expect({ status, stderr }).toEqual({ status: lines.length > 0 ? 1 : 0, stderr: "" });
    return lines.map((line) => {
      const [what = "", fix = ""] = line.split("\t");
      expect(fix).not.toBe("");
      return what;
    });
  }
}

let files: Files;
beforeEach(() => {
  files = new Files();
});
afterEach(() => rmSync(files.root, { recursive: true }));

const another = (path: string) => `nginx serves another site on this host, which would go offline: ${path}`;

describe("[W1] a site that nginx already serves never goes offline without a message", () => {
  it("there is no obstacle on a host with an unchanged nginx package or without nginx", () => {
    expect(files.look()).toEqual([]);
    execFileSync("rm", ["-r", join(files.root, "etc/nginx")]);
    expect(files.look()).toEqual([]);
  });

  it("a main file with changed limits is no obstacle", () => {
    files.write("/etc/nginx/nginx.conf", MAIN.replace("768", "4096"));
    expect(files.look()).toEqual([]);
  });

  it.each([
    [
      "the default site, edited in place",
      "/etc/nginx/sites-available/default",
      "/etc/nginx/sites-enabled/default",
    ],
    ["a site", "/etc/nginx/sites-enabled/blog", "/etc/nginx/sites-enabled/blog"],
    ["one with spaces in its name", "/etc/nginx/sites-enabled/my blog", "/etc/nginx/sites-enabled/my blog"],
    [
      "one with the name of our own file",
      "/etc/nginx/sites-enabled/matrix.conf",
      "/etc/nginx/sites-enabled/matrix.conf",
    ],
    ["one in conf.d", "/etc/nginx/conf.d/blog.conf", "/etc/nginx/conf.d/blog.conf"],
  ])("%s", (_what, path, named) => {
    files.write(path, `# mine\n${SITE}`);
    expect(files.look()).toEqual([another(named)]);
  });

  it("one in the main file itself, on one line or over two", () => {
    for (const site of ["http { server { listen 81; } }", "stream {\n  server\n  {\n    listen 5;\n  }\n}"]) {
      files.write("/etc/nginx/nginx.conf", `${MAIN}${site}\n`);
      expect(files.look()).toEqual([another("/etc/nginx/nginx.conf")]);
    }
  });

  it("one in another folder, at any depth of includes", () => {
    files.write("/etc/nginx/conf.d/all.conf", "include /srv/sites/*.nginx;\n");
    files.write("/srv/sites/a.nginx", 'include "snippets/b.inc";\n');
    files.write("/etc/nginx/snippets/b.inc", SITE);
    expect(files.look()).toEqual([another("/etc/nginx/snippets/b.inc")]);
  });

  it("one in another main file that the unit names, but not our own main file", () => {
    const dropIn = "/etc/systemd/system/nginx.service.d";
    files.write("/srv/nginx.conf", `http { ${SITE} }`);
    files.write(
      `${dropIn}/mine.conf`,
      "[Service]\nExecStart=\nExecStart=/usr/sbin/nginx -c /srv/nginx.conf\n",
    );
    files.write("/etc/hearth/proxy/nginx.conf", `http { ${SITE} }`);
    files.write(
      `${dropIn}/50-hearth.conf`,
      "[Service]\nExecStart=/usr/sbin/nginx -c /etc/hearth/proxy/nginx.conf\n",
    );
    expect(files.look()).toEqual([another("/srv/nginx.conf")]);
  });

  it("the operator's pages in the package's default site", () => {
    files.write("/var/www/html/index.html", "mine\n");
    expect(files.look()).toEqual([
      "nginx's default site (/etc/nginx/sites-enabled/default) shows what lies in /var/www/html, which would go offline",
    ]);
    // With our main file nginx no longer serves them.
    files.write("/etc/hearth/proxy/nginx.conf", "");
    expect(files.look()).toEqual([]);
  });

  it("not a site that is linked into our folder, under any name", () => {
    files.write("/etc/nginx/sites-enabled/blog", SITE);
    files.link(`${OURS}/other.conf`, join(files.root, "etc/nginx/sites-enabled/blog"));
    expect(files.look()).toEqual([]);
  });
});
