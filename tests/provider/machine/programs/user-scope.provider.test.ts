import { downHost, type Host, powerCutHost, upHost } from "../../../../sandbox";
import { Cuts } from "../../../support/cuts/cuts";
import { orderFaults } from "../../../support/cuts/order";
import { cutSample } from "../../../support/cuts/sample";
import {
  type Answer,
  call,
  HELD,
  hold,
  LOGIN,
  letGo,
  type Meta,
  newApply,
  ok,
  patchedPrograms,
  type Release,
  removePrograms,
  sealed,
  sh,
  untilStep,
} from "../../../support/host-programs";
import { eventually } from "../../../support/jobs";
import {
  asUser,
  CONF,
  conf,
  DATA,
  HOME,
  IMAGE,
  QUADLET,
  quadlet,
  REGISTRY,
  rootlessHost,
  STATE,
  TIMER,
  URL,
  userFile,
  userRelease,
} from "../../../support/user-release";

// For this run only: another run at the same time has a host of its own.
const NAME = `user-scope-${process.pid}`;
let host: Host;
/** Of the installed probe release; a Create has `-`. */
let instance = "-";

type Options = Parameters<typeof call>[4];
const apply = (release: Release, meta: Partial<Meta> = {}, options: Options = {}) =>
  call(host, "apply", release, { instance, scope: "user", ...meta }, options);
const observe = (release: Release) => call(host, "observe", release, { instance, scope: "user" });
const served = () => sh(host, `curl -sS ${URL}`);
const container = () => asUser(host, "podman inspect --format '{{.Id}}' hearth-probe");
/** Everything that a failed apply must leave alone: access, times, inodes (and so contents), the Podman secrets. */
const picture = () =>
  asUser(
    host,
    `cd && find .config .local/lib ! -type d -printf '%p %i %m %u %g %T@ %l\\n' 2>/dev/null | sort
    podman secret inspect --showsecret --format '{{.Spec.Name}} {{.SecretData}}' probe-random probe-made probe-given | sort`,
  );
const said = (answer: Answer) =>
  answer
    .of("output")
    .map(([text]) => Buffer.from(text ?? "", "base64").toString())
    .join();
const given = (value: string): Release => {
  const release = userRelease(conf("two"));
  return {
    ...release,
    containerSecrets: { ...release.containerSecrets, "probe-given": { source: { kind: "given", value } } },
  };
};
/** A release whose health never comes, so that its apply hangs (and its container runs with the new file) until it is stopped. */
const hanging = (release: Release): Release => ({
  ...release,
  health: { never: { kind: "command", argv: ["/bin/false"], timeoutSeconds: 120 } },
});

const until = (step: string, release: Release, meta: Partial<Meta> = {}) =>
  untilStep(step, (options) => apply(release, meta, options));

beforeAll(async () => {
  host = await rootlessHost(NAME);
});
afterAll(() => downHost(NAME));

describe("a fresh host", () => {
  it("is observed as empty, and observing writes nothing", async () => {
    const seen = await observe(userRelease(conf("one")));
    expect(seen.end).toBe("end");
    expect(seen.of("release")).toEqual([["-"]]);
    expect(seen.of("image")).toEqual([[IMAGE, "present"]]);
    expect(seen.of("container-secret").sort()).toEqual([
      ["probe-given", "-"],
      ["probe-made", "-"],
      ["probe-random", "-"],
    ]);
    expect(seen.of("unit")).toContainEqual(["hearth-probe.service", "-", "inactive", "dead"]);
    expect(await sh(host, `ls -d ${STATE} /var/lib/hearth 2>/dev/null || echo none`)).toBe("none");
  });

  it("[H1] gets everything a release names in one apply, and nothing of it is root's", async () => {
    const done = ok(await apply(userRelease(conf("one"))));
    instance = done.of("release")[0]?.[0] ?? "";
    expect(done.of("release")).toEqual([[instance, "1"]]);
    expect(await served()).toMatch(/# one\n17$/);
    expect(await asUser(host, "systemctl --user is-enabled hearth-probe.service hearth-tick.timer")).toBe(
      "generated\nenabled",
    );
    expect(await asUser(host, `cat ${DATA}/mark; stat -c '%a %U' ${DATA} ${STATE}`)).toBe(
      `${LOGIN}\n700 ${LOGIN}\n700 ${LOGIN}`,
    );
    expect(
      await sh(
        host,
        `find ${HOME} -xdev ! -user ${LOGIN} ! -path '*/containers/storage/*' ! -path '*/.ssh*'`,
      ),
    ).toBe("");
    expect(await sh(host, "ls -d /var/lib/hearth 2>/dev/null || echo none")).toBe("none");
  });

  it("[A9] makes Podman secrets once, in memory, and keeps none of what was sent", async () => {
    const secret = (name: string) =>
      asUser(host, `podman secret inspect --showsecret --format '{{.SecretData}}' ${name}`);
    expect(await secret("probe-random")).toMatch(/^[0-9a-f]{40}$/);
    // Made by a program from the other one, whose name comes after its own.
    expect(await secret("probe-made")).toBe(await secret("probe-random"));
    expect(await secret("probe-given")).toBe("from the operator");
    expect(
      await asUser(
        host,
        `grep -rl 'from the operator' ${STATE} "$XDG_RUNTIME_DIR" 2>/dev/null || echo none; ls "$XDG_RUNTIME_DIR" | grep hearth-secret || echo none`,
      ),
    ).toBe("none\nnone");
    const seen = (await observe(userRelease(conf("one")))).of("container-secret");
    expect(seen).toContainEqual(["probe-given", sealed("from the operator")]);
    expect(seen).toContainEqual(["probe-random", expect.stringMatching(/^v1:[0-9a-f]{32}:[0-9a-f]{64}$/)]);
    expect(await asUser(host, "podman secret inspect --format '{{.Spec.Driver.Name}}' probe-random")).toBe(
      "file",
    );
  });
});

describe("an apply after that", () => {
  it("[A1] changes nothing, restarts nothing and asks no registry", async () => {
    await sh(host, "systemctl stop docker-registry");
    const before = [await container(), await picture()];
    const done = ok(await apply(userRelease(conf("one"))));
    expect(done.of("did")).toEqual([]);
    expect(done.of("release")).toEqual([[instance, "1"]]);
    expect([await container(), await picture()]).toEqual(before);
    expect((await observe(userRelease(conf("one")))).of("changed")).toEqual([]);
    console.info(
      `quiet apply: ${done.took} ms, observe: ${(await observe(userRelease(conf("one")))).took} ms`,
    );
    await sh(host, "systemctl start docker-registry");
  });

  it("[A2] restarts the container when its configuration changed", async () => {
    const before = await container();
    const done = ok(await apply(userRelease(conf("two"))));
    expect(done.of("did").map(([text]) => text)).toEqual([
      `wrote ${CONF}`,
      expect.stringMatching(/^restarted hearth-probe\.service \(down \d+\.\d s\)$/),
    ]);
    expect(await container()).not.toBe(before);
    expect(await served()).toContain("# two");
  });

  it("restarts the container when its Quadlet file changed, without being told so", async () => {
    const release = userRelease(conf("two"));
    release.files = {
      ...release.files,
      [QUADLET]: userFile(quadlet().replace("Description=Probe", "Description=Other")),
    };
    const done = ok(await apply(release));
    expect(done.of("did").flat().join()).toMatch(/restarted hearth-probe\.service/);
    expect(await asUser(host, "systemctl --user show -p Description --value hearth-probe.service")).toBe(
      "Other",
    );
    ok(await apply(userRelease(conf("two"))));
  });

  it("replaces a given Podman secret that changed, restarts what names it, and shows no value", async () => {
    const done = ok(await apply(given("a newer secret of theirs")));
    expect(done.of("did").flat()).toContain("replaced Podman secret probe-given");
    expect(await served()).toMatch(/\n24$/);
    expect(JSON.stringify(done.rows)).not.toContain("newer");
    expect(await asUser(host, `grep -rlE 'newer secret|from the operator' ${STATE} || echo none`)).toBe(
      "none",
    );
    ok(await apply(userRelease(conf("two"))));
  });

  it("[A3] shows and repairs a file, units, an image and secrets that were changed by hand", async () => {
    await asUser(
      host,
      `echo '# by hand' >>${CONF}; systemctl --user -q disable --now hearth-tick.timer; systemctl --user stop hearth-probe
      podman rmi --force ${IMAGE} >/dev/null; podman secret rm probe-random >/dev/null
      printf other | podman secret create --replace probe-given - >/dev/null`,
    );
    const seen = await observe(userRelease(conf("two")));
    expect(seen.of("changed").flat().sort()).toEqual(
      [CONF, IMAGE, "hearth-probe.service", "hearth-tick.timer", "probe-given", "probe-random"].sort(),
    );
    expect(seen.of("image")).toEqual([[IMAGE, "absent"]]);
    expect(seen.of("container-secret")).toContainEqual(["probe-random", "-"]);
    expect(seen.of("unit")).toContainEqual(["hearth-tick.timer", "disabled", "inactive", "dead"]);
    const done = ok(await apply(userRelease(conf("two"))));
    const steps = done.rows.filter(([kind]) => kind === "step").map(([, , , text]) => text ?? "");
    const pulling = steps.indexOf(`pulling image ${IMAGE} (may take minutes)`);
    expect(pulling).toBeGreaterThan(0);
    expect(pulling).toBeLessThan(steps.indexOf("putting the new files in place"));
    expect(done.of("did").flat()).toEqual(
      expect.arrayContaining([
        `pulled image ${IMAGE}`,
        "made Podman secret probe-random",
        "replaced Podman secret probe-given",
      ]),
    );
    expect(await served()).toMatch(/# two\n17$/);
    expect((await observe(userRelease(conf("two")))).of("changed")).toEqual([]);
  });
});

describe("a change that would break the service", () => {
  it("[A4] leaves everything as it was when the image's own program refuses the staged configuration", async () => {
    const before = [await container(), await picture()];
    const done = await apply(userRelease(conf("three", "nonsense")));
    expect(done.of("fail")).toEqual([["validate", "validation by 10-configuration failed (exit status 1)"]]);
    expect(said(done)).toContain("no such mode: nonsense");
    expect(done.of("undone")).toEqual([]);
    expect([await container(), await picture()]).toEqual(before);
  });

  it("[A4] leaves everything as it was when Quadlet cannot read a staged file", async () => {
    const before = [await container(), await picture()];
    const release = userRelease(conf("two"));
    release.files = { ...release.files, [QUADLET]: userFile(`${quadlet()}[Container]\nNoSuchKey=1\n`) };
    const done = await apply(release);
    expect(done.of("fail")[0]?.[1]).toContain("20-quadlet");
    expect(said(done)).toContain("unsupported key 'NoSuchKey'");
    expect([await container(), await picture()]).toEqual(before);
  });

  it("[A4] shows validators a file that goes away as gone, and drops what they write", async () => {
    const release = userRelease(conf("two"));
    const { [TIMER]: _, ...files } = release.files ?? {};
    const look = `ls ~/.config/systemd/user; touch ~/.config/litter ~/.config/hearth/litter; ip link show lo; id -u; exit 7`;
    const done = await apply({
      ...release,
      files,
      units: {},
      validators: { look: { argv: ["/bin/sh", "-c", look], timeoutSeconds: 20, isolateNetwork: true } },
    });
    expect(said(done)).toMatch(/^hearth-tick\.service$/m);
    expect(said(done)).not.toMatch(/^hearth-tick\.timer$/m);
    expect(said(done)).toMatch(/lo: <LOOPBACK,UP/);
    expect(done.of("fail")[0]?.[1]).toContain("exit status 7");
    expect(await asUser(host, "ls ~/.config/litter ~/.config/hearth/litter 2>/dev/null || echo none")).toBe(
      "none",
    );
    // The mounts of the view are its own: a container that runs sees none of them.
    expect(await asUser(host, "podman unshare grep -c hearth-view /proc/self/mountinfo || true")).toBe("0");
  });

  it("[A4] brings the old container back when the new one dies at its start, with its last words but no password", async () => {
    const before = await picture();
    const done = await apply(userRelease(conf("four", "crash")));
    expect(done.end).toBe("end failed");
    expect(said(done)).toContain("cannot start with mode=crash");
    expect(said(done)).not.toContain("hunter2");
    expect(done.of("undone")[0]?.[0]).toBe("ok");
    expect(await served()).toContain("# two");
    expect(await picture()).toBe(before);
    expect((await observe(userRelease(conf("two")))).of("changed")).toEqual([]);
  });

  it("[A4] puts a replaced Podman secret back", async () => {
    const before = await picture();
    const release = given("never to be seen");
    const done = await apply({
      ...release,
      tasks: { never: { observe: ["/bin/echo", "no"], apply: ["/bin/true"], want: "yes" } },
    });
    expect(done.of("did").flat()).toContain("replaced Podman secret probe-given");
    expect(done.of("undone")[0]?.[0]).toBe("ok");
    expect(await picture()).toBe(before);
    expect(await served()).toMatch(/\n17$/);
    expect(await asUser(host, `grep -rlE 'never to be|from the operator' ${STATE} || echo none`)).toBe(
      "none",
    );
  });
});

const wantingImage = (image: string) => ({ ...userRelease(conf("five")), images: [IMAGE, image] });

describe("an image that cannot be had", () => {
  it.each([
    ["does not exist", `${REGISTRY}/probe:2`, "manifest unknown"],
    ["is in a registry that cannot be reached", "127.0.0.1.nip.test/probe:1", "no such host"],
  ])("%s: nothing is swapped, and Podman says why", async (_, image, words) => {
    const before = [await container(), await picture()];
    const done = await apply(wantingImage(image));
    expect(done.of("fail")).toEqual([["images", `image ${image} could not be pulled`]]);
    expect(said(done)).toContain(words);
    expect(done.of("undone")).toEqual([]);
    expect([await container(), await picture()]).toEqual(before);
  });
});

it("a cancel stops a pull that gets no answer", async () => {
  // Takes connections and says nothing.
  const listen = "import socket,time; s=socket.create_server(('127.0.0.1', 5001)); time.sleep(600)";
  await sh(
    host,
    `systemd-run --quiet --unit=silent -- python3 -c "${listen}"; until ss -Hltn | grep -q :5001; do sleep 0.1; done`,
  );
  const image = "registry.test:5001/probe:1";
  const id = newApply();
  const { ended } = await until(`pulling image ${image}`, wantingImage(image), { apply: id });
  expect((await call(host, "cancel", {}, { apply: id, scope: "user" })).end).toBe("end ok");
  const done = await ended;
  expect(done.of("fail")).toEqual([["images", "cancelled"]]);
  expect(done.took).toBeLessThan(40_000);
  await sh(host, "systemctl stop silent");
});

describe("a host that is not prepared is refused before anything is touched:", () => {
  it("units would end with the login", async () => {
    await sh(host, `loginctl disable-linger ${LOGIN}`);
    try {
      const done = await apply(userRelease(conf("six")));
      expect(done.of("refuse")).toEqual([
        ["linger", expect.stringContaining(`as root: loginctl enable-linger ${LOGIN}`)],
      ]);
      // A preview can look all the same.
      expect((await observe(userRelease(conf("six")))).end).toBe("end");
    } finally {
      await sh(host, `loginctl enable-linger ${LOGIN}`);
    }
  });

  it("root logs in", async () => {
    const release = userRelease(conf("six"));
    const done = await call(host, "observe", release, { scope: "user" }, { user: "root" });
    expect(done.of("refuse")[0]).toEqual(["root", expect.stringContaining("log in as another user")]);
  });
});

describe("interruptions", () => {
  beforeEach(() => hold(host));

  it("a lost connection does not stop the apply; its result can be had later", async () => {
    const id = newApply();
    const release = userRelease(conf("two"), {
      validators: { held: HELD },
    });
    release.files = { ...release.files, [`${HOME}/.config/hearth/probe/later`]: userFile("later\n") };
    const abort = new AbortController();
    const onLine = (line: string) => {
      if (line.includes("validating")) abort.abort();
    };
    await expect(apply(release, { apply: id }, { signal: abort.signal, onLine })).rejects.toThrow();
    await letGo(host);
    const all = ok(await call(host, "result", release, { apply: id, scope: "user" }));
    expect(all.of("did").flat()).toContain(`wrote ${HOME}/.config/hearth/probe/later`);
    ok(await apply(userRelease(conf("two"))));
  });

  it("another operator is refused at once, with the holder's name and age", async () => {
    const held = userRelease(conf("two"), { validators: { held: HELD } });
    held.files = { ...held.files, [`${HOME}/.config/hearth/probe/held`]: userFile("held\n") };
    const { ended } = await until("validating", held, { operator: "anna@desk" });
    const refused = await apply(userRelease(conf("two")), { operator: "ben@laptop", run: "another" });
    expect(refused.of("refuse")[0]).toEqual([
      "locked",
      expect.stringMatching(/^anna@desk has been changing this host for \d+ s/),
    ]);
    await letGo(host);
    ok(await ended);
    ok(await apply(userRelease(conf("two"))));
  });

  it("a cancel rolls back at the next safe point", async () => {
    const before = await picture();
    const id = newApply();
    const { ended } = await until(
      "waiting until the services answer",
      hanging(userRelease(conf("hanging"))),
      { apply: id },
    );
    expect((await call(host, "cancel", {}, { apply: id, scope: "user" })).end).toBe("end ok");
    const done = await ended;
    expect(done.of("fail")).toEqual([["health", "cancelled"]]);
    expect(done.of("undone")[0]?.[0]).toBe("ok");
    expect(await picture()).toBe(before);
  });

  it("[A9] a secret that was in the making when the apply was killed does not stay in memory", async () => {
    const programs = patchedPrograms("lib/containers.sh", "store_status=0", "kill -9 $$");
    const release = userRelease(conf("two"));
    const source = { kind: "given" as const, value: "in the making" };
    const files = () => asUser(host, 'ls "$XDG_RUNTIME_DIR" | grep hearth-secret || echo none');
    try {
      const killed = {
        ...release,
        containerSecrets: { ...release.containerSecrets, "probe-cut": { source } },
      };
      expect((await apply(killed, {}, { programs })).end).toBe("end failed");
    } finally {
      removePrograms(programs);
    }
    expect(await files()).toBe("none");
    ok(await apply(release));
    expect(await asUser(host, `grep -rl 'in the making' ${STATE} || echo none`)).toBe("none");
  });

  it.each(["", '{"half": "wri'])(
    "[A4] secrets that a cut left half written (%j) are put back: the signing key is one of them",
    async (half) => {
      const all =
        "podman secret ls --quiet | xargs podman secret inspect --showsecret --format '{{.SecretData}}' | sort";
      const store = `${HOME}/.local/share/containers/storage/secrets/filedriver/secretsdata.json`;
      const before = await asUser(host, all);
      const release = userRelease(conf("two"));
      const cut = patchedPrograms(
        "lib/containers.sh",
        "store_result=0",
        `printf '%s' '${half}' >${store}; kill -9 $$`,
      );
      try {
        const source = { kind: "random" as const, bytes: 16 };
        const secrets = { ...release.containerSecrets, "probe-half": { source } };
        const done = await apply({ ...release, containerSecrets: secrets }, {}, { programs: cut });
        expect(done.end).toBe("end failed");
        expect(done.of("note").flat().join()).toContain("all that were there before it were put back");
      } finally {
        removePrograms(cut);
      }
      expect(await asUser(host, all)).toBe(before);
      ok(await apply(release));
      expect(await asUser(host, all)).toBe(before);
      expect(await asUser(host, `ls -d ${STATE}/secret-store* 2>/dev/null || echo none`)).toBe("none");
    },
  );

  it("[A4] a power cut: after the boot the last proven generation serves, secrets too, with nobody there", async () => {
    const before = await picture();
    const secret = given("a value before the cut");
    const { ended } = await until(
      "waiting until the services answer",
      hanging({ ...secret, files: userRelease(conf("hanging")).files ?? {} }),
    );
    const lost = ended.then(
      () => "an answer",
      (error: Error) => error.message,
    );
    // Another one waits for the lock: no journal will tell of it.
    const waiting = await until("waiting for release probe", given("a value that waited before the cut"));
    waiting.ended.catch(() => undefined);
    expect(await asUser(host, `grep -rl 'that waited' ${STATE}`)).toContain("container-given");
    await powerCutHost(NAME);
    expect(await lost).not.toBe("an answer");
    host = await upHost({ name: NAME });
    // Never does the new file serve.
    let first = "";
    const answers = async () => {
      first = await served().catch(() => "");
      return first !== "";
    };
    expect(await eventually(answers, 120)).toBe(true);
    expect([first, await asUser(host, `tail -n 5 ${STATE}/apply/*/log | grep -a undone`)]).toEqual([
      expect.stringMatching(/# two\n17$/),
      expect.stringContaining("was put back at boot"),
    ]);
    expect(await picture()).toBe(before);
    const seen = await observe(userRelease(conf("two")));
    expect([seen.of("journal"), seen.of("changed")]).toEqual([[], []]);
    const done = ok(await apply(userRelease(conf("two"))));
    expect(done.of("note").flat().join()).toContain(
      "an interrupted change of release probe was cleared up at boot: generation",
    );
    expect(done.of("did")).toEqual([]);
    expect(await picture()).toBe(before);
    expect(await asUser(host, `grep -rlE 'before the cut|from the operator' ${STATE} || echo none`)).toBe(
      "none",
    );
  });

  it("[H15] a power cut between changes: the container is up again after the boot, without a login", async () => {
    await powerCutHost(NAME);
    const cut = Date.now();
    host = await upHost({ name: NAME });
    await sh(
      host,
      `for n in $(seq 1200); do curl -sf ${URL} >/dev/null && exit 0; sleep 0.1; done
        journalctl --no-pager -o short-precise -n 80 _UID=1000; exit 1`,
    );
    console.info(`answers ${Date.now() - cut} ms after power came back`);
    expect((await observe(userRelease(conf("two")))).of("changed")).toEqual([]);
  });

  it("a disk that fills up in the middle of the swap rolls everything back", async () => {
    const small = `${HOME}/.config/hearth/small`;
    const before = await picture();
    await sh(host, `mkdir -p ${small} && mount -t tmpfs -o size=8m,nr_inodes=2,uid=1000 small ${small}`);
    try {
      const release = userRelease(conf("full"));
      release.files = { ...release.files, [`${small}/a`]: userFile("a\n"), [`${small}/b`]: userFile("b\n") };
      const done = await apply(release);
      expect(done.of("fail")).toEqual([["swap", expect.stringMatching(/small\/\w could not be written$/)]]);
      expect(said(done)).toContain("No space left");
      expect(done.of("undone")[0]?.[0]).toBe("ok");
    } finally {
      await sh(host, `umount ${small} && rmdir ${small}`);
    }
    expect(await served()).toContain("# two");
    expect(await picture()).toBe(before);
  });
});

it("[A4] cut anywhere, the last proven generation of a user's release serves after the boot, and a repeat converges", async () => {
  const cuts = await Cuts.on(host, "user");
  const { recorded, faults } = await cutSample(cuts, 5);
  await cuts.leave();
  expect(faults).toEqual([]);
  expect(orderFaults(recorded.change)).toEqual([]);
});

describe("what goes away", () => {
  const startJob = () => asUser(host, "systemctl --user start --no-block hearth-tick.service");

  it("a unit that the release no longer names is stopped before its file goes, and the job that it started", async () => {
    await startJob();
    const release = userRelease(conf("two"));
    const { [TIMER]: _, ...files } = release.files ?? {};
    const { "hearth-tick.timer": __, ...units } = release.units ?? {};
    const { "30-units": ___, ...validators } = release.validators ?? {};
    const done = ok(await apply({ ...release, files, units, validators }));
    expect(done.of("did").flat()).toContain("stopped hearth-tick.timer");
    expect(await asUser(host, "systemctl --user is-active hearth-tick.timer || true")).toBe("inactive");
    expect(await asUser(host, "systemctl --user is-active hearth-tick.service || true")).not.toMatch(
      /^activ/,
    );
    ok(await apply(release));
  });

  it("[A5] a delete stops and removes what the release owns and keeps data, image and secrets; an apply goes on with them", async () => {
    await asUser(host, `echo precious >${DATA}/precious`);
    await startJob();
    const secret = "podman secret inspect --showsecret --format '{{.SecretData}}' probe-random";
    const before = await asUser(host, secret);
    const done = await call(host, "delete", { release: "probe" }, { instance, scope: "user" });
    expect(done.end).toBe("end ok");
    expect(
      await asUser(host, "systemctl --user list-units --all --plain --no-legend 'hearth-*'; podman ps -aq"),
    ).toBe("");
    expect(
      await asUser(
        host,
        `ls -A ${HOME}/.config/hearth ${HOME}/.config/containers ${HOME}/.config/systemd 2>/dev/null || true`,
      ),
    ).not.toMatch(/probe|tick/);
    expect(await asUser(host, `cat ${DATA}/precious`)).toBe("precious");
    expect(await asUser(host, secret)).toBe(before);
    expect((await observe(userRelease(conf("two")))).of("release")).toEqual([["-"]]);
    ok(await apply(userRelease(conf("two")), { instance: "-" }));
    expect(await asUser(host, secret)).toBe(before);
    expect(await served()).toContain("# two");
  });

  it("nothing of Hearth's stays running", async () => {
    const units = () =>
      asUser(host, "systemctl --user list-units --all --plain --no-legend 'hearth-apply-*'");
    expect(await eventually(async () => (await units()) === "", 60)).toBe(true);
  });
});
