import { status } from "@grpc/grpc-js";
import type { HostFile } from "../../../provider/contract/release";
import { secretPaths } from "../../../provider/protocol/values";
import { CONF, conf, probeRelease, rootFile } from "../../support/probe-release";
import { failure, ReleaseHost } from "../../support/release-host";

// Facts that leave the host, files that the host fills with secrets, and changes that need a confirmation.

const NAME = `nouns-${process.pid}`;
const RANDOM = "/etc/probe/secrets/random";
const GIVEN = "/etc/probe/secrets/given";
const FACT = "/var/lib/probe/data/fact";
const SSHD = "/etc/ssh/sshd_config.d/50-probe.conf";
const SECRETS = probeRelease("").secrets;
let release: ReleaseHost;

type Changes = Partial<ReturnType<typeof probeRelease>>;

/** The probe with other maps, checked; `files` come on top of its own. */
function wanted(changes: Changes = {}) {
  const base = probeRelease(conf("one"));
  return release.wanted(conf("one"), { ...changes, files: { ...base.files, ...changes.files } });
}

async function up(changes: Changes): Promise<string> {
  const news = await wanted(changes);
  release.provider.takeLogs("info");
  release.stored = await release.provider.update(release.urn, release.stored, news);
  return release.provider.takeLogs("info").join("\n");
}

async function preview(changes: Changes) {
  const news = await wanted(changes);
  release.provider.takeLogs("info");
  const { outputs } = await release.provider.update(release.urn, release.stored, news, true);
  return { outputs, told: release.provider.takeLogs("info").join("\n") };
}

beforeAll(async () => {
  release = await ReleaseHost.start(NAME);
  release.stored = await release.provider.create(release.urn, await wanted());
});
afterAll(() => release.stop());

describe("a fact that a release publishes", () => {
  const publishes = { fact: { argv: ["/bin/cat", FACT], user: "probe" } };

  test("is unknown in the preview that brings it, and known from its first up on", async () => {
    await release.shell(`echo one >${FACT}`);
    expect(release.stored.outputs.published).toBeUndefined();
    const { outputs } = await preview({ publishes });
    expect(outputs.published).toEqual({ fact: expect.stringMatching(/^04da6b54/) });
    expect(await up({ publishes })).toMatch(/^probe on \S+: nothing was restarted; health ok$/);
    expect(release.stored.outputs.published).toEqual({ fact: "one" });
    expect((await preview({ publishes, files: { [CONF]: confFile("two") } })).outputs.published).toEqual({
      fact: "one",
    });
  });

  test("[A3] is looked at again by each read; one that cannot be seen for now keeps its last value", async () => {
    await release.shell(`echo two >${FACT}`);
    expect((await release.read()).outputs.published).toEqual({ fact: "two" });
    await release.shell(`chmod 0 /var/lib/probe/data`);
    expect((await release.read()).outputs.published).toEqual({ fact: "one" });
    await release.shell(`chmod 0750 /var/lib/probe/data`);
    release.stored = await release.read();
  });

  test("[A4] whose program fails or says nothing fails the change, which is rolled back", async () => {
    const files = { [CONF]: confFile("three") };
    for (const [argv, words] of [
      [["/bin/sh", "-c", "echo no such key >&2; exit 3"], /publishes fact failed\n {4}no such key/],
      [["/bin/true"], /publishes fact printed nothing/],
    ] as const) {
      const news = await wanted({ publishes: { fact: { argv: [...argv] } }, files });
      const { code, details } = await failure(release.provider.update(release.urn, release.stored, news));
      expect([code, details]).toEqual([status.ABORTED, expect.stringMatching(words)]);
      expect(details).toContain("was rolled back");
      expect(await release.served()).toBe(conf("one").trim());
    }
  });
});

const confFile = (mark: string, more: Partial<HostFile> = {}): HostFile => ({
  content: conf(mark),
  mode: "0640",
  owner: "root",
  group: "probe",
  ...more,
});

describe("a file that the host fills with secrets", () => {
  const template = `${conf("filled")}# "@TOKEN@" "@WORDS@" @TOKEN @OTHER@TOKEN@\n`;
  const fills = { "@TOKEN@": RANDOM, "@WORDS@": GIVEN };
  const files = { [CONF]: confFile("", { content: template, fills }) };
  const given = (value: string) => ({
    ...SECRETS,
    [GIVEN]: { mode: "0600", owner: "root", group: "root", source: { kind: "given" as const, value } },
  });
  const onHost = async (words: string) => {
    const token = await release.shell(`cat ${RANDOM}`);
    expect(token).toMatch(/^[0-9a-f]{40}$/);
    return `${conf("filled")}# "${token}" "${words}" @TOKEN @OTHER${token}`;
  };

  test("[A2] [A9] has them on the host and in what reads it, and placeholders everywhere else", async () => {
    const told = (await preview({ files })).told;
    expect(told).toMatch(/^probe on \S+: will restart probe\.service\n/);
    expect(await up({ files })).toMatch(/^probe on \S+: restarted probe\.service /);
    expect(await release.served()).toBe(await onHost("from the operator"));
    expect(await release.shell(`stat -c '%a %U %G' ${CONF}`)).toBe("640 root probe");
    const token = await release.shell(`cat ${RANDOM}`);
    release.stored = await release.read();
    expect(release.stored.outputs.drift).toBeUndefined();
    for (const secret of [token, "from the operator"]) {
      expect(JSON.stringify([release.stored, release.provider.logs])).not.toContain(secret);
      expect(await release.shell(`grep -rl -e '${secret}' /var/lib/hearth /run/hearth* || true`)).toBe("");
    }
    expect(await release.diff(release.stored.inputs, await wanted({ files }))).toEqual({});
  });

  test("[A3] [A9] changed by hand, it shows as a difference without its text, and is filled again", async () => {
    await release.shell(`echo '# by hand' >>${CONF}`);
    const seen = await release.read();
    expect(seen.outputs.drift).toEqual([`changed by hand: ${CONF}`]);
    expect(await release.diff(seen.inputs, await wanted({ files }))).toEqual({
      [`files["${CONF}"].content`]: "UPDATE",
    });
    expect(JSON.stringify(seen)).toContain("something else, not shown");
    expect(JSON.stringify(seen)).not.toContain(await release.shell(`cat ${RANDOM}`));
    release.stored = seen;
    await up({ files });
    expect(await release.served()).toBe(await onHost("from the operator"));
  });

  test("[A2] another value of a secret fills it again and restarts what reads it, as the preview says; then nothing", async () => {
    const changed = { files, secrets: given("other words") };
    expect((await preview(changed)).told).toMatch(/^probe on \S+: will restart probe\.service\n/);
    await up(changed);
    expect(await release.served()).toBe(await onHost("other words"));
    release.stored = await release.read();
    expect(await release.diff(release.stored.inputs, await wanted(changed))).toEqual({});
    expect((await preview(changed)).told).toMatch(/^probe on \S+: will restart nothing/);
    expect(
      await release.shell("grep -rl -e 'other words' -e 'from the operator' /var/lib/hearth || true"),
    ).toBe("");
    const changedAgain = { files, secrets: given("from the operator") };
    await up(changedAgain);
  });

  test("[A3] a secret that was made again by hand is a difference of the file, too", async () => {
    await release.shell(`printf %040d 7 >${RANDOM}`);
    const seen = await release.read();
    expect(Object.keys(await release.diff(seen.inputs, await wanted({ files })))).toEqual([
      `files["${CONF}"].content`,
    ]);
    release.stored = seen;
    await up({ files });
    expect(await release.served()).toContain(`"${"7".padStart(40, "0")}"`);
  });

  test.each([
    ["a quote", 'say "please"'],
    ["a line break", "one\ntwo"],
    ["a letter outside ASCII", "für alle"],
  ])(
    "[A4] a secret with %s, which could change the meaning of the text, is refused before anything is replaced",
    async (_what, value) => {
      const before = await release.served();
      const news = await wanted({ files, secrets: given(value) });
      const { code, details } = await failure(release.provider.update(release.urn, release.stored, news));
      expect(code).toBe(status.ABORTED);
      expect(details).toContain(
        `${CONF} cannot be filled: one of its secrets (${RANDOM} ${GIVEN}) is missing, or has`,
      );
      expect(details).toContain("was not changed");
      expect(details).not.toContain(value);
      expect(await release.served()).toBe(before);
    },
  );

  test("without placeholders it is an ordinary file again", async () => {
    await up({});
    release.stored = await release.read();
    expect(await release.served()).toBe(conf("one").trim());
    expect(await release.diff(release.stored.inputs, await wanted())).toEqual({});
    expect(secretPaths(release.stored.inputs)).toEqual([`secrets["${GIVEN}"].source.value`]);
  });
});

describe("a change that needs a confirmation", () => {
  const base = probeRelease(conf("one"));
  const sshd = (line: string) => ({
    files: { [SSHD]: rootFile(`${line}\n`) },
    units: {
      ...base.units,
      "ssh.service": {
        ...{ adopt: true, enabled: true, state: "running" as const },
        ...{ restartOn: [], reloadOn: [SSHD] },
      },
    },
    confirm: { seconds: 15 },
  });

  test("is kept when a new login works", async () => {
    const news = await wanted(sshd("# nothing special"));
    release.stored = await release.provider.update(release.urn, release.stored, news);
    const steps = release.provider.logs.filter(({ ephemeral }) => ephemeral).map(({ message }) => message);
    expect(steps).toContain("[12/13] waiting for a new login that confirms the change");
    expect(await release.shell(`cat ${SSHD}`)).toBe("# nothing special");
  });

  test("[A4] is rolled back by the host when nobody can log in any more, although the connection of the change lives", async () => {
    const news = await wanted(sshd("DenyUsers root"));
    const { code, details } = await failure(release.provider.update(release.urn, release.stored, news));
    expect(code).toBe(status.ABORTED);
    expect(details).toMatch(
      /was rolled back: step 12\/13 confirm: no new login confirmed the change within 15 s: it would have locked you out\n/,
    );
    expect(await release.shell(`cat ${SSHD}`)).toBe("# nothing special");
    release.stored = await release.read();
    expect(await release.diff(release.stored.inputs, await wanted(sshd("# nothing special")))).toEqual({});
  });
});
