import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { main } from "../../cli/main";
import { loadStack } from "../../config-schemas/load";
import { parseStack, type RawStack } from "../../config-schemas/parse";
import { rawOf } from "../../config-schemas/stack-file";
import { confirmationsOf } from "../../config-schemas/trust/confirmations";
import { confirm, confirmedFor, lineOf } from "../../config-schemas/trust/confirmed";
import { type Change, stackWith } from "./support";

let project: string;
let elsewhere: string;
let record: string;

beforeAll(async () => {
  project = realpathSync(mkdtempSync(join(tmpdir(), "hearth-trust-")));
  elsewhere = realpathSync(mkdtempSync(join(tmpdir(), "hearth-elsewhere-")));
  const names = ["-subj", "/CN=x", "-addext", "subjectAltName=DNS:matrix.example.org,DNS:example.org"];
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-noenc"];
  for (const folder of [project, elsewhere]) {
    const files = ["-keyout", join(folder, "privkey.pem"), "-out", join(folder, "fullchain.pem")];
    execFileSync("openssl", ["req", "-x509", ...key, ...files, ...names], { stdio: "ignore" });
  }
  for (const name of ["ssh_config", "known_hosts", "id"]) writeFileSync(join(project, name), `# ${name}\n`);
  await pulumi.runtime.setMocks(
    { newResource: () => ({ id: "", state: {} }), call: () => ({}) },
    "hearth",
    "vps",
  );
});
beforeEach(() => {
  record = join(mkdtempSync(join(elsewhere, "record-")), "trusted.json");
  process.env.HEARTH_TRUSTED = record;
});
afterEach(() => {
  delete process.env.HEARTH_TRUSTED;
  delete process.env.PULUMI_CONFIG_SECRET_KEYS;
});
afterAll(() => {
  for (const folder of [project, elsewhere]) rmSync(folder, { recursive: true });
});

/** The operator's own stack: everything that needs a confirmation, also secrets. */
const OWN: Change = {
  hosts: {
    vps: {
      address: "vps.example.org",
      user: "alice",
      become: "sudo",
      sshConfigFile: "ssh_config",
      jump: "bastion",
    },
  },
  homeserver: { email: { smtpHost: "mail.example.org", user: "matrix", from: "matrix@example.org" } },
  dns: { host: "vps", records: { f: { type: "TXT", name: "f.example.org", text: "x" } } },
  accounts: { bob: { password: "given" } },
  secrets: {
    sudo: { vps: "planted-sudo" },
    smtp: { password: "planted-smtp" },
    dynu: { apiKey: "planted-dynu" },
    accounts: { bob: "planted-bob" },
  },
};

/** A stack with certificates of the project, changed. */
function stack(...changes: Change[]): RawStack {
  const files = { certificates: { certificateFile: "fullchain.pem", privateKeyFile: "privkey.pem" } };
  return changes.reduce<RawStack>((raw, change) => mergedInto(raw, change), stackWith(files));
}

function mergedInto(raw: RawStack, change: Change): RawStack {
  const isMap = (value: unknown): value is Change =>
    typeof value === "object" && value !== null && !Array.isArray(value);
  const keys = [...new Set([...Object.keys(raw), ...Object.keys(change)])];
  const merged = keys.map((key) => {
    const [old, now] = [raw[key], key in change ? change[key] : raw[key]];
    return [key, isMap(old) && isMap(now) ? mergedInto(old, now) : now];
  });
  return Object.fromEntries(merged.filter(([, value]) => value !== undefined));
}

function confirmed(raw: RawStack): void {
  const parsed = parseStack(raw);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.faults));
  confirm(record, "vps", confirmationsOf(parsed.config, parsed.secrets, project));
}

/** The output of the program when the engine runs it: faults, warnings, or nothing. */
function run(raw: RawStack, preview: boolean): { refused: string; warned: string[] } {
  const config = Object.entries(raw).map(([key, value]) => [`hearth:${key}`, JSON.stringify(value)]);
  pulumi.runtime.setAllConfig(Object.fromEntries(config));
  process.env.PULUMI_CONFIG_SECRET_KEYS = JSON.stringify("secrets" in raw ? ["hearth:secrets"] : []);
  const warned: string[] = [];
  const warn = jest.spyOn(pulumi.log, "warn").mockImplementation(async (text) => void warned.push(text));
  const dry = jest.spyOn(pulumi.runtime, "isDryRun").mockReturnValue(preview);
  try {
    loadStack(project);
    return { refused: "", warned };
  } catch (error) {
    return { refused: error instanceof Error ? error.message : String(error), warned };
  } finally {
    warn.mockRestore();
    dry.mockRestore();
  }
}

const preview = (raw: RawStack) => run(raw, true);
const up = (raw: RawStack) => run(raw, false);

/** A stranger's changes to {@link OWN}: the effect of each, and whether a preview would already have it. */
const HOSTILE: { what: string; change: Change; says: RegExp; look: boolean }[] = [
  {
    what: "another address: the sudo password would go there",
    change: { hosts: { vps: { address: "evil.example" } } },
    says: /vps\.address.*\n.*logs in to alice@evil\.example and sends your secrets for vps there/,
    look: true,
  },
  {
    what: "one more host, on which nothing runs",
    change: { hosts: { spare: { address: "evil.example" } } },
    says: /spare\.address.*\n.*logs in to evil\.example and sends your secrets for spare there/,
    look: true,
  },
  {
    what: "another port of the same address",
    change: { hosts: { vps: { port: 2222 } } },
    says: /logs in to alice@vps\.example\.org, port 2222 and sends/,
    look: true,
  },
  {
    what: "another login user",
    change: { hosts: { vps: { user: "mallory" } } },
    says: /logs in to mallory@vps\.example\.org and sends/,
    look: true,
  },
  {
    what: "the stranger's jump host",
    change: { hosts: { vps: { jump: "evil.example" } } },
    says: /vps\.jump.*\n.*goes through evil\.example/,
    look: true,
  },
  {
    what: "the stack file itself as ssh's configuration",
    change: { hosts: { vps: { sshConfigFile: "Pulumi.vps.yaml" } } },
    says: /sshConfigFile.*\n.*configuration from \.\/Pulumi\.vps\.yaml \(SHA-256/,
    look: true,
  },
  {
    what: "the stack file itself as known host keys",
    change: { hosts: { vps: { knownHostsFile: "Pulumi.vps.yaml" } } },
    says: /knownHostsFile.*\n.*host keys in \.\/Pulumi\.vps\.yaml/,
    look: true,
  },
  {
    what: "the operator's key",
    change: { hosts: { vps: { identityFile: "id" } } },
    says: /identityFile.*\n.*logs in with the key \.\/id/,
    look: true,
  },
  {
    what: "this machine instead of the host",
    change: {
      hosts: {
        vps: {
          transport: "local",
          address: undefined,
          user: undefined,
          sshConfigFile: undefined,
          jump: undefined,
        },
      },
    },
    says: /transport.*\n.*this machine itself is looked at and changed/,
    look: true,
  },
  {
    what: "another API for the key of DNS",
    change: { dns: { apiUrl: "https://evil.example/v2" } },
    says: /dns\.apiUrl.*\n.*API key for DNS is sent to https:\/\/evil\.example\/v2/,
    look: true,
  },
  {
    what: "a listener on this machine for the key of DNS",
    change: { dns: { apiUrl: "http://127.0.0.1:9" } },
    says: /API key for DNS is sent to http:\/\/127\.0\.0\.1:9/,
    look: true,
  },
  {
    what: "another mail server",
    change: { homeserver: { email: { smtpHost: "mail.evil.example" } } },
    says: /smtpHost.*\n.*password for mail is sent to mail\.evil\.example, port 587/,
    look: false,
  },
];

beforeEach(() => writeFileSync(join(project, "Pulumi.vps.yaml"), "config: {}\n"));

describe("a stranger's change to a stack that the operator confirmed", () => {
  it.each(HOSTILE)("$what", ({ change, says, look }) => {
    confirmed(stack(OWN));
    expect(preview(stack(OWN))).toEqual({ refused: "", warned: [] });
    const hostile = stack(OWN, change);
    const looked = preview(hostile);
    if (look) expect(looked.refused).toMatch(says);
    else {
      expect(looked.refused).toBe("");
      expect(`${looked.warned.join("\n")}`.replace(": ", "\n")).toMatch(says);
    }
    expect(up(hostile).refused).toMatch(says);
    expect(up(hostile).refused).toContain("run: npx hearth trust -s vps");
    expect(`${looked.refused}${looked.warned}`).not.toContain("planted");
    // A refused run saves no confirmation.
    expect(up(hostile).refused).toMatch(says);
  });

  it("a confirmation includes the content of a file in the checkout, because a branch may change it", () => {
    confirmed(stack(OWN));
    writeFileSync(join(project, "ssh_config"), "Host *\n  ProxyCommand id\n");
    try {
      expect(preview(stack(OWN)).refused).toMatch(/sshConfigFile/);
    } finally {
      writeFileSync(join(project, "ssh_config"), "# ssh_config\n");
    }
  });

  it.each([
    ["by its path", (file: string) => join(elsewhere, file)],
    [
      "by a link in the checkout",
      (file: string) => {
        rmSync(join(project, "link.pem"), { force: true });
        symlinkSync(join(elsewhere, file), join(project, "link.pem"));
        return "./link.pem";
      },
    ],
    ["by a path upwards", (file: string) => `../${elsewhere.split("/").pop()}/${file}`],
  ])("a file outside of the checkout is not read into a plan, %s", (_how, name) => {
    confirmed(stack());
    const hostile = (key: string, file: string) => stack({ certificates: { [key]: name(file) } });
    for (const [key, file] of [
      ["privateKeyFile", "privkey.pem"],
      ["certificateFile", "fullchain.pem"],
    ] as const) {
      expect(preview(hostile(key, file)).refused).toMatch(
        new RegExp(`${elsewhere}/${file} is read, a file outside of this checkout`),
      );
    }
    expect(preview(stack({ verification: { caFile: name("fullchain.pem") } })).refused).toMatch(
      /outside of this/,
    );
  });

  it("files of the checkout need no confirmation", () => {
    mkdirSync(join(project, "secrets/tls"), { recursive: true });
    writeFileSync(join(project, "secrets/tls/ca.pem"), execFileSync("cat", [join(project, "fullchain.pem")]));
    confirmed(stack());
    expect(preview(stack({ verification: { caFile: "./secrets/tls/ca.pem" } })).refused).toBe("");
  });
});

describe("a stack that is new here", () => {
  it("previews without a question as long as no preview sends or runs anything, and its first up confirms it", () => {
    expect(preview(stack())).toEqual({
      refused: "",
      warned: [expect.stringMatching(/vps\.address: Hearth logs in to .*first pulumi up from here/)],
    });
    expect(confirmedFor(record, "vps")).toBeUndefined();
    expect(up(stack()).refused).toBe("");
    expect(preview(stack())).toEqual({ refused: "", warned: [] });
    const moved = stack({ hosts: { vps: { address: "evil.example" } } });
    for (const look of [preview, up]) expect(look(moved).refused).toMatch(/logs in to .*evil\.example/);
  });

  it("is confirmed for all of its hosts by its first up, not only for the one with the services", () => {
    const two = stack({ hosts: { spare: { address: "spare.example.org" } } });
    expect(preview(two)).toEqual({
      refused: "",
      warned: ["vps", "spare"].map((name) =>
        expect.stringContaining(`hosts.${name}.address: Hearth logs in to`),
      ),
    });
    expect(up(two).refused).toBe("");
    expect(preview(two)).toEqual({ refused: "", warned: [] });
    const moved = stack({ hosts: { spare: { address: "evil.example" } } });
    for (const look of [preview, up]) expect(look(moved).refused).toMatch(/logs in to evil\.example/);
  });

  it("is refused where a preview would send the password for sudo, until it is confirmed", () => {
    const own = stack(OWN);
    for (const look of [preview, up]) expect(look(own).refused).toMatch(/sends your secrets for vps there/);
    expect(confirmedFor(record, "vps")).toBeUndefined();
    confirmed(own);
    for (const look of [preview, up]) expect(look(own)).toEqual({ refused: "", warned: [] });
  });

  it("confirmations of another stack do not count", () => {
    const parsed = parseStack(stack(OWN));
    if (!parsed.ok) throw new Error("the stack is good");
    confirm(record, "other", confirmationsOf(parsed.config, parsed.secrets, project));
    expect(preview(stack(OWN)).refused).toMatch(/must confirm this once/);
  });
});

it("a record that other users can write is refused", () => {
  confirmed(stack(OWN));
  chmodSync(record, 0o666);
  expect(preview(stack(OWN)).refused).toMatch(/other users can write it\n.*fix: /);
  chmodSync(record, 0o600);
  writeFileSync(record, "{");
  expect(preview(stack(OWN)).refused).toMatch(/it is damaged/);
});

it("without HEARTH_TRUSTED the record is outside of the checkout, where no branch can create one", () => {
  const { confirmedFile } = require("../../config-schemas/trust/confirmed");
  delete process.env.HEARTH_TRUSTED;
  expect(confirmedFile(project)).toMatch(/\/hearth\/trusted\/[0-9a-f]{16}\.json$/);
  expect(confirmedFile(project).startsWith(project)).toBe(false);
});

describe("npx hearth trust", () => {
  const file = () => join(project, "Pulumi.trusting.yaml");

  async function trust(...argv: string[]): Promise<{ status: number; said: string }> {
    let said = "";
    const collect = (text: unknown) => {
      said += String(text);
      return true;
    };
    const spies = [process.stdout, process.stderr].map((stream) =>
      jest.spyOn(stream, "write").mockImplementation(collect),
    );
    try {
      return { status: await main(["trust", "-s", "trusting", "--config-file", file(), ...argv]), said };
    } finally {
      for (const spy of spies) spy.mockRestore();
    }
  }

  it("lists what needs a confirmation, saves it on yes, and then lists nothing new", async () => {
    const { hosts, homeserver, postgres, proxy, certificates } = stack(OWN);
    const config = {
      hosts,
      homeserver: { ...(homeserver as object), email: undefined },
      postgres,
      proxy,
      certificates,
    };
    const secrets = { sudo: { vps: { secure: "v1:abc" } } };
    const keys = Object.entries({ ...config, secrets }).map(([key, value]) => [`hearth:${key}`, value]);
    writeFileSync(file(), JSON.stringify({ config: Object.fromEntries(keys) }));
    const asked = await trust();
    expect(asked).toEqual({
      status: 2,
      said: expect.stringMatching(/there is no terminal for the question\n {2}fix: --yes/),
    });
    expect(asked.said).toMatch(/new hearth:hosts\.vps\.address: Hearth logs in to alice@vps/);
    expect(confirmedFor(record, "trusting")).toBeUndefined();
    expect((await trust("--yes")).status).toBe(0);
    const parsed = parseStack({ ...config, secrets: { sudo: { vps: "x" } } } as RawStack);
    if (!parsed.ok) throw new Error(JSON.stringify(parsed.faults));
    const lines = confirmationsOf(parsed.config, parsed.secrets, project).map(lineOf);
    // The command reads the files of the checkout, not of this test's project: only lines without files are compared.
    const plain = (all: readonly string[] = []) => all.filter((line) => !line.includes("ssh_config"));
    expect(plain(confirmedFor(record, "trusting"))).toEqual(plain(lines));
    expect((await trust()).said).not.toContain("new hearth");
  });

  it("reads secrets without decrypting them", () => {
    expect(rawOf("config:\n  hearth:secrets: {sudo: {vps: {secure: v1:x}}}\n")).toEqual({
      secrets: { sudo: { vps: "encrypted" } },
    });
  });
});
