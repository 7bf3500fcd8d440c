import { status } from "@grpc/grpc-js";
import { type Properties, secretPaths, toProperties } from "../../../provider/protocol/values";
import { probeRelease, rootFile } from "../../support/probe-release";
import { failure, ReleaseHost } from "../../support/release-host";
import { asUser, CONF, conf, HOME, IMAGE } from "../../support/user-release";

let release: ReleaseHost;

beforeAll(async () => {
  release = await ReleaseHost.start(`user-${process.pid}`, "user");
});
afterAll(() => release.stop());

const given = (value: string) => ({
  containerSecrets: { "probe-given": { source: { kind: "given" as const, value } } },
});

test("a preview on a fresh host touches nothing and says what it will do", async () => {
  const inputs = await release.wanted(conf("one"), {}, {});
  await release.provider.create(release.urn, inputs, true);
  const [info] = release.provider.takeLogs("info");
  expect(info).toMatch(
    /^\S+ on \S+: will enable .*hearth-tick\.timer; start hearth-probe\.service, hearth-tick\.timer/,
  );
  expect(await release.shell(`ls -d ${CONF} ${HOME}/.local/state/hearth 2>/dev/null || echo none`)).toBe(
    "none",
  );
});

test("[A1] create makes it so without root, and the next look finds nothing to do", async () => {
  release.stored = await release.provider.create(release.urn, await release.wanted(conf("one"), {}, {}));
  expect(release.provider.takeLogs("info").at(-1)).toMatch(/^\S+ on \S+: (enabled|started) .*; health ok\n/);
  expect(await release.served()).toContain("# one");
  release.stored = await release.read();
  expect(await release.diff(release.stored.inputs, await release.wanted(conf("one")))).toEqual({});
});

test("[A9] neither a Podman secret nor a given one's digest is in the state unwrapped", async () => {
  expect(secretPaths(release.stored.inputs)).toEqual(['containerSecrets["probe-given"].source.value']);
  expect(JSON.stringify(release.stored)).not.toContain("from the operator");
  expect(Object.keys(Object(release.stored.outputs.fingerprints)).sort()).toEqual([
    `${HOME}/.local/share/hearth/probe/random`,
    "container-secret:probe-made",
    "container-secret:probe-random",
  ]);
});

test("[A2] another given secret: its leaf in the diff, one restart in the plan, and nothing else", async () => {
  const others = release.stored.inputs.containerSecrets;
  const wanted = await release.wanted(conf("one"), given("another"));
  const news = { ...wanted, containerSecrets: { ...Object(others), ...Object(wanted.containerSecrets) } };
  expect(await release.diff(release.stored.inputs, news)).toEqual({
    'containerSecrets["probe-given"].source.value': "UPDATE",
  });
  await release.provider.update(release.urn, release.stored, news, true);
  const [info = ""] = release.provider.takeLogs("info");
  expect(info.split("\n")[0]).toMatch(/^probe on \S+: will restart hearth-probe\.service$/);
  release.stored = await release.provider.update(release.urn, release.stored, news);
  expect(await release.served()).toMatch(/\n7$/);
});

test("[A3] a removed image and secret show in a plain look, with what puts them right", async () => {
  await asUser(
    release.host,
    `podman rmi --force ${IMAGE} >/dev/null; podman secret rm probe-made >/dev/null`,
  );
  const seen = await release.read();
  expect(seen.outputs.drift).toEqual(
    expect.arrayContaining([`changed by hand: ${IMAGE}`, "changed by hand: probe-made"]),
  );
  const news = await release.wanted(conf("one"));
  release.provider.takeLogs("info");
  expect(await release.diff(seen.inputs, news)).not.toEqual({});
  await release.provider.update(release.urn, seen, news, true);
  const [info] = release.provider.takeLogs("info");
  expect(info).toMatch(/^probe on \S+: will pull registry\.test:5000\/probe:1; start /);
  expect(info).toContain("\n  makes Podman secret probe-made\n");
  release.stored = await release.provider.update(release.urn, seen, news);
  expect(release.provider.logs.map(({ message }) => message).join("\n")).toContain(`pulled image ${IMAGE}`);
  expect(await release.diff((await release.read()).inputs, news)).toEqual({});
});

test("[A4] a change that its image's own program refuses touches nothing", async () => {
  const bad = await release.wanted(conf("two", "nonsense"));
  const { code, details } = await failure(release.provider.update(release.urn, release.stored, bad));
  expect(code).toBe(status.ABORTED);
  expect(details).toMatch(/^release "probe" on \S+ was not changed: step 8\/13 validate: /);
  expect(details).toContain("no such mode: nonsense");
  expect(await release.served()).toContain("# one");
});

test("an image that does not exist is one clear message with Podman's words, and nothing is swapped", async () => {
  const image = "registry.test:5000/probe:9";
  const { details } = await failure(
    release.provider.update(
      release.urn,
      release.stored,
      await release.wanted(conf("two"), { images: [IMAGE, image] }),
    ),
  );
  expect(details).toMatch(/^release "probe" on \S+ was not changed: step 3\/13 images: /);
  expect(details).toContain(`image ${image} could not be pulled\n`);
  expect(details).toContain("manifest unknown");
  expect(details).toContain("now: nothing was replaced");
  expect(await release.served()).toContain("# one");
});

test("releases of both scopes share one login; root's go through sudo, the user's do not", async () => {
  const { connection } = release;
  const wanted = async (name: string, inputs: Properties) =>
    (await release.provider.check(release.urnOf(name), inputs)).inputs;
  const root = await wanted(
    "root",
    toProperties({
      ...{ connection, scope: "system", release: "root", files: { "/etc/probe-root": rootFile("root\n") } },
      tasks: { who: { observe: ["/usr/bin/id", "-un"], apply: ["/bin/true"], want: "root" } },
    }),
  );
  const user = await wanted(
    "plain",
    toProperties({
      ...{ connection, scope: "user", release: "plain" },
      tasks: { who: { observe: ["/usr/bin/id", "-un"], apply: ["/bin/true"], want: "debian" } },
    }),
  );
  // The connection outlives its last session by a few seconds only.
  const logins =
    "journalctl --sync; journalctl -u ssh -o cat --no-pager | grep -c 'Accepted publickey for debian'";
  await release.read();
  const before = await release.shell(logins);
  await Promise.all([
    release.provider.create(release.urnOf("root"), root),
    release.provider.create(release.urnOf("plain"), user),
  ]);
  expect(await release.shell(logins)).toBe(before);
  expect(await release.shell("stat -c %U /etc/probe-root; ls /var/lib/hearth/releases")).toBe("root\nroot");
  expect(await release.shell(`ls ${HOME}/.local/state/hearth/releases`)).toBe("plain\nprobe");
});

test("what only root can do is refused in the user's scope", async () => {
  const { packages = {} } = probeRelease(conf("one"));
  await expect(release.wanted(conf("one"), { packages })).rejects.toThrow(
    /^packages: need root; use scope system/,
  );
});

test("[A5] a delete removes what it owns and leaves secrets", async () => {
  await release.provider.delete(release.urn, release.stored);
  expect(
    await asUser(release.host, `ls ${CONF} 2>/dev/null; podman secret ls --format '{{.Name}}' | sort`),
  ).toBe("probe-given\nprobe-made\nprobe-random");
});
