import { downHost, type Host, upHost } from "../../../../sandbox";
import { type Answer, call, ok, type Release, sh } from "../../../support/host-programs";
import { bringPacman, pacmanPrograms } from "../../../support/pacman-host";

// The real pacman, on a Debian host, with a repository of its own: no mirror of Arch is asked.
const NAME = `pacman-${process.pid}`;
const programs = pacmanPrograms();
let host: Host;
let instance = "-";

beforeAll(async () => {
  host = await upHost({ name: NAME });
  await bringPacman(host);
});
afterAll(async () => {
  programs.remove();
  await downHost(NAME);
});

const wants = (packages: Record<string, string>): Release => ({ release: "probe", packages });
const options = { programs: programs.folder };
const observe = (release: Release) => call(host, "observe", release, { instance }, options);
async function apply(release: Release): Promise<Answer> {
  const answer = await call(host, "apply", release, { instance }, options);
  instance = answer.of("release")[0]?.[0] ?? instance;
  return answer;
}
const failed = (answer: Answer) => ({
  words: answer.of("fail")[0]?.[1] ?? "",
  output: answer.of("output").map(([text]) => Buffer.from(text ?? "", "base64").toString())[0] ?? "",
});
/** Runs functions of pm-pacman.sh on the host. */
async function pm(script: string): Promise<string[]> {
  const folder = "/run/pm-test";
  const { readFileSync } = await import("node:fs");
  const text = readFileSync(`${programs.folder}/machine/programs/lib/pm-pacman.sh`, "utf8");
  await sh(host, `mkdir -p ${folder} && cat >${folder}/pm.sh <<'END_OF_PROGRAM'\n${text}\nEND_OF_PROGRAM`);
  const said = await sh(
    host,
    `cd ${folder} && printf '%s\\n' lib web nothing >asked && WORK=${folder} TAB='\t' && . ./pm.sh && ${script}`,
  );
  return said === "" ? [] : said.split("\n");
}

describe("pacman as the package manager of a host", () => {
  it("says what to type where it has no lists yet, and fetches none by itself", async () => {
    expect(await pm("pm_versions asked")).toEqual([]);
    expect((await observe(wants({ web: "any" }))).of("brings")).toEqual([["-"]]);
    expect(failed(await apply(wants({ web: "any" }))).words).toBe(
      "pacman has no lists of packages; as root: pacman -Syu",
    );
    await sh(host, "pacman -Sy >/dev/null");
  });

  it("offers upstream versions of what it has lists of", async () => {
    expect(await pm("pm_versions asked")).toEqual(["lib\t3.2.1", "web\t1.26.3"]);
    expect(await pm("pm_have asked")).toEqual([]);
  });

  it("[F9] says before it does anything what comes along", async () => {
    const seen = await observe(wants({ web: "any" }));
    expect(seen.of("package")).toEqual([["web", "-"]]);
    expect(seen.of("brings")).toEqual([["lib", "-", "1:3.2.1-1"]]);
    expect(await sh(host, "pacman -Q | wc -l")).toBe("0");
  });

  it("installs what is missing, says so, and has nothing to do afterwards", async () => {
    const done = ok(await apply(wants({ web: "any" })));
    expect(done.of("did")).toContainEqual(["installed package web 1.26.3-2"]);
    expect(await sh(host, "cat /usr/share/web/what /usr/share/lib/what")).toBe("web 1.26.3-2\nlib 1:3.2.1-1");
    expect((await sh(host, "cat /var/lib/hearth/installed")).split("\n")).toEqual(
      expect.arrayContaining(["lib", "web"]),
    );
    expect(ok(await apply(wants({ web: "any" }))).of("did")).toEqual([]);
    expect((await observe(wants({ web: "any" }))).of("brings")).toEqual([]);
  });

  it("keeps a pinned version, and fails with pacman's words for one that it does not have", async () => {
    ok(await apply(wants({ web: "1.26.3-2" })));
    const { words, output } = failed(await apply(wants({ web: "9.9-1" })));
    expect(words).toBe("pacman -S failed: web=9.9-1");
    expect(output).toContain("target not found: web=9.9-1");
  });

  it("knows whose a unit is", async () => {
    expect(await pm("pm_owner /usr/lib/systemd/system/web.service")).toEqual(["web"]);
    expect(await pm("pm_owner /usr/lib/systemd/system/ssh.service")).toEqual([]);
    await sh(
      host,
      "systemctl daemon-reload && systemctl enable --now web.service 2>/dev/null && rm /var/lib/hearth/installed",
    );
    const release: Release = {
      release: "other",
      units: { "web.service": { enabled: true, state: "running", restartOn: [], reloadOn: [] } },
    };
    const [[text = "", fix = ""] = []] = (await call(host, "observe", release, {}, options)).of("obstacle");
    expect(text).toContain("/usr/lib/systemd/system/web.service of package web");
    expect(fix).toContain("pacman -R web");
  });

  it("says which archive could not be asked", async () => {
    expect(failed(await apply(wants({ gone: "any" }))).words).toMatch(
      /^pacman -S failed: gone; .*failed retrieving file 'gone-1.0-1-any.pkg.tar.gz'/,
    );
  });

  it("waits for another package manager", async () => {
    await sh(
      host,
      "pacman -R --noconfirm web >/dev/null; touch /var/lib/pacman/db.lck; (sleep 8; rm /var/lib/pacman/db.lck) >/dev/null 2>&1 &",
    );
    const done = ok(await apply(wants({ web: "any" })));
    expect(done.of("step").flat()).toContain("waiting for another package manager on this host");
  });
});
