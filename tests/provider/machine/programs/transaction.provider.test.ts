import { downHost, type Host, upHost } from "../../../../sandbox";
import { factsOf } from "../../../support/host-facts";
import {
  type Answer,
  call,
  type Meta,
  newApply,
  ok,
  type Release,
  sealed,
  sh,
} from "../../../support/host-programs";
import { answersWithin, CONF, conf, probeRelease, rootFile, URL } from "../../../support/probe-release";

// For this run only: another run at the same time has a host of its own.
const NAME = `transaction-${process.pid}`;
let host: Host;
/** Of the installed probe release; a Create has `-`. */
let instance = "-";

const apply = (release: Release, meta: Partial<Meta> = {}) =>
  call(host, "apply", release, { instance, ...meta });
const observe = (release: Release, meta: Partial<Meta> = {}) =>
  call(host, "observe", release, { instance, ...meta });
const pids = () =>
  sh(host, "systemctl show -p MainPID --value probe.service probe-idle.service").then((text) =>
    text.split("\n").filter(Boolean),
  );
const inodes = () =>
  sh(host, `stat -c %i ${CONF} /etc/systemd/system/probe.service /etc/probe/secrets/given`);
const served = () => sh(host, `curl -sS ${URL}`);
/** Everything that a failed apply must leave alone: access, times, inodes (and so contents). */
const picture = () =>
  sh(
    host,
    "cd /etc && find probe systemd/system issue.net ! -type d -printf '%p %i %m %u %g %T@ %l\\n' | sort",
  );

beforeAll(async () => {
  host = await upHost({ name: NAME });
});
afterAll(() => downHost(NAME));

describe("a fresh host", () => {
  it("gives facts that a first preview can render from", async () => {
    const facts = await factsOf(host);
    expect(facts).toMatchObject({
      distribution: "debian",
      release: "13",
      codename: "trixie",
      postgres: 17,
      podman: "5.4.2",
      tailscale: "",
    });
    expect(facts.memoryMiB % 64).toBe(0);
    expect(facts.python).toBe("3.13");
    expect(facts.nginx).toMatch(/^1\.26\./);
  });

  it("names the database cluster that is in use, not the newest that apt has or the host holds", async () => {
    const cluster = (major: number, port: number) =>
      `mkdir -p /etc/postgresql/${major}/main && echo 'port = ${port} # here' >/etc/postgresql/${major}/main/postgresql.conf`;
    await sh(host, `${cluster(15, 5432)} && ${cluster(17, 5433)} && ${cluster(18, 54320)}`);
    const { postgres } = await factsOf(host);
    await sh(host, "rm -r /etc/postgresql");
    expect(postgres).toBe(15);
  });

  it("is observed as empty, and observing writes nothing", async () => {
    const seen = await observe(probeRelease(conf("one")));
    expect(seen.end).toBe("end");
    expect(seen.of("release")).toEqual([["-"]]);
    expect(seen.of("package")).toEqual([
      ["busybox", "-"],
      ["curl", "-"],
    ]);
    expect(seen.of("file")).toContainEqual([CONF, "-"]);
    expect(seen.of("foreign")).toEqual([["/etc/issue.net"]]);
    expect(seen.of("user")).toEqual([["probe", "-"]]);
    expect(seen.of("task")).toEqual([["mark", "-"]]);
    expect(seen.of("unit")).toContainEqual(["probe.service", "-", "inactive", "dead"]);
    expect(await sh(host, "ls -d /var/lib/hearth 2>/dev/null || echo none")).toBe("none");
  });

  it("[A4] has nothing of a first apply that failed, but what was added with it", async () => {
    const done = await apply(probeRelease(conf("zero", "normal", 8100), { health: answersWithin(5) }));
    expect(done.of("fail")[0]?.[0]).toBe("health");
    expect(done.of("undone")[0]).toEqual(["ok", expect.stringContaining("release probe is not installed")]);
    expect(
      await sh(
        host,
        "find /etc /usr/local -name 'probe*' ! -type d -o -name '*hearth-new*'; cat /etc/issue.net",
      ),
    ).not.toMatch(/probe|hearth-new/i);
    expect(await sh(host, "systemctl is-active probe.service probe-idle.service || true")).toBe(
      "inactive\ninactive",
    );
    expect((await observe(probeRelease(conf("one")))).of("release")).toEqual([["-"]]);
  });

  it("[A1] gets everything a release names in one apply", async () => {
    const issue = await sh(host, "cat /etc/issue.net");
    const done = ok(await apply(probeRelease(conf("one"))));
    expect(done.of("release")[0]?.[1]).toBe("1");
    instance = done.of("release")[0]?.[0] ?? "";
    expect(instance).toMatch(/^[0-9a-f]{32}$/);
    expect(await served()).toContain("# one");
    expect(await sh(host, "stat -c '%a %U %G' /etc/probe/probe.conf /var/lib/probe/data")).toBe(
      "640 root probe\n750 probe probe",
    );
    expect(await sh(host, "systemctl is-enabled probe.service")).toBe("enabled");
    expect(await sh(host, "ls /usr/sbin/policy-rc.d 2>/dev/null || echo none")).toBe("none");
    expect(await sh(host, "cat /var/lib/hearth/releases/probe/original/*")).toBe(issue);
  });

  it("[A9] makes secrets with their final access and keeps none of what was sent", async () => {
    expect(await sh(host, "cat /etc/probe/secrets/random")).toMatch(/^[0-9a-f]{40}$/);
    expect(await sh(host, "cat /etc/probe/secrets/made /etc/probe/secrets/given")).toBe(
      "made herefrom the operator",
    );
    expect(await sh(host, "stat -c '%a %U %G' /etc/probe/secrets/*")).toBe(
      "600 root root\n600 probe probe\n640 root probe",
    );
    expect(await sh(host, "grep -rl 'from the operator' /var/lib/hearth /run 2>/dev/null || echo none")).toBe(
      "none",
    );
    const seen = await observe(probeRelease(conf("one")));
    expect(seen.of("secret")).toContainEqual([
      "/etc/probe/secrets/given",
      "0600",
      "root",
      "root",
      sealed("from the operator"),
    ]);
  });
});

describe("an apply after that", () => {
  it("[A1] changes nothing and restarts nothing when nothing is to change", async () => {
    const before = [await pids(), await inodes(), await picture()];
    const done = ok(await apply(probeRelease(conf("one"))));
    expect(done.of("did")).toEqual([]);
    expect(done.of("release")).toEqual([[instance, "1"]]);
    expect([await pids(), await inodes(), await picture()]).toEqual(before);
    expect((await observe(probeRelease(conf("one")))).of("changed")).toEqual([]);
  });

  it("[A2] restarts only the unit whose file changed", async () => {
    const [probe, idle] = await pids();
    const done = await apply(probeRelease(conf("two")));
    expect(done.of("did").map(([text]) => text)).toEqual([
      `wrote ${CONF}`,
      expect.stringMatching(/^restarted probe\.service \(down \d+\.\d s\)$/),
    ]);
    expect(done.of("release")).toEqual([[instance, "2"]]);
    expect(await served()).toContain("# two");
    const [probeNow, idleNow] = await pids();
    expect(probeNow).not.toBe(probe);
    expect(idleNow).toBe(idle);
  });

  it("[V2] restarts what belongs to it along with a unit, there and back, and nothing that no release manages", async () => {
    const along = ["probe-idle.service", "ssh.service"];
    const together = (content: string, overrides: Release = {}) => {
      const release = probeRelease(content, overrides);
      const unit = release.units?.["probe.service"];
      if (unit !== undefined) unit.along = along;
      return release;
    };
    const ssh = () => sh(host, "systemctl show -P MainPID ssh.service");
    const [stranger, [, idle]] = [await ssh(), await pids()];
    const done = ok(await apply(together(conf("along"))));
    const said = done.of("did").map(([text]) => text);
    expect(said).toContainEqual(expect.stringMatching(/^restarted probe-idle\.service \(down \d+\.\d s\)$/));
    const [, restarted] = await pids();
    expect(restarted).not.toBe(idle);
    const failed = await apply(together(conf("crashed", "crash"), { health: answersWithin(5) }));
    expect(failed.of("undone")[0]?.[0]).toBe("ok");
    expect(await served()).toContain("# along");
    expect((await pids())[1]).not.toBe(restarted);
    expect(await ssh()).toBe(stranger);
    ok(await apply(probeRelease(conf("two"))));
  });

  it("restarts for a changed revision and reloads where that was asked for", async () => {
    const release = probeRelease(conf("two"), { revisions: { certificate: "2" } });
    release.files = { ...release.files, "/etc/issue.net": rootFile("Probe 2\n") };
    expect((await observe(release)).of("revision")).toEqual([["certificate", "1"]]);
    const [probe, idle] = await pids();
    const done = await apply(release);
    expect(done.of("did").map(([text]) => text)).toContain("reloaded probe-idle.service");
    const [probeNow, idleNow] = await pids();
    expect(probeNow).not.toBe(probe);
    expect(idleNow).toBe(idle);
    ok(await apply(probeRelease(conf("two"))));
  });

  it("restarts for another given secret and never shows it", async () => {
    const release = probeRelease(conf("two"));
    const given = release.secrets?.["/etc/probe/secrets/given"];
    if (!given) throw new Error("the probe release has a given secret");
    release.secrets = {
      ...release.secrets,
      "/etc/probe/secrets/given": { ...given, source: { kind: "given", value: "a newer one" } },
    };
    const [probe] = await pids();
    const done = await apply(release);
    expect(await sh(host, "cat /etc/probe/secrets/given")).toBe("a newer one");
    expect((await pids())[0]).not.toBe(probe);
    expect(JSON.stringify(done.rows)).not.toContain("newer");
    expect(await sh(host, "grep -rlE 'a newer one|from the operator' /var/lib/hearth || echo none")).toBe(
      "none",
    );
    ok(await apply(probeRelease(conf("two"))));
  });

  it("[A3] shows and repairs what was changed by hand", async () => {
    await sh(
      host,
      `echo '# by hand' >>${CONF}; systemctl -q disable --now probe-idle.service; rm /etc/probe/current`,
    );
    const seen = await observe(probeRelease(conf("two")));
    expect(seen.of("changed").flat().sort()).toEqual(
      [CONF, "/etc/probe/current", "probe-idle.service"].sort(),
    );
    const file = seen.of("file").find(([path]) => path === CONF);
    expect(Buffer.from(file?.[5] ?? "", "base64").toString()).toBe(`${conf("two")}# by hand\n`);
    ok(await apply(probeRelease(conf("two"))));
    expect(await sh(host, "systemctl is-active probe-idle.service; cat /etc/probe/current")).toBe(
      "active\nprobe.conf",
    );
    expect((await observe(probeRelease(conf("two")))).of("changed")).toEqual([]);
  });

  it("observes 20 files, 6 packages and 3 units in well under a second", async () => {
    const files = Object.fromEntries(
      Array.from({ length: 20 }, (_, index) => [`/etc/probe/many/${index}`, rootFile(`${index}\n`)]),
    );
    const release = probeRelease(conf("two"), {
      files,
      packages: { busybox: "any", curl: "any", dpkg: "any", apt: "any", systemd: "any", sed: "any" },
      units: {
        "ssh.service": { enabled: true, state: "running", restartOn: [], reloadOn: [] },
        "probe.service": { enabled: true, state: "running", restartOn: [], reloadOn: [] },
        "dbus.service": { enabled: true, state: "running", restartOn: [], reloadOn: [] },
      },
    });
    await observe(release);
    const took = [];
    for (let round = 0; round < 5; round++) took.push((await observe(release)).took);
    console.info(`observe: ${took.join(", ")} ms`);
    expect(Math.min(...took)).toBeLessThan(900);
  });
});

describe("a change that would break the service", () => {
  it("[A4] leaves the disk as it was when a validator says no", async () => {
    const before = [await pids(), await picture()];
    const done = await apply(probeRelease("port=8099\n"));
    expect(done.end).toBe("end failed");
    expect(done.of("fail")).toEqual([["validate", "validation by configuration failed (exit status 1)"]]);
    expect(done.of("undone")).toEqual([]);
    expect([await pids(), await picture()]).toEqual(before);
  });

  it("[A4] shows validators the host as it would be, and drops what they write", async () => {
    const look = `cat ${CONF}; ls /etc/probe; touch /etc/probe/litter /var/lib/probe/litter; ip link show lo; id -un; exit 7`;
    const { "/etc/probe/current": _, ...files } = probeRelease(conf("three")).files ?? {};
    const release = probeRelease(conf("three"), {
      files,
      validators: {
        look: { argv: ["/bin/sh", "-c", look], timeoutSeconds: 20, isolateNetwork: true, user: "probe" },
      },
    });
    // probe may not write below /etc, so that litter needs root; both runs must leave none.
    const asProbe = await apply(release);
    const said = Buffer.from(asProbe.of("output")[0]?.[0] ?? "", "base64").toString();
    expect(said).toContain("# three");
    expect(said).not.toContain("current");
    expect(said).toMatch(/lo: <LOOPBACK,UP/);
    expect(said).toMatch(/^probe$/m);
    const look2 = release.validators?.look;
    if (look2) release.validators = { look: { ...look2, user: undefined } };
    expect((await apply(release)).of("fail")[0]?.[1]).toContain("exit status 7");
    expect(await sh(host, "ls /etc/probe/litter /var/lib/probe/litter 2>/dev/null || echo none")).toBe(
      "none",
    );
    expect(await served()).toContain("# two");
  });

  it("ends a validator that does not end", async () => {
    const release = probeRelease(conf("three"), {
      validators: { hangs: { argv: ["/bin/sleep", "60"], timeoutSeconds: 1 } },
    });
    const done = await apply(release);
    expect(done.of("fail")[0]?.[1]).toBe("validation by hangs took longer than 1 s");
    expect(done.took).toBeLessThan(45_000);
  });

  it("[A4] rolls back and proves health again when the service does not answer", async () => {
    const before = await picture();
    const done = await apply(probeRelease(conf("four", "normal", 8100), { health: answersWithin(5) }));
    expect(done.end).toBe("end failed");
    expect(done.of("fail")[0]?.[0]).toBe("health");
    expect(done.of("fail")[0]?.[1]).toMatch(/answers: .* \(after 5 s\)/);
    expect(done.of("undone")[0]?.[0]).toBe("ok");
    expect(await served()).toContain("# two");
    expect(await picture()).toBe(before);
  });

  it("[A4] does not wait for the time-out of a unit that failed, and shows its last words without passwords", async () => {
    const release = probeRelease(conf("five", "crash"));
    release.health = { answers: { kind: "http", url: URL, status: 200, timeoutSeconds: 60 } };
    const done = await apply(release);
    expect(done.of("fail")[0]?.[1]).toBe("probe.service is failed (exit-code)");
    const said = Buffer.from(done.of("output")[0]?.[0] ?? "", "base64").toString();
    expect(said).toContain("cannot start with mode=crash");
    expect(said).not.toContain("hunter2");
    expect(done.of("undone")[0]?.[0]).toBe("ok");
    expect(done.took).toBeLessThan(45_000);
    expect(await served()).toContain("# two");
  });

  it.each([
    ["and stays down", "", /^probe\.service is failed \(exit-code\), soon after it had answered$/],
    [
      "and is restarted by systemd",
      "Restart=always\nRestartSec=100ms\n",
      /^probe\.service failed and was restarted by systemd, soon/,
    ],
  ])("[A4] rolls back a unit that answers, dies three seconds later %s", async (_, restart, words) => {
    const before = await picture();
    const release = probeRelease(conf("brief", "brief"));
    const unit = "/etc/systemd/system/probe.service";
    const content = (release.files?.[unit]?.content ?? "").replace("[Install]", `${restart}[Install]`);
    release.files = { ...release.files, [unit]: rootFile(content) };
    // As the provider asks: it does not say how long.
    const done = await apply(release, { steady: "" });
    expect(done.of("fail")).toEqual([["health", expect.stringMatching(words)]]);
    expect(done.of("undone")[0]?.[0]).toBe("ok");
    expect(await served()).toContain("# two");
    expect(await picture()).toBe(before);
  });

  it("watches only what it has started or restarted, and does not count that as time down", async () => {
    const watched = (done: Answer) => done.of("step").some(([, , text]) => text?.startsWith("watching"));
    const reload = probeRelease(conf("two"));
    reload.files = { ...reload.files, "/etc/issue.net": rootFile("Watched\n") };
    expect(watched(ok(await apply(reload, { steady: "" })))).toBe(false);
    expect(watched(ok(await apply(probeRelease(conf("two")), { steady: "" })))).toBe(false);
    const restart = ok(
      await apply(probeRelease(conf("two"), { revisions: { certificate: "9" } }), { steady: "12" }),
    );
    expect(watched(restart)).toBe(true);
    const [, down] = /down (\d+\.\d) s/.exec(restart.of("did").flat().join()) ?? [];
    expect(Number(down)).toBeLessThan(10);
    ok(await apply(probeRelease(conf("two"))));
  });

  it("leaves nothing of a secret whose program failed, or was killed", async () => {
    const secret = { mode: "0600", owner: "root", group: "root" };
    const release = probeRelease(conf("two"));
    for (const [name, script] of Object.entries({ fails: "echo half; exit 1", dies: "kill -9 $$" })) {
      const source = { kind: "command" as const, argv: ["/bin/sh", "-c", script] };
      release.secrets = { [`/etc/probe/secrets/${name}`]: { ...secret, source } };
      const done = await apply(release);
      expect(done.of("fail")).toEqual([
        ["secrets", `the program that makes secret /etc/probe/secrets/${name} failed`],
      ]);
    }
    expect(await sh(host, "ls -A /etc/probe/secrets")).toBe("given\nmade\nrandom");
  });

  it("rolls back when a task does not reach its state", async () => {
    const release = probeRelease(conf("six"));
    release.tasks = { never: { observe: ["/bin/echo", "no"], apply: ["/bin/true"], want: "yes" } };
    const done = await apply(release);
    expect(done.of("fail")).toEqual([["tasks", "task never ran, but its state is 'no' and not 'yes'"]]);
    expect(done.of("undone")[0]?.[0]).toBe("ok");
    expect(await served()).toContain("# two");
  });

  it("[A4] rolls back to a running service when somebody had stopped it before", async () => {
    await sh(host, "systemctl disable --now probe.service");
    const release = probeRelease(conf("two"));
    release.tasks = { never: { observe: ["/bin/echo", "no"], apply: ["/bin/true"], want: "yes" } };
    const done = await apply(release);
    expect(done.of("undone")).toEqual([["ok", expect.stringContaining("units and health are as before")]]);
    expect(await sh(host, "systemctl is-enabled probe.service; systemctl is-active probe.service")).toBe(
      "enabled\nactive",
    );
  });

  it("restarts for a package that a failed apply had already installed", async () => {
    const release = probeRelease(conf("two"), { packages: { busybox: "any", curl: "any", bc: "any" } });
    const refusing: Release = {
      ...release,
      validators: { no: { argv: ["/bin/false"], timeoutSeconds: 5 } },
    };
    expect((await apply(refusing)).of("fail")[0]?.[0]).toBe("validate");
    expect(await sh(host, "dpkg-query -W bc")).toMatch(/^bc\t\d/);
    const [probe] = await pids();
    ok(await apply(release));
    expect((await pids())[0]).not.toBe(probe);
    ok(await apply(probeRelease(conf("two"))));
  });
});

describe("what is not this release's", () => {
  it("gives a replaced file back when the release no longer wants it", async () => {
    const release = probeRelease(conf("two"));
    const { "/etc/issue.net": _, ...files } = release.files ?? {};
    ok(await apply({ ...release, files }));
    expect(await sh(host, "cat /etc/issue.net")).toContain("Debian");
    ok(await apply(release));
    expect(await sh(host, "cat /etc/issue.net")).toBe("Probe");
  });

  it("keeps a file that becomes a secret", async () => {
    const path = "/etc/probe/moved";
    const before = probeRelease(conf("two"));
    ok(await apply({ ...before, files: { ...before.files, [path]: rootFile("in clear\n") } }));
    const source = { kind: "given" as const, value: "moved" };
    const secrets = { ...before.secrets, [path]: { mode: "0600", owner: "root", group: "root", source } };
    ok(await apply({ ...before, secrets }));
    expect(await sh(host, `cat ${path}; stat -c %a ${path}`)).toBe("moved600");
    ok(await apply(before));
    // Secrets are data, so it is still there.
    await sh(host, `rm ${path}`);
  });

  it("says a task's state in one clean line, whatever the program prints", async () => {
    const task = {
      observe: ["/usr/bin/printf", "r\\033[1med\\r\\tü\\nmore"],
      apply: ["/bin/true"],
      want: "x",
    };
    const seen = await observe({ release: "probe", tasks: { colour: task } });
    expect(seen.of("task")).toEqual([["colour", "r [1med  ü"]]);
  });

  it("refuses another identity, with both values", async () => {
    const done = await apply(probeRelease(conf("two"), { identity: { serverName: "other.test" } }));
    expect(done.end).toBe("end refused");
    expect(done.of("refuse")[0]?.[0]).toBe("identity");
    expect(done.of("refuse")[0]?.[1]).toMatch(/serverName 'probe\.test'.*'other\.test'/);
  });

  it("refuses another resource's release, with both URNs", async () => {
    const done = await apply(probeRelease(conf("two")), { instance: "-", urn: "urn:pulumi:test::new" });
    expect(done.of("refuse")[0]?.[0]).toBe("owner");
    expect(done.of("refuse")[0]?.[1]).toMatch(/urn:pulumi:test::probe.*urn:pulumi:test::new/);
  });

  it("accepts a renamed resource, and the old name again", async () => {
    ok(await apply(probeRelease(conf("two")), { urn: "urn:pulumi:test::renamed" }));
    expect((await observe(probeRelease(conf("two")))).of("release")[0]?.[2]).toBe("urn:pulumi:test::renamed");
    ok(await apply(probeRelease(conf("two"))));
  });

  it("refuses a path of another release", async () => {
    const other: Release = { release: "other", files: { [CONF]: rootFile("mine\n") } };
    expect((await observe(other)).of("conflict")).toEqual([[CONF, "probe"]]);
    const done = await apply(other, { instance: "-" });
    expect(done.of("refuse")).toEqual([["conflict", `${CONF} belongs to release probe on this host`]]);
    expect(await served()).toContain("# two");
  });

  it("takes a directory that is a link to one on a bigger disk for what it leads to", async () => {
    await sh(host, "mkdir -p /srv/disk && rm -rf /var/lib/bulk && ln -s /srv/disk /var/lib/bulk");
    const release = probeRelease(conf("two"));
    release.directories = {
      ...release.directories,
      "/var/lib/bulk": { mode: "0711", owner: "root", group: "root" },
    };
    ok(await apply(release));
    expect(await sh(host, "readlink /var/lib/bulk; stat -c %a /srv/disk")).toBe("/srv/disk\n711");
    const quiet = await apply(release);
    expect(quiet.of("did")).toEqual([]);
    ok(await apply(probeRelease(conf("two"))));
    expect(await sh(host, "readlink /var/lib/bulk")).toBe("/srv/disk");
  });

  it("refuses paths that lead elsewhere", async () => {
    for (const path of ["/etc/probe/../shadow", "relative", "/top", "/etc//x", "/etc/probe/"]) {
      const done = await apply({ release: "other", files: { [path]: rootFile("x\n") } }, { instance: "-" });
      expect([path, done.of("refuse")[0]?.[0]]).toEqual([path, "request"]);
    }
  });

  it("knows no result of an apply that never was", async () => {
    const done = await call(host, "result", {}, { apply: newApply() });
    expect(done.of("refuse")[0]?.[0]).toBe("unknown");
  });
});

describe("a delete", () => {
  it("does nothing for another instance (the resource was replaced)", async () => {
    const done = await call(host, "delete", { release: "probe" }, { instance: "0".repeat(32) });
    expect(done.end).toBe("end ok");
    expect(done.of("did")).toEqual([]);
    expect(await served()).toContain("# two");
  });

  it("[A5] stops and removes what the release owns and keeps all data; an apply afterwards goes on with it", async () => {
    await sh(host, "echo precious >/var/lib/probe/data/precious");
    const secret = await sh(host, "cat /etc/probe/secrets/random");
    const done = await call(host, "delete", { release: "probe" }, { instance });
    expect(done.end).toBe("end ok");
    expect(await sh(host, "systemctl is-active probe.service || true")).toBe("inactive");
    expect(
      await sh(host, "find /etc/probe /usr/local/lib/probe /etc/systemd/system/probe* 2>/dev/null | sort"),
    ).toBe(
      ["", "/secrets", "/secrets/given", "/secrets/made", "/secrets/random"]
        .map((path) => `/etc/probe${path}`)
        .join("\n"),
    );
    expect(await sh(host, "cat /etc/issue.net")).toContain("Debian");
    expect(await sh(host, "cat /var/lib/probe/data/precious")).toBe("precious");
    expect((await observe(probeRelease(conf("two")))).of("release")).toEqual([["-"]]);
    ok(await apply(probeRelease(conf("two")), { instance: "-" }));
    expect(await sh(host, "cat /etc/probe/secrets/random")).toBe(secret);
    expect(await served()).toContain("# two");
  });
});
