import { setTimeout as sleep } from "node:timers/promises";
import { status } from "@grpc/grpc-js";
import { toProperties } from "../../../provider/protocol/values";
import { CONF, conf, probeRelease } from "../../support/probe-release";
import { ProviderClient } from "../../support/provider-client";
import { failure, ReleaseHost } from "../../support/release-host";

// For this run only: another run at the same time has a host of its own.
const NAME = `owners-${process.pid}`;
let release: ReleaseHost;

beforeAll(async () => {
  release = await ReleaseHost.start(NAME);
  const inputs = await release.wanted(conf("two"));
  release.stored = await release.provider.create(release.urn, inputs);
});
afterAll(() => release.stop());

test("another server name is refused, in the preview and with the fix", async () => {
  const news = await release.wanted(conf("two"), { identity: { serverName: "other.test" } });
  const { code, details } = await failure(release.provider.update(release.urn, release.stored, news, true));
  expect(code).toBe(status.FAILED_PRECONDITION);
  expect(details).toMatch(
    new RegExp(`^${NAME} was set up with serverName "probe\\.test" and cannot become "other\\.test"`),
  );
  const { details: created } = await failure(
    release.provider.create(
      release.urnOf("renamed"),
      {
        ...news,
        release: "second",
        files: {},
        secrets: {},
        units: {},
        validators: {},
        health: {},
      },
      true,
    ),
  );
  expect(created).toMatch(new RegExp(`^${NAME} was set up with serverName "probe\\.test"`));
});

test("a way to a machine or user without the release is refused: in the preview, alone or with other changes, and by the host", async () => {
  const connection = { ...Object(release.stored.inputs.connection), port: 22 };
  const moved = { ...release.stored.inputs, connection };
  const edited = { ...(await release.wanted(conf("three"))), connection };
  const kept = "/var/lib/hearth/releases/probe";
  await release.provider.update(release.urn, release.stored, moved, true);
  await release.shell(`mv ${kept} ${kept}-away`);
  try {
    for (const [news, preview] of [
      [moved, true],
      [moved, false],
      [edited, true],
      [edited, false],
    ] as const) {
      const { code, details } = await failure(
        release.provider.update(release.urn, release.stored, news, preview),
      );
      expect(code).toBe(status.FAILED_PRECONDITION);
      expect(details).toMatch(
        new RegExp(`^${NAME} is another machine, or another login user, than before: release "probe"`),
      );
    }
    const same = await release.wanted(conf("three"));
    const { details } = await failure(release.provider.update(release.urn, release.stored, same));
    expect(details).toMatch(
      new RegExp(`^release "probe" on ${NAME} was refused \\(elsewhere\\): there is no such release here`),
    );
  } finally {
    await release.shell(`mv ${kept}-away ${kept}`);
  }
  expect(await release.served()).toBe(conf("two").trim());
});

test("a renamed resource without alias is refused with the line to paste", async () => {
  const { details } = await failure(
    release.provider.create(release.urnOf("renamed"), release.stored.inputs, true),
  );
  expect(details).toContain(`aliases: [{ name: "${NAME}-probe" }]`);
  expect((await failure(release.provider.create(release.urnOf("renamed"), release.stored.inputs))).code).toBe(
    status.FAILED_PRECONDITION,
  );
});

test("two releases that want one path are refused, naming path and owner", async () => {
  const news = await release.wanted(conf("two"), { release: "second" });
  const { details } = await failure(release.provider.create(release.urnOf("renamed"), news, true));
  expect(details).toMatch(new RegExp(`^release "second" wants what other releases on ${NAME} own\n`));
  expect(details).toContain(`  ${CONF} belongs to release "probe"\n`);
});

const started: ProviderClient[] = [];
// One that a failed test left running would keep jest from ending.
afterEach(() => {
  for (const provider of started.splice(0)) {
    provider.process.kill("SIGKILL");
    provider.close();
  }
});

/** An update that hangs until somebody stops it, in a provider of its own. */
async function hangingUpdate(mark: string) {
  const own = await ProviderClient.start();
  started.push(own);
  const health = {
    never: { kind: "http" as const, url: "http://127.0.0.1:8099/nothing", status: 200, timeoutSeconds: 300 },
  };
  const news = await release.wanted(conf(mark), { health });
  // Given secrets are known to the process that checked them.
  await own.check(
    release.urn,
    toProperties({ ...news, secrets: probeRelease("").secrets }),
    release.stored.inputs,
  );
  return { own, running: failure(own.update(release.urn, release.stored, news)) };
}

test("Ctrl-C while it waits for health: the host rolls back and the error says so", async () => {
  const { own, running } = await hangingUpdate("four");
  await release.reached("waiting until the services answer", own);
  await own.cancel();
  const { code, details } = await running;
  expect(code).toBe(status.ABORTED);
  expect(details).toMatch(
    new RegExp(
      `^release "probe" on ${NAME} was rolled back: .*cancelled\n {2}now: generation \\d+ is active`,
    ),
  );
  expect(await own.kill("SIGINT")).toBe(0);
  expect(await release.served()).toBe(conf("two").trim());
});

test.each([0, 50, 150, 300, 450])(
  "Ctrl-C %d ms after the start, perhaps before the host knows of the change: it is not lost",
  async (milliseconds) => {
    const { own, running } = await hangingUpdate("early");
    await sleep(milliseconds);
    await own.cancel();
    expect(await running).toMatchObject({
      code: status.ABORTED,
      details: expect.stringContaining("cancelled"),
    });
    expect(await own.kill("SIGINT")).toBe(0);
    expect(await release.served()).toBe(conf("two").trim());
  },
);

test("a connection that is lost while a change runs is opened again and the result found", async () => {
  const news = await release.wanted(conf("five"), {
    tasks: {
      slow: {
        observe: ["/bin/cat", "/run/slow"],
        apply: ["/bin/sh", "-c", "until test -e /run/lost; do sleep 0.1; done; echo five >/run/slow"],
        want: "five",
      },
    },
  });
  const running = release.provider.update(release.urn, release.stored, news);
  await release.reached("slow: from");
  await release.shell("pkill -f 'sshd-session: root' || true").catch(() => undefined);
  await release.reached(`the connection to ${release.name} was lost; trying again in 1 s`);
  await release.shell("touch /run/lost");
  release.stored = await running;
  expect(release.provider.takeLogs("info").at(-1)).toContain("health ok");
  expect(await release.served()).toBe(conf("five").trim());
});

test("HEARTH_OFFLINE=1: the last known state, one warning, no host asked", async () => {
  const offline = await ProviderClient.start({ HEARTH_OFFLINE: "1" });
  const away = {
    ...release.stored,
    inputs: {
      ...release.stored.inputs,
      connection: { ...Object(release.stored.inputs.connection), port: 1 },
    },
  };
  expect(await offline.read(release.urn, away)).toEqual(away);
  await offline.read(release.urn, away);
  expect(offline.takeLogs("warning")).toEqual([
    `${release.name} is not contacted (HEARTH_OFFLINE=1): the plan stands on the last known state`,
  ]);
  expect(await offline.stop()).toBe(0);
});

test("a Delete of another instance does nothing: it must not take its successor's files", async () => {
  await release.provider.delete(release.urn, {
    ...release.stored,
    outputs: { ...release.stored.outputs, instance: "0".repeat(32) },
  });
  expect(await release.served()).toBe(conf("five").trim());
});

test("a lost state is adopted: create finds what is there, keeps its data, and the old state's Delete comes too late", async () => {
  const inputs = await release.wanted(conf("five"), {}, {});
  await release.provider.create(release.urn, inputs, true);
  expect(release.provider.takeLogs("info").at(-1)).toContain(`release "probe" exists on ${NAME} already`);
  const old = release.stored;
  release.stored = await release.provider.create(release.urn, inputs);
  await release.provider.delete(release.urn, old);
  expect(await release.served()).toBe(conf("five").trim());
});

test("[A5] delete stops and removes what is owned, keeps data, and the next look finds it gone", async () => {
  await release.provider.delete(release.urn, release.stored);
  expect(
    await release.shell(
      `ls ${CONF} 2>&1; systemctl is-active probe.service; cat /var/lib/probe/data/mark /etc/issue.net`,
    ),
  ).toMatch(/No such file or directory\ninactive\nmarked\n(?!Probe$)/);
  expect(await release.provider.read(release.urn, release.stored)).toBeUndefined();
});
