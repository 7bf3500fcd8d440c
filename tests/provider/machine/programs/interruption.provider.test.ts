import { downHost, type Host, powerCutHost, upHost } from "../../../../sandbox";
import { Cuts } from "../../../support/cuts/cuts";
import { orderFaults } from "../../../support/cuts/order";
import { cutSample } from "../../../support/cuts/sample";
import {
  call,
  HELD,
  hold,
  letGo,
  type Meta,
  newApply,
  ok,
  patchedPrograms,
  type Release,
  removePrograms,
  sh,
  untilStep,
} from "../../../support/host-programs";
import { eventually } from "../../../support/jobs";
import { conf, probeRelease, rootFile, URL } from "../../../support/probe-release";

// For this run only: another run at the same time has a host of its own.
const NAME = `interruption-${process.pid}`;
let host: Host;
let instance = "-";

const apply = (release: Release, meta: Partial<Meta> = {}, options: Parameters<typeof call>[4] = {}) =>
  call(host, "apply", release, { instance, ...meta }, options);
const observe = (release: Release) => call(host, "observe", release, { instance });
const base = () => probeRelease(conf("base"));
const served = () => sh(host, `curl -sS ${URL}`);
const picture = () =>
  sh(
    host,
    "cd /etc && find probe systemd/system issue.net ! -type d -printf '%p %i %m %u %g %T@ %l\\n' | sort",
  );
const policy = () => sh(host, "ls /usr/sbin/policy-rc.d 2>/dev/null || echo none");

/** A release whose health never comes, so that its apply hangs (and its service runs with the new file) until it is stopped. */
const hanging = (): Release =>
  probeRelease(conf("hanging"), {
    health: { never: { kind: "command", argv: ["/bin/false"], timeoutSeconds: 120 } },
  });

const until = (step: string, release: Release, meta: Partial<Meta>) =>
  untilStep(step, (options) => apply(release, meta, options));

beforeAll(async () => {
  host = await upHost({ name: NAME });
  instance = ok(await apply(base())).of("release")[0]?.[0] ?? "-";
});
afterAll(() => downHost(NAME));

/** Kills all processes of the transaction; does nothing when something clears up with these programs. */
const killed = (first = "") =>
  `if systemctl -q is-active "hearth-apply-$APPLY.service"; then ${first} kill -9 $(cat "/sys/fs/cgroup/system.slice/hearth-apply-$APPLY.service/cgroup.procs"); sleep 60; fi`;
const KILL = killed();
/** Nothing is there that could clear up at once, so that only the next apply is left to do it. */
const KILL_ALL = killed("rm -f /var/lib/hearth/recover;");

describe("a transaction that is killed is cleared up at once, or by the next apply:", () => {
  it.each([
    ["while it installs packages", "lib/packages.sh", "pm_hold_services", "preparing"],
    ["before validation", "lib/validate.sh", "validate() {", "preparing"],
    ["while it keeps the previous files", "lib/swap.sh", "keep_files() {", "preparing"],
    ["before the swap", "lib/swap.sh", "swap_lay_aside() {", "swapping"],
    ["with all files written aside", "lib/swap.sh", 'run "$DIR/output" xargs', "swapping"],
    ["after the first rename", "lib/swap.sh", 'mv -fT -- "$(aside', "swapping"],
    ["before units are restarted", "lib/units.sh", "settle_units() {", "swapping"],
    ["after units are restarted", "lib/tasks.sh", "apply_tasks() {", "swapping"],
    ["while it waits for health", "lib/health.sh", "wait_healthy() {", "swapping"],
    ["before it records", "lib/record.sh", "prepare_record() {", "swapping"],
  ])("%s", async (_, file, place, state) => {
    const before = await picture();
    const programs = patchedPrograms(file, place, KILL_ALL);
    const id = newApply();
    const next = probeRelease(conf("next"), { packages: { busybox: "any", curl: "any", bc: "any" } });
    next.files = { ...next.files, "/etc/probe/new": rootFile("new\n") };
    await sh(host, "dpkg -P bc >/dev/null 2>&1");
    const cut = await apply(next, { apply: id }, { programs });
    removePrograms(programs);
    expect(cut.of("fail").at(-1)?.[0]).toBe("interrupted");
    expect(cut.of("undone").length).toBe(state === "preparing" ? 0 : 1);
    expect(cut.end).toBe("end failed");
    expect((await observe(base())).of("journal")).toEqual([
      [state, id, expect.stringMatching(/^\d+$/), "probe"],
    ]);
    // systemd removes what was sent, without waiting for the next apply or a boot.
    const sent = "grep -rl 'from the operator' /var/lib/hearth/apply || echo none";
    expect(await eventually(async () => (await sh(host, sent)) === "none", 20)).toBe(true);

    const done = ok(await apply(base()));
    expect(done.of("note").flat().join()).toContain("an interrupted change of release probe was found");
    expect(await served()).toContain("# base");
    expect(await picture()).toBe(before);
    expect(await policy()).toBe("none");
    expect((await observe(base())).of("journal")).toEqual([]);
    expect((await observe(base())).of("changed")).toEqual([]);
  });

  it.each([
    ["before validation", "lib/validate.sh", "validate() {"],
    ["after the first rename", "lib/swap.sh", 'mv -fT -- "$(aside'],
    ["while it waits for health", "lib/health.sh", "stay_healthy() {"],
  ])("%s, at once and with its verdict", async (_, file, place) => {
    const before = await picture();
    const programs = patchedPrograms(file, place, KILL);
    const cut = await apply(probeRelease(conf("killed")), {}, { programs });
    removePrograms(programs);
    expect(cut.of("fail")).toEqual([["interrupted", expect.stringContaining("killed")]]);
    expect(cut.of("undone")).toEqual(
      file === "lib/validate.sh"
        ? []
        : [["ok", expect.stringContaining("is active, its units and health are")]],
    );
    expect(cut.end).toBe("end failed");
    expect(await served()).toContain("# base");
    expect(await picture()).toBe(before);
    const seen = await observe(base());
    expect([seen.of("journal"), seen.of("changed"), seen.of("lock")]).toEqual([[], [], []]);
    const done = ok(await apply(base()));
    expect(done.of("note").flat().join()).toContain(
      "an interrupted change of release probe was cleared up when it was killed",
    );
    expect(done.of("did")).toEqual([]);
  });

  it.each([
    ["before it commits its records", "lib/record.sh", "commit_record() {"],
    ["in the middle of its records", "lib/record.sh", "keep_generation"],
  ])("%s (finished, not undone: everything had been proved)", async (_, file, place) => {
    const programs = patchedPrograms(file, place, KILL_ALL);
    const mark = `finished ${place}`;
    const cut = await apply(probeRelease(conf(mark)), {}, { programs });
    removePrograms(programs);
    expect(cut.end).toBe("end failed");
    const done = ok(await apply(probeRelease(conf(mark))));
    expect(done.of("note").flat().join()).toContain("finished");
    expect(done.of("did")).toEqual([]);
    expect(await served()).toContain(mark);
    ok(await apply(base()));
  });

  it("[A4] a power cut: after the boot the last proven generation serves, with nobody there", async () => {
    const before = await picture();
    const { ended } = await until("waiting until the services answer", hanging(), {});
    const lost = ended.then(
      () => "an answer",
      (error: Error) => error.message,
    );
    await powerCutHost(NAME);
    const cut = Date.now();
    expect(await lost).not.toBe("an answer");
    host = await upHost({ name: NAME });
    // Its unit is up at once, its port a moment later. Never does the new file serve.
    let first = "";
    expect(
      await eventually(async () => {
        first = await served().catch(() => "");
        return first !== "";
      }),
    ).toBe(true);
    expect(first).toContain("# base");
    console.info(`the last proven generation answers ${Date.now() - cut} ms after power came back`);
    expect(await picture()).toBe(before);
    const seen = await observe(base());
    expect([seen.of("journal"), seen.of("changed"), seen.of("health")]).toEqual([
      [],
      [],
      [["answers", "ok"]],
    ]);
    const done = ok(await apply(base()));
    expect(done.of("note").flat().join()).toContain(
      "an interrupted change of release probe was cleared up at boot: generation",
    );
    expect(done.of("did")).toEqual([]);
    expect(await sh(host, "systemctl show -p NRestarts --value probe.service")).toBe("0");
  });
});

it("[A4] keeps what could not be undone, however many applies are refused after it", async () => {
  const id = newApply();
  await sh(
    host,
    `mkdir -p /var/lib/hearth/apply/${id}/undo && touch -d 2000-01-01 /var/lib/hearth/apply/${id}`,
  );
  await sh(host, `for n in $(seq 30); do mkdir -p /var/lib/hearth/apply/older-$n; done`);
  const journal = `apply\\t${id}\\nrelease\\tprobe\\nstate\\tswapping\\n`;
  const programs = patchedPrograms("lib/lock.sh", "recover_interrupted() {", "RECOVER_TEXT=no; return 1");
  try {
    await sh(host, `printf '${journal}' >/var/lib/hearth/journal`);
    expect((await apply(base(), {}, { programs })).of("refuse")[0]?.[0]).toBe("journal");
    expect(await sh(host, `ls /var/lib/hearth/apply/${id}`)).toBe("undo");
  } finally {
    removePrograms(programs);
    await sh(
      host,
      `rm -rf /var/lib/hearth/journal /var/lib/hearth/apply/older-* /var/lib/hearth/apply/${id}`,
    );
  }
});

describe("stopping on purpose", () => {
  it("a cancel rolls back at the next safe point", async () => {
    const before = await picture();
    const id = newApply();
    const { ended } = await until("waiting until the services answer", hanging(), { apply: id });
    expect((await call(host, "cancel", {}, { apply: id })).end).toBe("end ok");
    const done = await ended;
    expect(done.of("fail")).toEqual([["health", "cancelled"]]);
    expect(done.of("undone")[0]?.[0]).toBe("ok");
    expect(await served()).toContain("# base");
    expect(await picture()).toBe(before);
  });

  it("stopping the unit (a shutdown) rolls back too", async () => {
    const id = newApply();
    const { ended } = await until("waiting until the services answer", hanging(), { apply: id });
    await sh(host, `systemctl stop hearth-apply-${id}`);
    expect((await ended).of("undone")[0]?.[0]).toBe("ok");
    expect(await served()).toContain("# base");
    expect((await observe(base())).of("journal")).toEqual([]);
  });
});

describe("a lost connection", () => {
  beforeEach(() => hold(host));

  it("does not stop the apply; its result can be had later, from any line", async () => {
    const release = probeRelease(conf("base"), {
      validators: { held: HELD },
    });
    release.files = { ...release.files, "/etc/probe/later": rootFile("later\n") };
    const id = newApply();
    const abort = new AbortController();
    const lost = apply(
      release,
      { apply: id },
      {
        signal: abort.signal,
        onLine: (line) => {
          if (line.includes("validating")) abort.abort();
        },
      },
    );
    await expect(lost).rejects.toThrow();
    await letGo(host);
    const all = ok(await call(host, "result", release, { apply: id }));
    expect(all.of("did").flat()).toContain("wrote /etc/probe/later");
    const rest = ok(await call(host, "result", release, { apply: id, line: "3" }));
    expect(rest.rows).toEqual(all.rows.slice(2));
    const again = ok(await apply(release, { apply: id }));
    expect(again.rows).toEqual(all.rows);
    ok(await apply(base()));
  });
});

describe("two at once", () => {
  const held = (): Release => ({
    release: "first",
    files: { "/etc/first": rootFile(`${newApply()}\n`) },
    validators: { held: HELD },
  });
  beforeEach(() => hold(host));

  it("another operator is refused at once, with the holder's name and age", async () => {
    const { ended } = await until("validating", held(), { operator: "anna@desk", instance: "-" });
    expect((await observe(base())).of("lock")).toEqual([["anna@desk", expect.stringMatching(/^\d+$/)]]);
    const refused = await apply(base(), { operator: "ben@laptop", run: "another" });
    expect(refused.end).toBe("end refused");
    expect(refused.of("refuse")[0]).toEqual([
      "locked",
      expect.stringMatching(/^anna@desk has been changing this host for \d+ s \(release first\)/),
    ]);
    await letGo(host);
    ok(await ended);
    expect((await observe(base())).of("lock")).toEqual([]);
  });

  it("another release of the same run waits and says for what", async () => {
    const first = await until("validating", held(), { instance: "-" });
    const second = await until("waiting for release", base(), {});
    await letGo(host);
    ok(await first.ended);
    const waited = ok(await second.ended);
    expect(waited.of("step")[0]?.[2]).toBe("waiting for release first on this host");
  });

  it("every release of a run gets its turn, however many wait", async () => {
    const releases = Array.from(
      { length: 5 },
      (_, index): Release => ({
        release: `turn-${index}`,
        files: { [`/etc/turn-${index}`]: rootFile(`${newApply()}\n`) },
      }),
    );
    const done = await Promise.all(releases.map((release) => apply(release, { instance: "-" })));
    for (const answer of done) ok(answer);
    expect((await observe(base())).of("lock")).toEqual([]);
  });

  it("a lock whose holder died is none", async () => {
    const id = newApply();
    const { ended } = await until("validating", held(), { apply: id, run: "dead", instance: "-" });
    await sh(host, `systemctl kill -s KILL hearth-apply-${id}`);
    await ended;
    expect((await observe(base())).of("lock")).toEqual([]);
    ok(await apply(base()));
  });
});

describe("a full disk", () => {
  const onSmall = (mark: string): Release => {
    const release = probeRelease(conf(mark));
    release.files = {
      ...release.files,
      "/srv/small/a": rootFile("a\n"),
      "/srv/small/b": rootFile("b\n"),
      "/srv/small/c": rootFile("c\n"),
    };
    return release;
  };
  afterEach(() => sh(host, "umount /srv/small"));

  it("that can be foreseen is refused before anything changes", async () => {
    await sh(host, "mkdir -p /srv/small && mount -t tmpfs -o size=256k,mode=755 small /srv/small");
    const done = await apply(onSmall("full"));
    expect(done.of("refuse")[0]?.[0]).toBe("space");
    expect(done.of("refuse")[0]?.[1]).toContain("/srv/small");
    expect(await served()).toContain("# base");
  });

  it("in the middle of the swap rolls everything back", async () => {
    const before = await picture();
    await sh(host, "mkdir -p /srv/small && mount -t tmpfs -o size=8m,nr_inodes=3,mode=755 small /srv/small");
    const done = await apply(onSmall("full"));
    expect(done.of("fail")[0]).toEqual([
      "swap",
      expect.stringMatching(/^\/srv\/small\/\w could not be written$/),
    ]);
    expect(Buffer.from(done.of("output")[0]?.[0] ?? "", "base64").toString()).toContain("No space left");
    expect(done.of("undone")[0]?.[0]).toBe("ok");
    expect(await sh(host, "ls -A /srv/small /etc/probe")).not.toContain("hearth-new");
    expect(await served()).toContain("# base");
    expect(await picture()).toBe(before);
  });
});

it("[A4] a disk that is full by the time the services fail does not stop the way back", async () => {
  // The copies are kept on another file system here, so what comes back has other inodes.
  const access = async () => (await picture()).replaceAll(/^(\S+) \d+/gm, "$1");
  const before = await access();
  const state = "/var/lib/hearth";
  await sh(
    host,
    `mkdir -p /run/state && mount -t tmpfs -o size=24m small /run/state && cp -a ${state}/. /run/state`,
  );
  await sh(host, `mount --bind /run/state ${state}`);
  try {
    const fill = `dd if=/dev/zero of=${state}/filler bs=4k 2>/dev/null; exit 1`;
    const probe = { kind: "command" as const, argv: ["/bin/sh", "-c", fill], timeoutSeconds: 3 };
    const done = await apply(probeRelease(conf("full"), { health: { full: probe } }));
    expect(done.of("fail")[0]?.[0]).toBe("health");
    expect(done.of("undone")[0]?.[0]).toBe("ok");
    expect(await served()).toContain("# base");
    expect(await access()).toBe(before);
  } finally {
    await sh(host, `umount ${state} && umount /run/state`);
  }
});

it("[A4] cut anywhere, the last proven generation serves after the boot, and a repeat converges; in any order of disk writes", async () => {
  const cuts = await Cuts.on(host, "system");
  const { recorded, faults } = await cutSample(cuts, 15);
  await cuts.leave();
  expect(faults).toEqual([]);
  expect(orderFaults(recorded.change)).toEqual([]);
  expect(orderFaults(recorded.create)).toEqual([]);
});

it("nothing of Hearth's stays running", async () => {
  const units = () => sh(host, "systemctl list-units --all --plain --no-legend 'hearth-apply-*'");
  expect(await eventually(async () => (await units()) === "", 60)).toBe(true);
});
