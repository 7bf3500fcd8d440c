import { execFileSync } from "node:child_process";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

// The transaction's own functions, step by step in a folder of this machine (no host is booted), while a service user who owns a
// directory of the release replaces what is in it. Needs root, as everything of this tier does.

/** A user that every Debian has and nothing runs as. */
const USER = "games";
const LIBRARY = join(__dirname, "../../../../provider/machine/programs/lib");
/** sha256 of "new\n". */
const NEW = "7aa7a5359173d05b63cfd682e3c38487f3cb4f7f1d60659fe59fab1505977d4c";

/** The functions with records below $DIR and without systemd. $ATTACK runs as the service user, in its directory, before $STAGE. */
const HARNESS = `
set -eu
DIR=$1
for part in base owner scan state report lock steps check packages prepare secret-store containers stage validate swap units record; do
  . "$DIR/lib/$part.sh"
done
ROOT=\${DIR%/dir} WORK=$DIR/work STATE=$DIR/state OWN=$DIR/state/releases/probe SYSTEMCTL=true STEP=test APPLY=t RELEASE=probe
mkdir -p "$WORK" "$OWN" "$DIR/undo"
: >"$DIR/changed"
fail() {
  row fail "$1" "$(tail -n 1 -- "\${2-/dev/null}" 2>/dev/null)"
  restore_files 2>"$WORK/words" || row left "$(tail -n 1 "$WORK/words")"
  exit 0
}
refuse_apply() { row refuse "$@"; exit 0; }
at() { if [ "$1" = "\${STAGE-}" ]; then (cd "$ROOT/var" && setpriv --reuid ${USER} --regid ${USER} --clear-groups sh -c "$ATTACK" sh "$ROOT/victim"); fi; }
forward() {
  at scan; scan_all; check_guards; check_conflicts
  at directories; apply_directories
  at secrets; apply_secrets
  at stage; scan_all; stage
  at keep; keep_files; keep_directories
  at swap; swap
}
back() { at undo; restore_files 2>"$WORK/words" || row left "$(tail -n 1 "$WORK/words")"; }
`;

const SETUP = `
set -eu
cd "$1"
umask 022
mkdir -p dir/request/content conf var/media victim
ln -s "$2" dir/lib
for file in 0 1 2; do echo new >dir/request/content/$file; done
echo old >var/f; echo old >conf/f; echo old >var/media/key
chmod 0600 var/media/key
chown -R ${USER}: var
# A directory and files that the service user may not change, with the names of the release's own.
for file in f key s; do echo victim >victim/$file; done
chmod 0600 victim/*
`;

let root = "";
const at = (path: string) => join(root, path);
const rows = (...lines: string[][]) => lines.map((line) => `${line.join("\t")}\n`).join("");
const request = (name: string, text: string) => writeFileSync(at(`dir/request/${name}`), text);
const run = (script: string, env: Record<string, string> = {}): string =>
  execFileSync("dash", ["-c", HARNESS + script, "sh", at("dir")], {
    encoding: "utf8",
    env: { PATH: process.env.PATH ?? "", ...env },
    stdio: ["ignore", "pipe", "inherit"],
  });
const shell = (script: string): string =>
  execFileSync("sh", ["-c", script], { cwd: root, encoding: "utf8" }).trimEnd();
/** Everything of what must not change, its times included. */
const victim = () => shell("find victim -printf '%p %y %m %u %g %n %C@\\n' | sort && cat victim/*");
const access = (...paths: string[]) => shell(`stat -c '%n %a %U %G' ${paths.join(" ")}`).split("\n");

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "hearth-links-"));
  chmodSync(root, 0o755);
  execFileSync("sh", ["-c", SETUP, "sh", root, LIBRARY]);
  request(
    "directories",
    rows(
      [at("conf"), "0755", "root", "root"],
      [at("var"), "0755", USER, USER],
      [at("var/media"), "0750", USER, USER],
    ),
  );
  request(
    "files",
    rows(
      ["0", at("var/f"), "0640", USER, USER, NEW],
      ["1", at("conf/f"), "0640", "root", USER, NEW],
      ["2", at("var/media/key"), "0640", USER, USER, NEW],
    ),
  );
  request("secrets", rows(["0", at("var/s"), "0600", USER, USER, "random", "8", "-"]));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

describe("a directory of a service user", () => {
  it("gets what the release names, as that user's, and gets back what was there", () => {
    expect(run("forward")).not.toContain("fail");
    expect(access("var/f", "conf/f", "var/media", "var/media/key", "var/s")).toEqual([
      `var/f 640 ${USER} ${USER}`,
      `conf/f 640 root ${USER}`,
      `var/media 750 ${USER} ${USER}`,
      `var/media/key 640 ${USER} ${USER}`,
      `var/s 600 ${USER} ${USER}`,
    ]);
    expect(shell("cat var/f conf/f var/media/key")).toBe("new\nnew\nnew");
    expect(run("back")).toBe("");
    expect(shell("cat var/f conf/f var/media/key; ls -A var var/media")).toBe(
      "old\nold\nold\nvar:\nf\nmedia\ns\n\nvar/media:\nkey",
    );
    expect(access("var/media", "var/media/key")).toEqual([
      `var/media 755 ${USER} ${USER}`,
      `var/media/key 600 ${USER} ${USER}`,
    ]);
  });

  const STAGES = ["scan", "directories", "secrets", "stage", "keep", "swap", "undo"];
  const ATTACKS: [string, string, string[]?][] = [
    ["a directory becomes a link", 'mv media media.old && ln -s "$1" media'],
    ["a file becomes a link", 'rm -f f && ln -s "$1/f" f'],
    ["a secret becomes a link", 'rm -f s && ln -s "$1/s" s'],
    [
      "the name that a new file waits under is a link",
      'ln -sf "$1/f" .f.hearth-new && ln -sf "$1/s" .s.hearth-new',
    ],
    ["a file becomes a pipe that nobody writes into", "rm -f f && mkfifo f", ["scan", "keep", "undo"]],
    ["a file becomes a directory", "rm -f f && mkdir f", ["scan", "keep", "undo"]],
  ];
  it.each(
    ATTACKS.flatMap(([what, attack, stages = STAGES]) =>
      stages.map((stage) => [what, stage, attack] as const),
    ),
  )("[R1-3] leads root nowhere when %s before %s", (_what, stage, attack) => {
    const before = victim();
    const said = run("forward; back", { STAGE: stage, ATTACK: attack });
    expect(victim()).toBe(before);
    // What root has there at all was root's before.
    expect(shell(`find var ! -user ${USER}`)).toBe("");
    expect(shell("cat conf/f")).toBe("old");
    expect(said).not.toContain("victim\n");
  });

  it("gives way to a directory like /tmp, where others can only add: nothing there is followed either", () => {
    shell(
      `mkdir shared; chmod 1777 shared; ln -s ../victim/f shared/.x.hearth-new; chown -h ${USER} shared/.x.hearth-new`,
    );
    shell(
      `ln -s ../victim/f shared/x; chown -h ${USER} shared/x; ln -s ../victim shared/d; chown -h ${USER} shared/d`,
    );
    request("files", rows(["0", at("shared/x"), "0644", "root", "root", NEW]));
    const before = victim();
    expect(run("forward; back")).not.toContain("fail");
    expect(shell("readlink shared/x; ls -A shared")).toBe("../victim/f\nd\nx");
    request("directories", rows([at("shared/d"), "0700", "root", "root"]));
    expect(run("forward; back")).toContain("is wanted as a directory but is a file or link");
    expect(victim()).toBe(before);
  });

  it("[R3] is refused as a wanted one when it is a link that the user could have made, with the fix", () => {
    shell(`mv var/media var/old; ln -s /etc var/media; chown -h ${USER} var/media`);
    const mode = shell("stat -c %a /etc");
    expect(run("forward")).toMatch(
      /^refuse\tunsafe\t\S+\/var\/media is a link to \/etc that user games could have made: remove it/,
    );
    request("files", "");
    expect(run("forward")).toMatch(
      /^refuse\tconflict\t\S+\/var\/media is wanted as a directory but is a file or link/,
    );
    expect(shell("stat -c %a /etc")).toBe(mode);
  });

  it("holds nothing of root's: not a file, not a secret, not a directory, not an environment", () => {
    for (const [table, line] of [
      ["files", ["0", at("var/f"), "0644", "root", "root", NEW]],
      ["secrets", ["0", at("var/s"), "0640", "root", USER, "random", "8", "-"]],
      ["directories", [at("var/media"), "0750", "root", "root"]],
    ] as const) {
      for (const name of ["files", "secrets", "directories"]) request(name, "");
      request(table, rows([...line]));
      expect(run("forward")).toMatch(
        /^refuse\tunsafe\t\S+ is to be root's, but it lies in a directory that games can change/,
      );
    }
    request("directories", "");
    request("environments", rows(["0", at("var/venv"), "/usr/bin/python3", "0"]));
    expect(run("forward")).toMatch(
      /^refuse\tunsafe\tenvironment \S+ lies in a directory that games can change/,
    );
  });

  it("may be a link to a bigger disk where only root could make it; what it leads to gets its access", () => {
    shell("mkdir disk && mv var/media disk/media && mv var old && ln -s old var");
    for (const name of ["files", "secrets"]) request(name, "");
    request("directories", rows([at("var"), "0711", USER, USER]));
    expect(run("forward")).toContain(`set ${at("var")} to 0711 ${USER}:${USER}`);
    expect(access("old")).toEqual([`old 711 ${USER} ${USER}`]);
    expect(run("forward")).not.toContain("set ");
  });

  it("of a login user is no link below another of the release, which a container could have mounted", () => {
    for (const name of ["files", "secrets"]) request(name, "");
    shell("mv var/media victim.old && ln -s ../victim var/media");
    const before = victim();
    expect(run("SCOPE=user; forward")).toMatch(
      /^refuse\tconflict\t\S+\/var\/media is wanted as a directory but is a file or link/,
    );
    expect(victim()).toBe(before);
    request("directories", rows([at("var/media"), "0755", "root", "root"]));
    expect(run("SCOPE=user; forward")).not.toContain("refuse");
  });

  it("shows a plan nothing of a file that only root may read", () => {
    shell(`rm var/f; ln -s ../victim/f var/f; chown -h ${USER} var/f`);
    expect(run("scan_all; report_scan")).toContain(`file\t${at("var/f")}\t-\n`);
    // Swapped for a link after the look at what is there.
    shell(`rm var/f; echo mine >var/f; chown ${USER} var/f`);
    const said = run(`
      scan_all
      rm "$ROOT/var/f"; ln -s ../victim/f "$ROOT/var/f"; chown -h ${USER} "$ROOT/var/f"
      sum_paths "$WORK/list.hashed" "$WORK/scan"; report_scan
    `);
    expect(said).toContain(`${at("var/f")}\n`);
    expect(said).not.toContain(shell("sha256sum victim/f | cut -c 1-64"));
    expect(said).not.toContain(Buffer.from("victim\n").toString("base64"));
  });
});
