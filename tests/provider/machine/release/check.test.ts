import { checkRelease } from "../../../../provider/machine/release/check";
import {
  isObject,
  type Properties,
  revealAll,
  secret,
  secretPaths,
  UNKNOWN,
  type Value,
} from "../../../../provider/protocol/values";
import { checkedSample, sampleProperties } from "./sample";

/** The sample with one place changed; `undefined` removes it. */
function changed(path: string[], value: Value | undefined): Properties {
  const inputs = sampleProperties();
  let place = inputs;
  for (const key of path.slice(0, -1)) {
    const next = place[key];
    if (!isObject(next)) throw new Error(`no ${key} in the sample`);
    place = next;
  }
  const last = path.at(-1) ?? "";
  if (value === undefined) delete place[last];
  else place[last] = value;
  return inputs;
}

const faultsOf = (path: string[], value: Value | undefined) => checkRelease({}, changed(path, value)).faults;

const YAML = "/etc/web/main.yaml";
const PATH_RULE =
  "is not such a path; write an absolute path below a top directory, such as /etc/example/example.conf, without ., .., //, backslash or a / at its end";
const file = { content: "x\n", mode: "0644", owner: "root", group: "root" };

describe("what is refused, and how", () => {
  test.each<[string, string[], Value | undefined, string]>([
    [
      "a mode that is none",
      ["files", YAML, "mode"],
      "rw",
      `files["${YAML}"].mode: "rw" is not allowed; write four octal digits as text, such as "0640"`,
    ],
    [
      "a mode as number",
      ["files", YAML, "mode"],
      640,
      `files["${YAML}"].mode: 640 is not text; write four octal digits as text, such as "0640"`,
    ],
    ["a missing owner", ["files", YAML, "owner"], undefined, `files["${YAML}"].owner: is missing`],
    [
      "an owner that is no name",
      ["files", YAML, "owner"],
      "a b",
      `files["${YAML}"].owner: "a b" is not allowed; write the name of a user or group`,
    ],
    ["a relative path", ["files", "etc/x"], file, `files["etc/x"]: "etc/x" ${PATH_RULE}`],
    ["a path with ..", ["files", "/etc/../x/y"], file, `files["/etc/../x/y"]: "/etc/../x/y" ${PATH_RULE}`],
    [
      "a top directory",
      ["directories", "/etc"],
      { mode: "0755", owner: "root", group: "root" },
      `directories["/etc"]: "/etc" ${PATH_RULE}`,
    ],
    [
      "a newline in a revision",
      ["revisions", "certificate"],
      "a\nb",
      'revisions.certificate: "a\\nb" contains a tab, newline or control character; write a revision of one line',
    ],
    [
      "a tab in an argument",
      ["validators", "main", "argv"],
      ["a", "b\tc"],
      'validators.main.argv[1]: "b\\tc" contains a tab, newline or control character; write one program argument',
    ],
    ["no program", ["tasks", "role", "observe"], [], "tasks.role.observe: the list is empty"],
    [
      "a key that is none",
      ["files", YAML, "permissions"],
      "0644",
      `files["${YAML}"].permissions: is not a key here; the keys are mode, owner, group, content, fills`,
    ],
    [
      "a top-level key that is none",
      ["file"],
      {},
      "file: is not a key here; the keys are connection, scope, release, identity, packages, repositories, users, directories, files, secrets, images, containerSecrets, environments, tasks, units, ports, preflights, revisions, validators, health, publishes, confirm",
    ],
    [
      "a trigger that names nothing",
      ["units", "web.service", "reloadOn"],
      ["/etc/web/mian.yaml"],
      'units["web.service"].reloadOn[0]: "/etc/web/mian.yaml" names nothing in this release; write a path of files, secrets or directories, or revision:, task:, environment:, image: or container-secret: with a name from there',
    ],
    [
      "a unit without suffix",
      ["units", "web"],
      { enabled: true, state: "running", restartOn: [], reloadOn: [] },
      'units.web: "web" is not allowed; write a unit name, such as example.service',
    ],
    [
      "a state that is none",
      ["units", "web.service", "state"],
      "started",
      'units["web.service"].state: "started" is none of running, stopped',
    ],
    [
      "an unpinned requirement",
      ["environments", "/opt/web/1", "requirements"],
      ["web>=1"],
      'environments["/opt/web/1"].requirements[0]: "web>=1" is not allowed; write an exact pin with the hash of its wheel, such as name==1.2.3 --hash=sha256:…',
    ],
    [
      "a requirement without a hash",
      ["environments", "/opt/web/1", "requirements"],
      ["web==1"],
      'environments["/opt/web/1"].requirements[0]: "web==1" names no hash, and whatever the index sends would be installed; write web==1 --hash=sha256:…',
    ],
    [
      "a requirement that is an option of pip's",
      ["environments", "/opt/web/1", "requirements"],
      ["--index-url=http://elsewhere.example"],
      'environments["/opt/web/1"].requirements[0]: "--index-url=http://elsewhere.example" is not allowed; write an exact pin with the hash of its wheel, such as name==1.2.3 --hash=sha256:…',
    ],
    [
      "a short random secret",
      ["secrets", "/etc/web/random", "source"],
      { kind: "random", bytes: 4 },
      'secrets["/etc/web/random"].source.bytes: 4 is not a whole number from 16 to 1024',
    ],
    [
      "a source that is none",
      ["secrets", "/etc/web/random", "source"],
      { kind: "vault" },
      'secrets["/etc/web/random"].source: kind "vault" is none of random, command, given',
    ],
    [
      "an empty given secret",
      ["secrets", "/etc/web/given", "source", "value"],
      "",
      'secrets["/etc/web/given"].source.value: the value is empty; write the secret\'s text',
    ],
    [
      "one path in two maps",
      ["directories", YAML],
      { mode: "0755", owner: "root", group: "root" },
      `files["${YAML}"]: is in directories too; keep one`,
    ],
    [
      "something below a file",
      ["files", `${YAML}/x`],
      file,
      `files["${YAML}/x"]: files["${YAML}"] is not a directory, nothing can be below it`,
    ],
    [
      "ssh without address",
      ["connection", "address"],
      undefined,
      "connection.address: is missing; transport ssh needs one",
    ],
    [
      "an address that is an option",
      ["connection", "address"],
      "-oProxyCommand=x",
      'connection.address: "-oProxyCommand=x" is not allowed; write a host name, an address or an alias of your ssh configuration',
    ],
    [
      "a password nobody asks for",
      ["connection", "sudoPassword"],
      "pw",
      "connection.sudoPassword: become is none; write become: sudo or drop the password",
    ],
    [
      "a probe without URL",
      ["health", "answers", "url"],
      "127.0.0.1",
      'health.answers.url: "127.0.0.1" is not allowed; write a URL as the host itself reaches it',
    ],
    ["a map that is a list", ["packages"], ["nginx"], 'packages: ["nginx"] is not a map'],
  ])("%s", (_what, path, value, message) => {
    expect(faultsOf(path, value)).toEqual([message]);
  });

  test("[W11] a port that is none, and a port or a preflight that names nothing of the release", () => {
    const inputs = {
      ...sampleProperties(),
      ports: { "80x": "web.service", "443": "other.service", "127.0.0.1:80": "web.service" },
      preflights: { sites: { program: "/etc/web/look.sh", arguments: [] } },
    };
    expect(checkRelease({}, inputs).faults).toEqual([
      'ports["80x"]: "80x" is none; write a port, or an address and a port: 443, 127.0.0.1:8008 or [::1]:8008',
      "preflights.sites.program: is none of files; the program is one of them",
      'ports["443"]: is none of units; name the one that opens the port',
    ]);
  });

  test("all faults are named at once", () => {
    const inputs = changed(["files", YAML, "mode"], "x");
    inputs.release = "Web Server";
    expect(checkRelease({}, inputs).faults).toHaveLength(2);
  });

  test("[R1] what would be root's below a user's directory: the user could put anything else there, and root would follow", () => {
    const inputs = sampleProperties();
    const folder = (owner: string, mode: string, group = owner) => ({ mode, owner, group });
    Object.assign(inputs, {
      directories: {
        "/var/lib/service": folder("service", "0750"),
        "/var/lib/service/media": folder("service", "0750"),
        "/var/lib/service/roots": folder("root", "0755"),
        "/srv/shared": folder("root", "0775", "staff"),
      },
      files: {
        ...(isObject(inputs.files) ? inputs.files : {}),
        "/var/lib/service/conf.d/a": file,
        "/var/lib/service/own": { ...file, owner: "service" },
        "/srv/shared/deep/b": file,
      },
      environments: {
        "/var/lib/service/venv": {
          python: "/usr/bin/python3",
          requirements: [`web==1 --hash=sha256:${"0".repeat(64)}`],
          systemSitePackages: false,
        },
      },
      units: {},
    });
    const service =
      '.owner: is "root", but service can replace whatever is below /var/lib/service; write "service", or put it into a directory of root\'s';
    expect(checkRelease({}, inputs).faults).toEqual([
      `directories["/var/lib/service/roots"]${service}`,
      `files["/var/lib/service/conf.d/a"]${service}`,
      'files["/srv/shared/deep/b"]: others can change /srv/shared, which is above it; take their right to write from its mode',
      'environments["/var/lib/service/venv"]: root runs its programs, and others can change /var/lib/service; put it into a directory of root\'s',
    ]);
    // Without root there is nobody else to be.
    expect(
      checkRelease({}, { ...inputs, scope: "user" }).faults.filter((fault) => fault.includes("below")),
    ).toEqual([]);
  });

  test("packages in the user's scope: they need root, as becoming another user does", () => {
    const faults = faultsOf(["scope"], "user");
    expect(faults.map((fault) => fault.split(":")[0])).toEqual([
      "packages",
      "repositories",
      "users",
      "environments",
      "tasks.role.user",
    ]);
  });

  test("images and Podman secrets in the system's scope: they belong to a login user", () => {
    const inputs = changed(["images"], ["docker.io/library/postgres:17.6"]);
    inputs.containerSecrets = { password: { source: { kind: "random", bytes: 20 } } };
    expect(checkRelease({}, inputs).faults).toEqual([
      "images: belong to a login user; use scope user",
      "containerSecrets: belong to a login user; use scope user",
    ]);
  });

  test.each([
    ["short names, which mean another image on another host", "postgres:17.6"],
    ["names without a tag, which mean another image tomorrow", "docker.io/library/postgres"],
  ])("%s", (_what, image) => {
    const [fault] = faultsOf(["images"], [image]);
    expect(fault).toMatch(/^images\[0\]: ".*" is not allowed; write a full image name/);
  });

  test("[A9] a secret in a file: files hold none, and the message does not hold it either", () => {
    const faults = faultsOf(["files", YAML, "content"], secret("planted-secret\n"));
    expect(faults).toEqual([
      `files["${YAML}"].content: is a secret; files and settings hold none: ship it under secrets with source given and refer to its path`,
    ]);
  });
});

describe("what is accepted", () => {
  test("absent maps are empty, spellings become one, lists without an order are sorted", () => {
    const { connection, scope, release } = sampleProperties();
    const { inputs, faults } = checkRelease(
      {},
      {
        connection: connection ?? null,
        scope: scope ?? null,
        release: release ?? null,
        files: { "/etc/x/y": { content: "text", mode: "644", owner: "root", group: "root" } },
        users: { web: { home: "/srv", groups: ["b", "a"] } },
      },
    );
    expect(faults).toEqual([]);
    expect(inputs).toMatchObject({ packages: {}, units: {}, users: { web: { groups: ["a", "b"] } } });
    expect(inputs.files).toEqual({
      "/etc/x/y": { content: "=== /etc/x/y\ntext\n", mode: "0644", owner: "root", group: "root" },
    });
  });

  test("checking what is checked changes nothing: the engine may ask twice", () => {
    const once = checkedSample();
    expect(checkRelease(once, once)).toEqual({ inputs: once, faults: [] });
  });

  test("[A9] a given secret is sealed and stays wrapped; the salt of the state is used again", () => {
    const first = checkedSample();
    expect(secretPaths(first)).toEqual(['secrets["/etc/web/given"].source.value']);
    expect(JSON.stringify(first)).not.toContain("planted-secret");
    expect(checkRelease(first, sampleProperties()).inputs).toEqual(first);
    const other = changed(["secrets", "/etc/web/given", "source", "value"], secret("another"));
    expect(revealAll(checkRelease(first, other).inputs)).not.toEqual(revealAll(first));
  });

  test("[A9] a secret where none belongs is refused without its value, however wrong that is", () => {
    const argv = ["tasks", "role", "apply"];
    for (const inputs of [changed(argv, secret("planted")), changed(argv, [secret("planted\nkey")])]) {
      const { faults } = checkRelease({}, inputs);
      expect(faults.join()).toContain("tasks.role.apply");
      expect(faults.join()).not.toContain("planted");
    }
  });

  test("[A9] a faulty release keeps its secrets wrapped", () => {
    const inputs = changed(["release"], "Wrong Name");
    expect(secretPaths(checkRelease({}, inputs).inputs)).toEqual(['secrets["/etc/web/given"].source.value']);
  });

  test.each<[string, string[]]>([
    ["a content", ["files", YAML, "content"]],
    ["a whole map", ["revisions"]],
    ["a trigger list", ["units", "web.service", "restartOn"]],
    ["a given secret", ["secrets", "/etc/web/given", "source", "value"]],
    ["the address", ["connection", "address"]],
  ])("%s that is not known yet passes as it is", (_what, path) => {
    const { inputs, faults } = checkRelease({}, changed(path, UNKNOWN));
    expect(faults).toEqual([]);
    expect(JSON.stringify(inputs)).toContain(UNKNOWN);
  });
});
