import { release } from "../../../../provider/machine/release";
import { parseObservation } from "../../../../provider/machine/release/answer";
import { observe } from "../../../../provider/machine/release/observe";
import type { Call, State } from "../../../../provider/protocol/resource";
import { isObject, type Properties } from "../../../../provider/protocol/values";
import { checkedSample } from "./sample";

jest.mock("../../../../provider/machine/release/observe");
const host = jest.mocked(observe);

const checked = checkedSample();
const YAML = "/etc/web/main.yaml";
const base64 = (text: string) => Buffer.from(text).toString("base64");
const sealed = String(at(checked, "secrets", "/etc/web/given", "source", "value", "value"));

function at(inputs: Properties, ...keys: string[]): Properties[string] {
  let value: Properties[string] = inputs;
  for (const key of keys) value = isObject(value) ? (value[key] ?? null) : null;
  return value;
}

/** The checked sample, with entries of its maps replaced or (undefined) taken out. */
function changed(maps: Record<string, Record<string, Properties[string] | undefined>>): Properties {
  const entries = Object.entries(maps).map(([map, change]) => {
    const all = { ...Object(checked[map]), ...change };
    return [map, Object.fromEntries(Object.entries(all).filter(([, item]) => item !== undefined))];
  });
  return { ...checked, ...Object.fromEntries(entries) };
}

/** What observe.sh says of a host on which everything of the sample is as it is to be, with other or further rows. */
function answer(...rows: string[][]): void {
  const all = [
    ["release", "instance", "3", "urn"],
    ["package", "nginx", "1.26"],
    ["package", "curl", "8.14.1-2"],
    ["repository", "vendor", "ready"],
    ["user", "web", "/var/lib/web", "adm,www-data"],
    ["directory", "/var/lib/web/data", "0750", "web", "web"],
    [
      "file",
      YAML,
      "0640",
      "root",
      "web",
      "72b7c1d3f1ee2a3b0b1ff1ed28bfea1f2b3ae3d6a8b2ed0ab6e1c1dc5bd7a4a3",
      base64("a: 1\nb: 2\n"),
    ],
    ["file", "/etc/systemd/system/web.service", "0644", "root", "root", "-", base64("[Service]\n")],
    ["secret", "/etc/web/random", "0600", "root", "root", "v1:0:0"],
    ["secret", "/etc/web/given", "0600", "root", "root", sealed],
    ["environment", "/opt/web/1", "ready"],
    ["task", "role", "there"],
    ["unit", "web.service", "enabled", "active", "running"],
    ["revision", "certificates", "one"],
    ["health", "answers", "ok"],
  ];
  const given = new Set(rows.map(([kind, key]) => `${kind} ${key}`));
  host.mockResolvedValue(
    parseObservation([...all.filter(([kind, key]) => !given.has(`${kind} ${key}`)), ...rows]),
  );
}

const said: string[] = [];
const say = (kind: string) => async (message: string) => {
  said.push(`${kind}: ${message}`);
};
const call = (change: Partial<Call> = {}): Call => ({
  ...{ urn: "urn", name: "vps-web", preview: true, offline: false, timeoutSeconds: 0 },
  log: { step: say("step"), info: say("info"), warning: say("warning"), debug: say("debug") },
  signal: new AbortController().signal,
  ...change,
});
const outputs = { instance: "instance", generation: 3, digest: "d", packageVersions: {}, fingerprints: {} };
const state = (inputs = checked): State => ({ id: "vps/web", inputs, outputs });
const CHECKS = "\n  checked in pulumi up only, before anything is replaced: main";

beforeEach(() => {
  said.length = 0;
  host.mockReset();
});

interface Row {
  what: string;
  olds?: Properties;
  news?: Properties;
  rows?: string[][];
  /** The message, without its release and host and without the line about validators. */
  text: string;
  texts?: string;
}

const secret = { mode: "0600", owner: "root", group: "root", source: { kind: "random", bytes: 32 } };
const file = (content: string) => ({ content, mode: "0644", owner: "root", group: "root" });
const environment = { python: "/usr/bin/python3", requirements: ["web==2"], systemSitePackages: true };

const ROWS: Row[] = [
  {
    what: "new entries that are not on the host yet",
    news: changed({
      packages: { jq: "any" },
      users: { worker: { home: "/srv", groups: [] } },
      directories: { "/srv/web": { mode: "0750", owner: "root", group: "root" } },
      secrets: { "/etc/web/new": secret },
      environments: { "/opt/web/2": environment },
      tasks: { index: { observe: ["/bin/look"], apply: ["/bin/make"], want: "made" } },
    }),
    rows: [["task", "index", "-"]],
    text: `will install jq; build /opt/web/2; restart web.service
  makes user worker, directory /srv/web, secret /etc/web/new
  task index: from "-" to "made"`,
  },
  {
    what: "new entries that are there already: nothing is made, and what differs is said",
    news: changed({
      packages: { jq: "any" },
      users: { worker: { home: "/srv", groups: ["adm"] } },
      directories: { "/srv/web": { mode: "0750", owner: "root", group: "root" } },
      secrets: { "/etc/web/new": secret },
      environments: { "/opt/web/2": environment },
      files: { "/etc/web/more": file("=== /etc/web/more\nours\n") },
    }),
    rows: [
      ["package", "jq", "1.7"],
      ["user", "worker", "/srv", "-"],
      ["directory", "/srv/web", "0700", "root", "root"],
      ["secret", "/etc/web/new", "0600", "root", "root", "v1:1:1"],
      ["environment", "/opt/web/2", "ready"],
      ["file", "/etc/web/more", "0644", "root", "root", "-", base64("theirs\n")],
      ["foreign", "/etc/web/more"],
    ],
    text: `will restart nothing
  is there already and is kept: package jq, user worker, directory /srv/web, secret /etc/web/new, Python environment /opt/web/2
  sets mode and owner of /srv/web to 0750 root:root
  user worker joins adm
  overwrites /etc/web/more
  exists already, belongs to nobody (kept, and given back on removal) and is taken over: /etc/web/more`,
    texts: "~ /etc/web/more (0644 root:root)\n    - theirs\n    + ours",
  },
  {
    what: "what leaves the stack: only files and units go",
    olds: changed({
      secrets: { "/etc/web/old": secret },
      environments: { "/opt/web/0": environment },
      users: { web: { home: "/var/lib/web", groups: ["adm", "ssl-cert", "www-data"] } },
      packages: { jq: "any" },
      directories: { "/srv/web": { mode: "0750", owner: "root", group: "root" } },
      repositories: { other: {} },
      tasks: { index: { observe: ["/bin/look"], apply: ["/bin/make"], want: "made" } },
      files: {
        "/etc/web/gone": file("=== /etc/web/gone\none\ntwo\nthree\nfour\n"),
        "/etc/web/back": file("ours\n"),
      },
      units: { "old.service": { enabled: true, state: "running", restartOn: [], reloadOn: [] } },
    }),
    rows: [["original", "/etc/web/back", base64("theirs\n")]],
    text: `will stop old.service; disable old.service
  stays on the host: package jq, apt repository other, directory /srv/web, secret /etc/web/old, Python environment /opt/web/0, user web in group ssl-cert, what task index made
  removes /etc/web/gone
  gives back what was there before Hearth: /etc/web/back`,
    texts: `- /etc/web/gone
    - one
    - two
    - three
    - four
~ /etc/web/back (what was there before Hearth)
    - ours
    + theirs`,
  },
  {
    what: "what the units were not started with yet makes them restart, whatever the inputs say",
    news: changed({ environments: { "/opt/web/1": undefined, "/opt/web/2": environment } }),
    rows: [
      ["environment", "/opt/web/2", "ready"],
      ["pending", "package:curl"],
    ],
    text: `will restart web.service
  is there already and is kept: Python environment /opt/web/2
  stays on the host: Python environment /opt/web/1`,
  },
  {
    what: "an interrupted change of this release is undone first, and its units restart",
    rows: [["journal", "swapping", "id", "7", "web"]],
    text: "first undoes the change of release web that was cut off, then will restart web.service",
  },
  {
    what: "an interrupted change of another release restarts nothing of this one",
    rows: [["journal", "recording", "id", "7", "proxy"]],
    text: "first finishes the change of release proxy that was cut off, then will restart nothing",
  },
];

test.each(ROWS)("[A2] the preview of an update: $what", async ({ olds, news, rows = [], text, texts }) => {
  answer(...rows);
  await release.update(call(), state(olds), news ?? checked);
  const told = `info: web on vps: ${text}${CHECKS}`;
  const lines = texts === undefined ? [] : [`step: web on vps: files that come and go\n${texts}`];
  expect(said).toEqual([...lines, told]);
});

test.each<[string, string[], RegExp]>([
  ["another release's path", ["conflict", YAML, "proxy"], /belongs to release "proxy"/],
  [
    "a directory in a file's place",
    ["blocked", `${YAML} is a directory; remove it by hand first`],
    /is a directory/,
  ],
  [
    "a task that can never be so",
    ["task", "role", "refused: it is another one"],
    /task role: it is another one/,
  ],
])("[A5] a preview refuses what up would refuse: %s", async (_what, row, message) => {
  answer(row);
  await expect(release.update(call(), state(), checked)).rejects.toThrow(message);
  await expect(release.create(call({ urn: "urn" }), checked)).rejects.toThrow(message);
});

test("[A2] a probe that fails is told with its restart, also when other things change", async () => {
  answer(["health", "answers", "answered 502, expected 200"]);
  const found = await release.read(call({ preview: false }), state());
  expect(found?.unhealthy).toEqual(['release "web" on vps: probe answers answered 502, expected 200']);
  await release.update(call(), state(), changed({ files: { "/etc/web/more": file("x\n") } }));
  expect(said.at(-1)).toBe(
    `info: web on vps: will restart web.service\n  because probe answers answered 502, expected 200\n  writes /etc/web/more${CHECKS}`,
  );
  answer();
  await release.read(call({ preview: false }), state());
  await release.update(call(), state(), checked);
  expect(said.at(-1)).toBe(`info: web on vps: will restart nothing${CHECKS}`);
});

test("[A3] what an interrupted change left is not called made by hand; what only records held is told as gone", async () => {
  answer(["journal", "swapping", "id", "7", "web"], ["changed", YAML]);
  const left = await release.read(call({ preview: false }), state());
  expect(left?.outputs.drift).toEqual([`left by a change that was cut off: ${YAML}`]);
  answer(["journal", "swapping", "id", "7", "proxy"], ["changed", YAML]);
  const other = await release.read(call({ preview: false }), state());
  expect(other?.outputs.drift).toEqual([`changed by hand: ${YAML}`]);
  host.mockResolvedValue(parseObservation([["release", "-"]]));
  expect(await release.read(call({ preview: false }), state())).toBeUndefined();
  expect(said.at(-1)).toMatch(
    /^warning: web on vps: no record of it is left in \/var\/lib\/hearth .* passwords made there/,
  );
});

test("[A2] internal inputs change silently: one line of the difference, and no detail of theirs", () => {
  const noise = changed({
    validators: { main: { argv: ["/usr/bin/check", "--new"], timeoutSeconds: 11 } },
    health: { answers: { kind: "http", url: "http://127.0.0.1:81/", status: 200, timeoutSeconds: 5 } },
    revisions: { certificates: "two" },
    units: { "web.service": { enabled: true, state: "running", restartOn: [YAML], reloadOn: [YAML] } },
    tasks: { role: { observe: ["/bin/look", "x"], apply: ["/bin/make"], want: "there", user: "postgres" } },
    secrets: { "/etc/web/random": { ...secret, source: { kind: "command", argv: ["/opt/web/2/make"] } } },
  });
  expect(release.diff(checked, noise)).toEqual({ details: new Map(), silent: true });
  expect(release.diff(checked, checked)).toEqual({ details: new Map(), silent: false });
});
