import { checkRelease } from "../../provider/machine/release/check";
import { toProperties } from "../../provider/protocol/values";
import { committedStacks, fixtureStacks } from "../fixtures/stacks";
import {
  DEBIAN_12,
  DEBIAN_13,
  type ProgramRun,
  type Registered,
  releasesOf,
  runProgram,
  unwrap,
} from "../support/program";

/** Invariants for every stack file in this repository, on both distributions. */

const OURS = "hearth-host:index:";
/** Resources that stay when the homeserver moves to another host, and the first word of their names. */
const KEPT: Record<string, string> = { Account: "account", Space: "space", Room: "room" };
const stacks = [...fixtureStacks(), ...committedStacks()];
const grid = stacks.flatMap((stack) =>
  [DEBIAN_12, DEBIAN_13].map((facts) => ({ title: `${stack.name} on ${facts.codename}`, stack, facts })),
);

/** Inputs without the path of the project, which differs in each run. */
function comparable(run: ProgramRun): unknown {
  const resources = [...run.resources].sort((a, b) =>
    `${a.type} ${a.name}`.localeCompare(`${b.type} ${b.name}`),
  );
  const text = JSON.stringify(unwrap(resources, () => "[secret]")).replaceAll(
    /\/[^"]*hearth-program-\w+/g,
    "[project]",
  );
  return JSON.parse(text.replaceAll(/-----BEGIN CERTIFICATE-----[^"]*/g, "[certificate]"));
}

function hostOf(resource: Registered): string {
  const connection = resource.inputs.connection;
  return typeof connection === "object" && connection !== null && "name" in connection
    ? String(connection.name)
    : "";
}

describe.each(grid)("$title", ({ stack, facts }) => {
  let run: ProgramRun;
  beforeAll(async () => {
    run = await runProgram(stack, facts);
  });

  if (facts === DEBIAN_13) {
    it("[A1] creates the same resources each time, so that a second up changes nothing", async () => {
      expect(comparable(await runProgram(stack, facts))).toEqual(comparable(run));
    });
  }

  it("the provider accepts every release unchanged", () => {
    const releases = run.resources.filter(({ type }) => type === `${OURS}Release`);
    for (const { name, inputs } of releases) {
      expect([name, checkRelease({}, toProperties(inputs)).faults]).toEqual([name, []]);
    }
    expect(releases.length).toBeGreaterThan(3);
  });

  it("every resource on a host is named after the host, what is kept on the homeserver is not, and no two have the same name", () => {
    const own = run.resources.filter(({ type }) => type.startsWith(OURS));
    for (const resource of own) {
      const name = KEPT[resource.type.slice(OURS.length)] ?? hostOf(resource);
      expect(`${resource.name}-`).toMatch(new RegExp(`^${name}-`));
      expect(hostOf(resource)).not.toBe("");
    }
    const keys = run.resources.map(({ type, name }) => `${type} ${name}`);
    expect(new Set(keys).size).toBe(keys.length);
    for (const { type } of run.resources)
      expect(type).toMatch(/^(hearth:[a-z]+:[A-Z]\w+|hearth-host:index:[A-Z]\w+)$/);
  });

  it("[A9] no secret of the operator is in an input that is not marked secret, nor in an output", () => {
    const visible = JSON.stringify([unwrap(run.resources, () => "[secret]"), run.outputs, run.warnings]);
    const hidden = JSON.stringify(unwrap(run.resources));
    for (const secret of stack.planted.filter((planted) => hidden.includes(planted))) {
      expect(visible).not.toContain(secret);
    }
    expect(visible).not.toContain("planted-secret");
    expect(visible).not.toContain("PRIVATE KEY");
  });

  it("a release creates every path of Hearth that a configuration names", () => {
    const releases = Object.values(releasesOf(run));
    const made = new Set(
      releases.flatMap((release) =>
        [release.files, release.directories, release.secrets, release.environments].flatMap((map) =>
          Object.keys(map ?? {}).flatMap(asContainersSeeIt),
        ),
      ),
    );
    const named = releases.flatMap((release) => [
      ...Object.values(release.files ?? {}).flatMap(({ content }) => pathsIn(content)),
      ...JSON.stringify([release.validators, release.health, release.tasks, release.units]).matchAll(
        /\/(?:etc\/hearth|usr\/local\/lib\/hearth)\/[\w./-]+/g,
      ),
    ]);
    const missing = named.map(String).filter((path) => !isMade(path, made));
    expect([...new Set(missing)]).toEqual([]);
  });

  it("the release creates everything that restarts or reloads a unit", () => {
    for (const release of Object.values(releasesOf(run))) {
      const subjects = Object.values(release.units ?? {}).flatMap((unit) => [
        ...unit.restartOn,
        ...unit.reloadOn,
      ]);
      for (const subject of subjects) {
        const [kind, name] = subject.includes(":") ? subject.split(":") : ["path", subject];
        if (kind === "revision") expect(release.revisions).toHaveProperty([name ?? ""]);
        else if (kind === "environment") expect(release.environments).toHaveProperty([name ?? ""]);
        else if (kind === "task") expect(release.tasks).toHaveProperty([name ?? ""]);
        else if (kind === "container-secret") expect(release.containerSecrets).toHaveProperty([name ?? ""]);
        else if (kind === "image") expect(release.images).toContain(subject.slice("image:".length));
        else expect({ ...release.files, ...release.secrets }).toHaveProperty([name ?? ""]);
      }
    }
  });

  it("a configuration that a service reads always restarts or reloads it", () => {
    for (const release of Object.values(releasesOf(run))) {
      // A job reads its files whenever its timer starts it.
      const units = Object.entries(release.units ?? {}).flatMap(([name, unit]) =>
        name.endsWith(".timer") ? [] : [unit],
      );
      if (units.length === 0) continue;
      const watched = new Set(units.flatMap((unit) => [...unit.restartOn, ...unit.reloadOn]));
      // A unit's own file restarts it anyway, and so does a container's.
      const read = Object.keys(release.files ?? {}).filter(
        (path) => CONFIGURATION.test(path) && !UNIT.test(path),
      );
      expect(read.filter((path) => !watched.has(path))).toEqual([]);
    }
  });

  it("owners are root, the service's own user, or a group of that user", () => {
    for (const release of Object.values(releasesOf(run))) {
      const known = new Set(release.scope === "user" ? ["alice"] : ["root", "matrix-synapse"]);
      const owned = [release.files, release.directories, release.secrets].flatMap((map) =>
        Object.entries(map ?? {}),
      );
      for (const [path, { owner, group, mode }] of owned) {
        expect([path, known.has(owner), known.has(group)]).toEqual([path, true, true]);
        expect([path, mode]).toEqual([path, expect.stringMatching(/^0[0-7]{3}$/)]);
      }
      for (const [path, { mode }] of Object.entries(release.secrets ?? {})) {
        expect([path, mode]).toEqual([path, expect.stringMatching(/^06[04]0$/)]);
      }
      for (const [path, { owner, content }] of Object.entries(release.files ?? {})) {
        // An attacker can make a service write every file that it may write. (Containers get these files read-only.)
        expect([path, owner]).toEqual([path, release.scope === "user" ? "alice" : "root"]);
        expect([path, content.endsWith("\n")]).toEqual([path, true]);
      }
    }
  });
});

const CONFIGURATION = /^(\/etc|\/home\/alice\/\.config)\//;
const UNIT = /\/(containers\/systemd|systemd\/(user|system))\//;

/** A user's configuration is below the user's home; inside containers it is at the same path as root's. */
function asContainersSeeIt(path: string): string[] {
  return [
    path,
    path
      .replace("/home/alice/.config/hearth/", "/etc/hearth/")
      .replace("/home/alice/.local/lib/", "/usr/local/lib/"),
  ];
}

/** Paths of Hearth in a text that a service reads, without comments. */
function pathsIn(content: string): string[] {
  const text = content.replaceAll(/^\s*#.*$/gm, "").replaceAll(/"""[\s\S]*?"""/g, "");
  return [...text.matchAll(/\/(?:etc\/hearth|usr\/local\/lib\/hearth|opt\/hearth)\/[\w./-]+/g)].map(
    ([path]) => path,
  );
}

function isMade(path: string, made: ReadonlySet<string>): boolean {
  if (made.has(path)) return true;
  // Programs of an environment, and folders in which a release creates a file.
  return [...made].some(
    (known) => path.startsWith(`${known}/`) || known.startsWith(path.replace(/\/?$/, "/")),
  );
}
