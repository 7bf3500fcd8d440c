import { execFileSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { Stack } from "../../sandbox/deploy/stack";
import { VpsServer } from "../support/vps-server";

const CHECKOUT = path.resolve(__dirname, "../..");
/** The last commit before services were described once, and nouns became modules. */
const BEFORE = "3dd49c7";
const NAME = "e2e-upgrade";

/** That commit in a folder of its own, with this checkout's packages. */
function earlierCheckout(): string {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "hearth-earlier-"));
  execFileSync("git", ["clone", "--quiet", "--no-checkout", CHECKOUT, folder]);
  execFileSync("git", ["-C", folder, "checkout", "--quiet", BEFORE]);
  fs.symlinkSync(path.join(CHECKOUT, "node_modules"), path.join(folder, "node_modules"));
  return folder;
}

let earlier: string;
let server: VpsServer;
let now: Stack;

beforeAll(async () => {
  earlier = earlierCheckout();
  server = await VpsServer.make(NAME, { empty: true, project: earlier });
  await server.up();
  now = new Stack({ name: NAME, directory: server.directory });
  await now.trust();
});
afterAll(async () => {
  await server?.remove();
  fs.rmSync(earlier, { recursive: true, force: true });
});

test("[A1] [A2] the preview of a server that an earlier version deployed restarts nothing and changes no file that a service reads", async () => {
  const { ok, output } = await now.preview({ args: ["--diff"] });
  expect({ ok, output: ok ? "" : output }).toEqual({ ok: true, output: "" });
  const sentences = [...output.matchAll(/^\s*\w+ on vps: (will .*)$/gm)].map(([, sentence]) => sentence);
  expect(new Set(sentences)).toEqual(new Set(["will restart nothing"]));
  // Helper programs, which run in the next update only; their comments may have changed.
  const files = [...output.matchAll(/^\s*[~+-] "?(\/[^\s":]+)"?\s*[:(]/gm)].map(([, file = ""]) => file);
  expect(files.filter((file) => !file.startsWith("/usr/local/lib/hearth/"))).toEqual([]);
});

test("[A2] the update restarts nothing, and the next preview finds nothing", async () => {
  const before = await server.lives();
  const up = await now.up({ args: ["--skip-preview"] });
  expect({ ok: up.ok, output: up.ok ? "" : up.output }).toEqual({ ok: true, output: "" });
  expect(await server.lives()).toEqual(before);
  expect((await now.preview({ args: ["--expect-no-changes"] })).ok).toBe(true);
});
