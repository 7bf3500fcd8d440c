import { status } from "@grpc/grpc-js";
import { isObject, secretPaths } from "../../../provider/protocol/values";
import { CONF, conf } from "../../support/probe-release";
import { InitFailed } from "../../support/provider-client";
import { failure, ReleaseHost } from "../../support/release-host";

// For this run only: another run at the same time has a host of its own.
const NAME = `changes-${process.pid}`;
let release: ReleaseHost;

beforeAll(async () => {
  release = await ReleaseHost.start(NAME);
});
afterAll(() => release.stop());

test("a preview on an empty host touches nothing, says what it will do and knows the digest", async () => {
  const inputs = await release.wanted(conf("one"));
  const { id, outputs } = await release.provider.create(release.urn, inputs, true);
  expect(id).toBe("");
  expect(outputs.digest).toMatch(/^[0-9a-f]{64}$/);
  const [info] = release.provider.takeLogs("info");
  expect(info).toMatch(/start probe-idle\.service, probe\.service/);
  expect(info).toMatch(/^probe on \S+: will .*start probe-idle\.service, probe\.service\n/);
  expect(info).toMatch(/is taken over: .*\/etc\/issue\.net/);
  expect(info).toMatch(/ {2}overwrites .*\/etc\/issue\.net/);
  expect(await release.shell(`ls -d ${CONF} /var/lib/hearth 2>&1 || true`)).toMatch(
    /cannot access.*\n.*cannot access/,
  );
  release.stored = { id, inputs, outputs };
});

test("[A1] create makes it so, shows its steps while it runs, and the next look finds nothing to do", async () => {
  const { digest } = release.stored.outputs;
  release.stored = await release.provider.create(release.urn, release.stored.inputs);
  const steps = release.provider.logs.filter(({ ephemeral }) => ephemeral).map(({ message }) => message);
  expect(steps[0]).toMatch(/^\[1\/\d+\] /);
  expect(release.provider.takeLogs("info").at(-1)).toMatch(
    /^probe on \S+: (enabled|started) .*; health ok\n/,
  );
  expect(release.stored.id).toBe(`${release.name}/probe`);
  // What the preview promised.
  expect(release.stored.outputs).toMatchObject({
    digest,
    generation: 1,
    instance: expect.stringMatching(/^[0-9a-f]{32}$/),
  });
  expect(await release.served()).toBe(conf("one").trim());
  release.stored = await release.read();
  expect(await release.diff(release.stored.inputs, await release.wanted(conf("one")))).toEqual({});
});

test("[A9] neither a given secret nor its digest is in the state unwrapped", async () => {
  expect(secretPaths(release.stored.inputs)).toEqual(['secrets["/etc/probe/secrets/given"].source.value']);
  expect(JSON.stringify(release.stored)).not.toContain("from the operator");
  const { fingerprints } = release.stored.outputs;
  expect(isObject(fingerprints) && Object.keys(fingerprints).sort()).toEqual([
    "/etc/probe/secrets/made",
    "/etc/probe/secrets/random",
  ]);
  expect(await release.shell("cat /etc/probe/secrets/given")).toBe("from the operator");
});

test("[A2] one changed line: its leaf in the diff, one unit in the plan, and only that one restarts", async () => {
  const news = await release.wanted(conf("two"));
  expect(await release.diff(release.stored.inputs, news)).toEqual({ [`files["${CONF}"].content`]: "UPDATE" });
  await release.provider.update(release.urn, release.stored, news, true);
  expect(release.provider.takeLogs("info")).toEqual([
    `probe on ${NAME}: will restart probe.service\n  checked in pulumi up only, before anything is replaced: configuration`,
  ]);
  const idle = await release.shell("systemctl show -p MainPID --value probe-idle");
  release.stored = await release.provider.update(release.urn, release.stored, news);
  expect(release.provider.takeLogs("info").at(-1)).toMatch(
    /^probe on \S+: restarted probe\.service \(down [0-9.]+ s\); health ok/,
  );
  expect(await release.served()).toBe(conf("two").trim());
  expect(await release.shell("systemctl show -p MainPID --value probe-idle")).toBe(idle);
  expect(release.stored.outputs.generation).toBe(2);
});

test("[A4] a change that breaks the service is rolled back: the error says step, words of the service and what holds", async () => {
  const bad = await release.wanted(conf("three", "crash"));
  const { code, details } = await failure(release.provider.update(release.urn, release.stored, bad));
  expect(code).toBe(status.ABORTED);
  expect(details).toMatch(new RegExp(`^release "probe" on ${NAME} was rolled back: step \\d+/\\d+ health: `));
  expect(details).toContain("cannot start with mode=crash, password=[hidden]");
  expect(details).toMatch(/\n {2}now: generation 2 is active/);
  expect(details).toMatch(/\n {2}fix: correct the cause/);
  expect(await release.served()).toBe(conf("two").trim());
  expect(await release.diff((await release.read()).inputs, await release.wanted(conf("two")))).toEqual({});
});

test("[A4] a change that its validator refuses touches nothing", async () => {
  const bad = await release.wanted("no such setting\n");
  const { code, details } = await failure(release.provider.update(release.urn, release.stored, bad));
  expect(code).toBe(status.ABORTED);
  expect(details).toMatch(
    new RegExp(`^release "probe" on ${NAME} was not changed: step \\d+/\\d+ validate: `),
  );
  expect(await release.served()).toBe(conf("two").trim());
});

test("[A3] what was changed by hand shows as what repairs it, named as made by hand, and is repaired", async () => {
  await release.shell(`echo '# by hand' >>${CONF}; chmod 0600 /usr/local/lib/probe/serve
    systemctl disable --now probe-idle.service; rm /etc/probe/secrets/given`);
  const seen = await release.read();
  const news = await release.wanted(conf("two"));
  expect(await release.diff(seen.inputs, news)).toEqual({
    [`files["${CONF}"].content`]: "UPDATE",
    'files["/usr/local/lib/probe/serve"].mode': "UPDATE",
    'units["probe-idle.service"].enabled': "UPDATE",
    'units["probe-idle.service"].state': "UPDATE",
  });
  expect(seen.outputs.drift).toEqual(
    expect.arrayContaining([`changed by hand: ${CONF}`, "changed by hand: probe-idle.service"]),
  );
  await release.provider.update(release.urn, seen, news, true);
  const [info = ""] = release.provider.takeLogs("info");
  expect(info.split("\n").slice(0, 2)).toEqual([
    `probe on ${NAME}: will enable probe-idle.service; start probe-idle.service; restart probe.service`,
    "  makes secret /etc/probe/secrets/given",
  ]);
  expect(info).toContain(`changed by hand: ${CONF}`);
  release.stored = await release.provider.update(release.urn, seen, news);
  expect(release.stored.outputs.drift).toBeUndefined();
  expect(await release.diff((await release.read()).inputs, news)).toEqual({});
  expect(await release.shell("cat /etc/probe/secrets/given")).toBe("from the operator");
});

test("a probe that fails while all units run makes the resource unhealthy, and the next update restarts it", async () => {
  await release.shell("rm /run/probe/www/served");
  const unhealthy = await release.read().catch((error: unknown) => error);
  if (!(unhealthy instanceof InitFailed)) throw new Error(`not unhealthy: ${unhealthy}`);
  expect(unhealthy.reasons).toEqual([`release "probe" on ${NAME}: probe answers answered 404, expected 200`]);
  expect(unhealthy.refreshBeforeUpdate).toBe(true);
  expect(secretPaths(unhealthy.stored.inputs)).toEqual(['secrets["/etc/probe/secrets/given"].source.value']);
  const news = await release.wanted(conf("two"));
  expect(await release.diff(unhealthy.stored.inputs, news)).toEqual({});
  release.stored = await release.provider.update(release.urn, unhealthy.stored, news);
  expect(await release.served()).toBe(conf("two").trim());
  await release.read();
});

test("another way to the same host changes the state and not the host", async () => {
  const news = await release.wanted(conf("two"));
  const over = (port: number) => ({ ...news, connection: { ...Object(news.connection), port } });
  expect(await release.diff(release.stored.inputs, over(22))).toEqual({ "connection.port": "ADD" });
  const changes = () =>
    release.shell("ls -l --full-time /var/lib/hearth/apply /var/lib/hearth/releases/probe");
  const before = await changes();
  const { outputs } = await release.provider.update(release.urn, release.stored, over(22));
  expect(outputs).toEqual(release.stored.outputs);
  expect(await changes()).toBe(before);
  // One that leads nowhere is not taken into the state.
  await expect(release.provider.update(release.urn, release.stored, over(1))).rejects.toThrow(
    "refused the connection",
  );
});
