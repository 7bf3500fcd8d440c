import { downHost, type Host, onHost, upHost } from "../../sandbox";
import { EngineProject } from "../support/engine-project";
import { NODE_VERSIONS, nodeFolder } from "../support/node-versions";

// For this run only: another run at the same time has a host of its own.
const NAME = `engine-${process.pid}`;
const YAML = "/etc/mini/homeserver.yaml";
const SETTINGS = `# retention of messages
retention:
  enabled: true
  default_policy:
    min_lifetime: 1d
    max_lifetime: 90d
database:
  name: psycopg2
`;
const settingsAs = (sign: string) => SETTINGS.replace(/^/gm, `    ${sign} `).replace(/ {4}. $/, "");
/** For a resource that was called otherwise before. */
const ALIAS = ["dependsOn: [host]", `dependsOn: [host], aliases: [{ name: "${NAME}-mini" }]`] as const;
let host: Host;
let project: EngineProject;

/** One release with a YAML file, a given secret and a unit; `release` and `extra` change from test to test. */
const program = (extra = "", name = "mini") => `
import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { Host, Release } from "./provider/sdk";
const connection = { name: "${NAME}", transport: "ssh" as const, address: "${NAME}", sshConfigFile: "${host.sshConfigFile}", become: "none" as const };
const host = new Host("${NAME}", { connection });
const root = { owner: "root", group: "root" };
const unit = "[Unit]\\nDescription=Mini\\n[Service]\\nExecStart=/bin/sleep infinity\\n[Install]\\nWantedBy=multi-user.target\\n";
new Release("${NAME}-${name}", {
  connection, scope: "system", release: "mini", identity: { serverName: "mini.test" },
  files: {
    "${YAML}": { content: readFileSync(join(process.cwd(), "settings.yaml"), "utf8"), mode: "0644", ...root },
    "/etc/systemd/system/mini.service": { content: unit, mode: "0644", ...root },
  },
  secrets: { "/etc/mini/token": { mode: "0600", ...root, source: { kind: "given", value: pulumi.secret("planted-given-secret") } } },
  units: { "mini.service": { enabled: true, state: "running", restartOn: ["${YAML}"], reloadOn: [] } },
  ${extra}
}, { dependsOn: [host] });
export const facts = host.facts;
`;

beforeAll(async () => {
  host = await upHost({ name: NAME });
  project = await EngineProject.create(program());
  project.write("settings.yaml", SETTINGS);
});
afterAll(async () => {
  project.remove();
  await downHost(NAME);
});

const shell = async (script: string) => (await onHost(host, ["sh", "-c", script])).stdout.trim();

test("the first preview knows the facts and says what it will do; up does it; the second up finds nothing", async () => {
  const plain = await project.pulumi("preview");
  const sentence = `mini on ${NAME}: will enable mini.service; start mini.service\n`;
  expect(plain.stdout).toContain(sentence);
  expect(plain.stdout).not.toContain("max_lifetime");
  const diff = await project.pulumi("preview", "--diff");
  const said = diff.stdout + diff.stderr;
  expect(said.split(sentence)).toHaveLength(2);
  // The engine itself shows three lines of a text that is new.
  expect(said).toContain(`+ ${YAML} (0644 root:root)\n${settingsAs("+")}`);
  const up = await project.pulumi("up", "--yes");
  expect(up).toMatchObject({ code: 0 });
  expect(up.stdout).toMatch(/: enabled mini\.service; started mini\.service; health ok/);
  expect(up.stdout).toMatch(/updating|creating .*\[\d+\/\d+\] /);
  const outputs = JSON.parse((await project.pulumi("stack", "output", "--json")).stdout);
  expect(outputs.facts).toMatchObject({ distribution: "debian", release: "13" });
  expect(await project.pulumi("up", "--yes", "--expect-no-changes")).toMatchObject({ code: 0 });
});

test("[A2] one changed setting: the preview shows that line, its neighbours, and the unit that restarts", async () => {
  project.write("settings.yaml", SETTINGS.replace("90d", "14d"));
  const { stdout, stderr } = await project.pulumi("preview", "--diff");
  const changed = stdout.split("\n").filter((line) => /^ *[-+] /.test(line));
  expect(changed.map((line) => line.trim().replace(/\s+/g, " "))).toEqual([
    "- max_lifetime: 90d",
    "+ max_lifetime: 14d",
  ]);
  expect(stdout + stderr).toContain(`mini on ${NAME}: will restart mini.service\n`);
  const up = await project.pulumi("up", "--yes", "--skip-preview");
  expect(up.stdout).toMatch(/restarted mini\.service \(down [0-9.]+ s\); health ok/);
});

test("[A3] hand edits show in a plain preview, named as made by hand, fail --expect-no-changes with 7, and up repairs them", async () => {
  await shell(`sed -i s/14d/500d/ ${YAML}; systemctl stop mini.service`);
  const drift = await project.pulumi("preview", "--expect-no-changes");
  expect(drift.code).toBe(7);
  expect(drift.stdout).toContain(`mini on ${NAME}: will start mini.service\n`);
  expect(drift.stdout).toContain(`changed by hand: ${YAML}\n`);
  const { stdout } = await project.pulumi("preview", "--diff");
  expect(stdout.match(/max_lifetime: 500d/g)).toHaveLength(1);
  expect(stdout).toContain('state: "stopped" => "running"');
  expect(await project.pulumi("up", "--yes", "--skip-preview")).toMatchObject({ code: 0 });
  expect(await shell(`cat ${YAML}; systemctl is-active mini.service`)).toBe(
    `${SETTINGS.replace("90d", "14d")}active`,
  );
  expect(await project.pulumi("preview", "--expect-no-changes")).toMatchObject({ code: 0 });
});

test.each(NODE_VERSIONS)("on Node %s the same stack shows no change, and is changed", async (version) => {
  const on = { PATH: `${await nodeFolder(version)}:${process.env.PATH}` };
  expect(await project.pulumiWith(on, "preview", "--expect-no-changes")).toMatchObject({ code: 0 });
  project.write("index.ts", `${program()}export const node = process.version;\n`);
  project.write("settings.yaml", SETTINGS.replace("90d", `${version}d`));
  const up = await project.pulumiWith(on, "up", "--yes", "--skip-preview");
  expect(up).toMatchObject({ code: 0 });
  expect(up.stdout + up.stderr).not.toMatch(/deprecat|experimental/i);
  expect(await shell(`cat ${YAML}`)).toContain(`max_lifetime: ${version}d`);
  const { node } = JSON.parse((await project.pulumi("stack", "output", "--json")).stdout);
  expect(node).toMatch(new RegExp(`^v${version}\\.`));
});

test("a probe that fails shows as a warning in the preview and as a planned update", async () => {
  project.write(
    "index.ts",
    program(
      'health: { there: { kind: "command", argv: ["/usr/bin/test", "-e", "/run/mini-ok"], timeoutSeconds: 5 } },',
    ),
  );
  await shell("touch /run/mini-ok");
  expect(await project.pulumi("up", "--yes", "--skip-preview")).toMatchObject({ code: 0 });
  await shell("rm /run/mini-ok");
  const { code, stdout } = await project.pulumi("preview", "--expect-no-changes");
  expect(code).toBe(7);
  expect(stdout).toMatch(new RegExp(`unhealthy state:\\n.*release "mini" on ${NAME}: probe there failed`));
  expect(stdout).toContain(`mini on ${NAME}: will restart mini.service\n`);
  expect(stdout).toContain("because probe there failed");
  await shell("touch /run/mini-ok");
  expect(await project.pulumi("preview", "--expect-no-changes")).toMatchObject({ code: 0 });
});

test("a fault in the program is one clear message that names place and fix", async () => {
  project.write("index.ts", program('ports: { "x": "y.service" },'));
  const { code, stdout } = await project.pulumi("preview");
  expect(code).toBe(1);
  expect(stdout).toContain('ports.x: "x" is none; write a port, or an address and a port');
});

test("a renamed resource: refused with the alias to paste, and with the alias nothing happens to the host", async () => {
  project.write("index.ts", program("", "renamed"));
  const refused = await project.pulumi("preview");
  expect(refused.code).toBe(1);
  expect(refused.stdout).toContain(`aliases: [{ name: "${NAME}-mini" }]`);
  project.write("index.ts", program("", "renamed").replace(...ALIAS));
  const before = await shell("systemctl show -p MainPID --value mini.service");
  expect(await project.pulumi("up", "--yes", "--skip-preview")).toMatchObject({ code: 0 });
  expect(await shell("systemctl show -p MainPID --value mini.service")).toBe(before);
});

test("[A9] the engine keeps no given secret, in state, backups or history", async () => {
  expect(project.kept()).toContain("/etc/mini/token");
  expect(project.kept()).not.toContain("planted-given-secret");
  expect(project.kept()).not.toMatch(/v1:[0-9a-f]{32}:[0-9a-f]{64}/);
});

/** What comes and goes with the entries that a program names besides. */
const EXTRAS = `secrets: {
      "/etc/mini/token": { mode: "0600", ...root, source: { kind: "given", value: pulumi.secret("planted-given-secret") } },
      "/etc/mini/there": { mode: "0600", ...root, source: { kind: "random", bytes: 16 } },
      "/etc/mini/new": { mode: "0600", ...root, source: { kind: "random", bytes: 16 } },
    },
    files: {
      "${YAML}": { content: readFileSync(join(process.cwd(), "settings.yaml"), "utf8"), mode: "0644", ...root },
      "/etc/systemd/system/mini.service": { content: unit, mode: "0644", ...root },
      "/etc/mini/extra": { content: "one\\ntwo\\nthree\\nfour\\nfive\\n", mode: "0644", ...root },
      "/etc/mini/taken": { content: "ours\\n", mode: "0644", ...root },
    },
    validators: { true: { argv: ["/bin/true"], timeoutSeconds: 5 } },`;

test("what an update adds is compared with the host, and what it drops is said to stay, to go or to come back", async () => {
  await shell("echo kept >/etc/mini/there; echo theirs >/etc/mini/taken");
  project.write("index.ts", program(EXTRAS, "renamed").replace(...ALIAS));
  const coming = await project.pulumi("preview", "--diff");
  const added = coming.stdout + coming.stderr;
  expect(added).toContain(`mini on ${NAME}: will restart nothing
  makes secret /etc/mini/new
  is there already and is kept: secret /etc/mini/there
  sets mode and owner of /etc/mini/there to 0600 root:root
  writes /etc/mini/extra
  overwrites /etc/mini/taken
  exists already, belongs to nobody (kept, and given back on removal) and is taken over: /etc/mini/taken
  checked in pulumi up only, before anything is replaced: true
`);
  expect(added).toContain(`+ /etc/mini/extra (0644 root:root)
    + one
    + two
    + three
    + four
    + five
~ /etc/mini/taken (0644 root:root)
    - theirs
    + ours
`);
  expect(coming.stdout).not.toMatch(/[-+~] *(secrets|files|validators|\/etc\/mini)/);
  expect(await project.pulumi("up", "--yes", "--skip-preview")).toMatchObject({ code: 0 });
  expect(await shell("cat /etc/mini/there /etc/mini/taken")).toBe("kept\nours");

  project.write("index.ts", program("", "renamed").replace(...ALIAS));
  const going = await project.pulumi("preview", "--diff");
  const dropped = going.stdout + going.stderr;
  expect(dropped).toContain(`mini on ${NAME}: will restart nothing
  stays on the host: secret /etc/mini/new, secret /etc/mini/there
  removes /etc/mini/extra
  gives back what was there before Hearth: /etc/mini/taken
`);
  expect(dropped).toContain("- /etc/mini/extra\n    - one\n    - two\n    - three\n    - four\n    - five\n");
  expect(dropped).toContain("~ /etc/mini/taken (what was there before Hearth)\n    - ours\n    + theirs\n");
  expect(going.stdout).not.toMatch(/[-+~] *(secrets|files|validators|\/etc\/mini)/);
  expect(await project.pulumi("up", "--yes", "--skip-preview")).toMatchObject({ code: 0 });
  expect(await shell("ls /etc/mini; cat /etc/mini/there /etc/mini/taken")).toBe(
    "homeserver.yaml\nnew\ntaken\nthere\ntoken\nkept\ntheirs",
  );
  expect(await project.pulumi("preview", "--expect-no-changes")).toMatchObject({ code: 0 });
});

test("an unreachable host ends the preview with how to go on, and HEARTH_OFFLINE=1 plans without it", async () => {
  const unreachable = { HEARTH_OFFLINE: "1" };
  project.write(
    "index.ts",
    program("", "renamed")
      .replace(...ALIAS)
      .replace(`address: "${NAME}"`, `address: "${host.address}", port: 1`),
  );
  const offline = await project.pulumiWith(
    unreachable,
    "up",
    "--yes",
    "--skip-preview",
    "--exclude",
    `**Host::${NAME}`,
  );
  expect(offline.stdout).toContain(`${NAME} is not contacted (HEARTH_OFFLINE=1)`);
  expect(offline).toMatchObject({ code: 0 });
  const { code, stdout } = await project.pulumi("preview");
  expect(code).toBe(1);
  expect(stdout).toContain(`${NAME} (${host.address}:1) refused the connection`);
  expect(stdout).toContain(`npm run pulumi -- up --exclude '**::${NAME}*'`);
  expect(stdout).toContain("HEARTH_OFFLINE=1 npm run pulumi -- preview");
});
