import { parseAnswer, parseObservation } from "../../../../provider/machine/release/answer";
import { checkRelease } from "../../../../provider/machine/release/check";
import { diffRelease } from "../../../../provider/machine/release/diff";
import { observedInputs } from "../../../../provider/machine/release/observed";
import { knownFingerprints, madeFingerprints } from "../../../../provider/machine/release/outputs";
import { planLine } from "../../../../provider/machine/release/plan";
import { parseInputs } from "../../../../provider/machine/release/read";
import { contentFiles, observeFiles } from "../../../../provider/machine/release/request";
import { wrapInputs } from "../../../../provider/machine/release/secrets";
import { type Properties, secretPaths, toProperties } from "../../../../provider/protocol/values";

const IMAGE = "ghcr.io/element-hq/synapse:v1.163.2";
const QUADLETS = "/home/alice/.config/containers/systemd";
const own = { mode: "0644", owner: "alice", group: "alice" };

/** A container of a user, as the program sends it. */
const sent = (change: Record<string, unknown> = {}): Properties =>
  toProperties({
    connection: { name: "home", transport: "ssh", address: "home.lan", user: "alice", become: "sudo" },
    scope: "user",
    release: "web",
    files: {
      [`${QUADLETS}/web.container`]: { ...own, content: "[Container]\n" },
      [`${QUADLETS}/web.network`]: { ...own, content: "[Network]\n" },
    },
    images: [IMAGE],
    containerSecrets: {
      made: { source: { kind: "random", bytes: 20 } },
      "with.dots": { source: { kind: "command", argv: ["/usr/bin/true"] } },
      given: { source: { kind: "given", value: "planted-secret" } },
    },
    units: {
      "web.service": {
        enabled: true,
        state: "running",
        restartOn: ["container-secret:given"],
        reloadOn: [`image:${IMAGE}`],
      },
      "web-network.service": { enabled: false, state: "running", restartOn: [], reloadOn: [] },
    },
    ...change,
  });

function checked(change: Record<string, unknown> = {}, olds: Properties = {}): Properties {
  const { inputs, faults } = checkRelease(olds, sent(change));
  if (faults.length > 0) throw new Error(faults.join("\n"));
  return inputs;
}

const first = checked();
const inputs = parseInputs(first);
const GIVEN = "containerSecrets.given.source.value";

describe("what Check makes of it", () => {
  test("[A9] a given Podman secret is sealed and wrapped, with the salt it had", () => {
    expect(secretPaths(first)).toEqual([GIVEN]);
    expect(JSON.stringify(first)).not.toContain("planted-secret");
    expect(checked({}, first)).toEqual(first);
    const other = checked(
      { containerSecrets: { given: { source: { kind: "given", value: "another" } } } },
      first,
    );
    expect([...diffRelease(first, other).keys()]).toContain(GIVEN);
  });

  test("a trigger may name an image and a Podman secret of the release, and no other", () => {
    const unit = {
      enabled: true,
      state: "running",
      reloadOn: [],
      restartOn: [`image:${IMAGE}x`, "container-secret:none"],
    };
    expect(checkRelease({}, sent({ units: { "web.service": unit } })).faults).toHaveLength(2);
  });

  test("a state from before there were images is one without", () => {
    const { images: _, containerSecrets: __, ...old } = first;
    const units = { "web.service": { enabled: true, state: "running", restartOn: [], reloadOn: [] } };
    expect(parseInputs({ ...old, units })).toMatchObject({ images: [], containerSecrets: {} });
  });
});

describe("what is on the host", () => {
  const seen = (...rows: string[][]) =>
    parseObservation(parseAnswer([...rows, ["end"]].map((row) => `${row.join("\t")}\n`).join("")).rows);
  const given = inputs.containerSecrets.given?.source;
  const seal = given?.kind === "given" ? given.value : "";
  const rest = [
    ["unit", "web.service", "generated", "active", "running"],
    ["unit", "web-network.service", "generated", "active", "exited"],
  ];
  const good = [
    ["image", IMAGE, "present"],
    ["container-secret", "made", `v1:aa:${"0".repeat(64)}`],
    ["container-secret", "with.dots", `v1:bb:${"1".repeat(64)}`],
    ["container-secret", "given", seal],
  ];
  const differences = (rows: string[][]) =>
    [...diffRelease(wrapInputs(observedInputs(inputs, seen(...rows, ...rest))), first).keys()].filter(
      (path) => !path.startsWith("files"),
    );

  test("[A1] a generated unit counts as enabled, and what is there has nothing to plan", () => {
    expect(differences(good)).toEqual([]);
  });

  test.each([
    ["a missing image", 0, ["image", IMAGE, "absent"], "images[0]"],
    ["a missing secret that was made", 1, ["container-secret", "made", "-"], "containerSecrets.made"],
    ["a given secret with another value", 3, ["container-secret", "given", `v1:cc:${"2".repeat(64)}`], GIVEN],
  ])("[A3] %s is drift", (_what, index, row, path) => {
    expect(differences(good.with(index, row))).toEqual([path]);
  });

  test("outputs hold fingerprints of what was made on the host, told apart from paths, and none of what was given", () => {
    const fingerprints = madeFingerprints(inputs, seen(...good));
    expect(fingerprints).toEqual({
      "container-secret:made": `v1:aa:${"0".repeat(64)}`,
      "container-secret:with.dots": `v1:bb:${"1".repeat(64)}`,
    });
    const outputs = {
      instance: "i",
      generation: 1,
      digest: "d",
      packageVersions: {},
      fingerprints,
    };
    expect(knownFingerprints(inputs, outputs)).toEqual(fingerprints);
  });
});

test("a request asks for Podman secrets with the salts of the state, and carries given values in a file of their own", () => {
  const known = { "container-secret:made": "v1:aa:00" };
  const files = new Map(
    [...observeFiles(inputs, { urn: "u" }, known), ...contentFiles(inputs)].map(({ name, content }) => [
      name,
      String(content),
    ]),
  );
  const names = Object.keys(inputs.containerSecrets);
  const row = (name: string) => files.get("request/container-secrets")?.split("\n")[names.indexOf(name)];
  expect(files.get("request/images")).toBe(`${IMAGE}\n`);
  expect(row("made")).toBe(`${names.indexOf("made")}\tmade\trandom\t20\tv1:aa:00`);
  expect(files.get(`request/argv/container-secret.${names.indexOf("with.dots")}`)).toBe("/usr/bin/true\n");
  expect(files.get(`request/container-given/${names.indexOf("given")}`)).toBe("planted-secret");
  expect(row("given")).not.toContain("planted");
});

test.each<[string, Properties, string]>([
  ["nothing", first, "will restart nothing"],
  ["a missing image", { ...first, images: [] }, `will pull ${IMAGE}; reload web.service`],
  [
    "another given secret",
    checked({
      containerSecrets: {
        ...Object(sent().containerSecrets),
        given: { source: { kind: "given", value: "x" } },
      },
    }),
    "will restart web.service",
  ],
  [
    "a missing Quadlet file of a container",
    { ...first, files: withoutFile("web.container") },
    "will restart web.service",
  ],
  [
    "a missing Quadlet file of a network",
    { ...first, files: withoutFile("web.network") },
    "will restart web-network.service",
  ],
])("the plan for %s", (_what, olds, line) => {
  expect(planLine(olds, first)).toBe(line);
});

function withoutFile(name: string): Properties {
  return Object.fromEntries(
    Object.entries(Object(first.files)).filter(([path]) => !path.endsWith(name)),
  ) as Properties;
}
