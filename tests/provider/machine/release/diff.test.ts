import { diffRelease, onlyConnection } from "../../../../provider/machine/release/diff";
import { planLine } from "../../../../provider/machine/release/plan";
import { parseInputs } from "../../../../provider/machine/release/read";
import { diffResponse } from "../../../../provider/protocol/responses";
import { isObject, type Properties, secret, UNKNOWN } from "../../../../provider/protocol/values";
import { checkedSample } from "./sample";

const YAML = "/etc/web/main.yaml";

/** A copy of the checked sample, changed. */
function changed(change: (inputs: Properties) => void): Properties {
  const inputs = structuredClone(checked);
  change(inputs);
  return inputs;
}

function at(inputs: Properties, ...keys: string[]): Properties {
  return keys.reduce<Properties>((place, key) => {
    const next = place[key];
    if (!isObject(next)) throw new Error(`no ${key}`);
    return next;
  }, inputs);
}

const checked = checkedSample();
const paths = (news: Properties, olds = checked) =>
  Object.fromEntries(
    [...diffRelease(olds, news)].map(([path, { kind, replace }]) => [
      path,
      kind + (replace ? " replace" : ""),
    ]),
  );

test.each<[string, (inputs: Properties) => void, Record<string, string>]>([
  ["nothing", () => undefined, {}],
  [
    "what is only looked at before a change is none: a state of an earlier version has none of it",
    (inputs) => {
      inputs.ports = { "443": "web.service" };
      inputs.preflights = { sites: { program: YAML, arguments: [] } };
      at(inputs, "units", "web.service").adopt = true;
    },
    {},
  ],
  [
    "one content: only its leaf, quoted as the engine reads it",
    (inputs) => (at(inputs, "files", YAML).content = `=== ${YAML}\na: 1\nb: 3\n`),
    { [`files["${YAML}"].content`]: "update" },
  ],
  ["a mode", (inputs) => (at(inputs, "files", YAML).mode = "0600"), { [`files["${YAML}"].mode`]: "update" }],
  [
    "a new file is one entry",
    (inputs) => (at(inputs, "files")["/etc/web/b"] = { content: "" }),
    { 'files["/etc/web/b"]': "add" },
  ],
  [
    "a removed file is one entry",
    (inputs) => delete at(inputs, "files")[YAML],
    { [`files["${YAML}"]`]: "delete" },
  ],
  [
    "a unit's state",
    (inputs) => (at(inputs, "units", "web.service").state = "stopped"),
    { 'units["web.service"].state': "update" },
  ],
  [
    "a list that grew",
    (inputs) => (at(inputs, "users", "web").groups = ["adm", "www-data", "xfs"]),
    { "users.web.groups[2]": "add" },
  ],
  [
    "a given secret: its leaf, not its mode",
    (inputs) => (at(inputs, "secrets", "/etc/web/given", "source").value = secret("v1:other")),
    { 'secrets["/etc/web/given"].source.value': "update" },
  ],
  [
    "a value that is not known yet",
    (inputs) => (at(inputs, "revisions").certificates = UNKNOWN),
    { "revisions.certificates": "update" },
  ],
  ["a map that is not known yet", (inputs) => (inputs.files = UNKNOWN), { files: "update" }],
  [
    "another address: an update",
    (inputs) => (at(inputs, "connection").address = "10.0.0.1"),
    { "connection.address": "update" },
  ],
  [
    "another host: a replacement",
    (inputs) => (at(inputs, "connection").name = "edge"),
    { "connection.name": "update replace" },
  ],
  ["another name: a replacement", (inputs) => (inputs.release = "proxy"), { release: "update replace" }],
  ["another scope: an update, which is refused", (inputs) => (inputs.scope = "user"), { scope: "update" }],
])("[A2] %s", (_what, change, expected) => {
  expect(paths(changed(change))).toEqual(expected);
});

test("an unwrapped secret equals its wrapped self, or every up would change it", () => {
  const olds = changed((inputs) => (at(inputs, "connection").sudoPassword = secret("pw")));
  const news = changed((inputs) => (at(inputs, "connection").sudoPassword = "pw"));
  expect(paths(news, olds)).toEqual({});
});

test("the answer reads inputs, names top-level properties, and deletes nothing before its successor is there", () => {
  const news = changed((inputs) => {
    at(inputs, "files", YAML).mode = "0600";
    inputs.release = "proxy";
  });
  const response = diffResponse({ details: diffRelease(checked, news) });
  expect(response.getHasdetaileddiff()).toBe(true);
  expect(response.getDiffsList()).toEqual(["files", "release"]);
  expect(response.getReplacesList()).toEqual(["release"]);
  expect(response.getDeletebeforereplace()).toBe(false);
  const inputDiffs: boolean[] = [];
  response.getDetaileddiffMap().forEach((detail) => {
    inputDiffs.push(detail.getInputdiff());
  });
  expect(inputDiffs).toEqual([true, true]);
});

test("[A1] a state of an earlier version, without images and Podman secrets but with links, is read, and differs in nothing", () => {
  const { images: _, containerSecrets: __, ...rest } = checked;
  // Symbolic links were a noun of releases until nobody used it.
  const old = { ...rest, links: {} };
  expect(paths(checked, old)).toEqual({});
  expect(parseInputs(old)).toEqual(parseInputs(checked));
  expect(planLine(old, checked)).toBe(planLine(checked, checked));
});

test("only the way to the host: told apart from everything that touches it", () => {
  const away = changed((inputs) => (at(inputs, "connection").port = 2222));
  expect(onlyConnection(diffRelease(checked, away))).toBe(true);
  at(away, "files", YAML).mode = "0600";
  expect(onlyConnection(diffRelease(checked, away))).toBe(false);
  expect(onlyConnection(diffRelease(checked, checked))).toBe(false);
});
