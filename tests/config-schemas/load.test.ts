import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inspect } from "node:util";
import * as pulumi from "@pulumi/pulumi";
import { GivenSecret } from "../../config-schemas/given-secrets";
import { type LoadedStack, loadStack, UserError } from "../../config-schemas/load";
import { parseStack, type RawStack } from "../../config-schemas/parse";
import { secretOutput } from "../../config-schemas/secret-output";
import { confirmationsOf } from "../../config-schemas/trust/confirmations";
import { confirm } from "../../config-schemas/trust/confirmed";
import { fixtureStack as fixture } from "../fixtures/stacks";
import { stackWith } from "./support";

const SECRET_KEYS = "PULUMI_CONFIG_SECRET_KEYS";
let project: string;

beforeAll(async () => {
  project = mkdtempSync(join(tmpdir(), "hearth-load-"));
  const subject = ["-subj", "/CN=x", "-addext", "subjectAltName=DNS:matrix.example.org,DNS:example.org"];
  const files = ["-keyout", join(project, "privkey.pem"), "-out", join(project, "fullchain.pem")];
  execFileSync(
    "openssl",
    [
      "req",
      "-x509",
      "-newkey",
      "ec",
      "-pkeyopt",
      "ec_paramgen_curve:prime256v1",
      "-nodes",
      ...files,
      ...subject,
    ],
    { stdio: "pipe" },
  );
  await pulumi.runtime.setMocks(
    { newResource: () => ({ id: "", state: {} }), call: () => ({}) },
    "hearth",
    "vps",
  );
});
afterAll(() => rmSync(project, { recursive: true }));
afterEach(() => {
  delete process.env[SECRET_KEYS];
  delete process.env.HEARTH_TRUSTED;
});

/** Passes a stack to the program as the engine does: scalars unchanged, the rest as JSON text. */
function load(
  raw: RawStack,
  secret: string[] = Object.hasOwn(raw, "secrets") ? ["hearth:secrets"] : [],
): LoadedStack {
  const config = Object.entries(raw).map(([key, value]) => [
    `hearth:${key}`,
    typeof value === "string" ? value : JSON.stringify(value),
  ]);
  pulumi.runtime.setAllConfig({ ...Object.fromEntries(config), "cloudflare:apiToken": "hunter2" });
  process.env[SECRET_KEYS] = JSON.stringify([...secret, "cloudflare:apiToken"]);
  process.env.HEARTH_TRUSTED = join(project, "trusted.json");
  const parsed = parseStack(raw);
  if (parsed.ok) {
    const needed = confirmationsOf(parsed.config, parsed.secrets, project);
    confirm(process.env.HEARTH_TRUSTED, "vps", needed);
  }
  return loadStack(project);
}

function refusal(raw: RawStack, secret?: string[]): string {
  try {
    load(raw, secret);
  } catch (error) {
    // The engine prints a RunError's message and no stack.
    expect(error).toBeInstanceOf(UserError);
    expect(pulumi.RunError.isInstance(error)).toBe(true);
    return error instanceof Error ? error.message : "";
  }
  throw new Error("the stack was accepted");
}

test("the smallest stack loads, without secrets", () => {
  const { config, projectDirectory } = load(fixture("minimal").raw);
  expect(config.homeserver.serverName).toBe("example.org");
  expect([config.sudo.size, config.homeserverSecrets]).toEqual([0, {}]);
  expect(projectDirectory).toBe(project);
});

test("[V4] the sections that need secrets have them, and nothing that shows the configuration shows them", async () => {
  const stack = fixture("open-registration");
  const { accounts, sudo, homeserverSecrets, ...others } = load(stack.raw).config;
  const config = { accounts, sudo, homeserverSecrets, ...others };
  for (const shown of [JSON.stringify(config), inspect(config, { depth: null, showHidden: true })])
    expect(shown).not.toContain("planted-secret");
  const { mail, captchaKey } = homeserverSecrets;
  const all = [
    accounts.bob?.password === "given" ? accounts.bob.secret : undefined,
    sudo.get("vps"),
    mail?.password,
    captchaKey,
  ];
  expect(all.map((secret) => secret?.reveal())).toEqual(stack.planted);
  expect(mail?.email).toBe(others.homeserver.email);
});

test("a given secret is a secret output", async () => {
  const output = secretOutput(new GivenSecret("planted"));
  expect(await pulumi.isSecret(output)).toBe(true);
  expect(await new Promise((resolve) => output.apply(resolve))).toBe("planted");
});

test("a mistake is one message: file, key, value, what is allowed, fix", () => {
  expect(refusal(stackWith({ homeserver: { media: { maxUploadSize: "100MB" } } }))).toBe(
    [
      "Pulumi.vps.yaml has 1 fault; nothing was touched.",
      "",
      '  hearth:homeserver.media.maxUploadSize = "100MB"',
      "    is not a size: a whole number from 1 to 999999999 and K, M, G or T, e.g. 100M",
      "    fix: write for example `maxUploadSize: 100M`",
      "",
    ].join("\n"),
  );
});

test("a section given as plain text is a fault, not a crash", () => {
  expect(refusal(stackWith({ delegation: "here" }))).toContain(
    'hearth:delegation = "here"\n    is text, not a mapping',
  );
});

test("a missing file is a fault like any other", () => {
  expect(refusal(stackWith({ certificates: { certificateFile: "nowhere.pem" } }))).toContain(
    'hearth:certificates.certificateFile = "nowhere.pem"\n    names a file that does not exist',
  );
});

test("the message for a missing secret contains the command that sets it", () => {
  expect(refusal(stackWith({ accounts: { bob: { password: "given" } } }))).toContain(
    "fix: run: npm run pulumi -- config set --secret --path 'hearth:secrets.accounts.bob'",
  );
});

test("secrets in clear text in the file are refused", () => {
  const message = refusal(fixture("open-registration").raw, []);
  expect(message).toContain("hearth:secrets\n    is in clear text in the stack file");
  expect(message).not.toContain("planted-secret");
});

test("a secret inside an open key, which would hide the whole key from every diff, is refused and not shown", () => {
  const message = refusal(stackWith({ homeserver: { publicHost: "Hunter2.example" } }), [
    "hearth:homeserver",
  ]);
  expect(message).toMatch(/^Pulumi\.vps\.yaml has 1 fault/);
  expect(message).toContain("hearth:homeserver\n    contains a value that was set with --secret");
  expect(message).not.toContain("Hunter2");
});

test("no faulty secret is shown", () => {
  const message = refusal(
    stackWith({ secrets: { accounts: { BOB: "hunter2", eve: ["hunter2"] }, captcha: "hunter2" } }),
  );
  expect(message).toMatch(/^Pulumi\.vps\.yaml has 3 faults/);
  expect(message).not.toContain("hunter2");
});

test("the configuration of another provider is ignored", () => {
  expect(load(fixture("minimal").raw).config).not.toHaveProperty("apiToken");
});
