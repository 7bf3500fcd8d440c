import fs from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { Stack } from "../../../sandbox/deploy/stack";

let directory: string;
let stack: Stack;
let stray: string;

beforeEach(async () => {
  directory = await fs.mkdtemp(path.join(os.tmpdir(), "hearth-stack-"));
  await fs.writeFile(path.join(directory, "Pulumi.yaml"), "name: probe\nruntime: nodejs\n");
  stack = new Stack({ name: "one", directory: path.join(directory, "own"), project: directory });
  stray = path.join(directory, "Pulumi.one.yaml");
});

afterEach(() => fs.rm(directory, { recursive: true, force: true }));

test("a stack file that the CLI created, with only a salt, is removed and blocks no later run", async () => {
  await fs.writeFile(stray, "encryptionsalt: v1:abc\n");
  expect(await stack.removeStray()).toBe(true);
  expect(await fs.readdir(directory)).toEqual(["Pulumi.yaml"]);
});

test("a stack file that a user wrote is never removed, and its name is refused", async () => {
  await fs.writeFile(stray, "config:\n  hearth:hosts: {}\n");
  expect(await stack.removeStray()).toBe(false);
  await expect(stack.prepare("config: {}\n")).rejects.toThrow("the stack name one is already used by");
  expect(await fs.readFile(stray, "utf8")).toContain("hearth:hosts");
});

test("the resources of a stack are read from its state; without one there are none", async () => {
  expect(await stack.resources()).toEqual([]);
  const states = path.join(directory, "own/state/.pulumi/stacks/probe");
  await fs.mkdir(states, { recursive: true });
  const urn = "urn:pulumi:one::probe::hearth-host:index:Release::vps-homeserver";
  await fs.writeFile(
    path.join(states, "one.json"),
    JSON.stringify({ checkpoint: { latest: { resources: [{ urn }] } } }),
  );
  expect(await stack.resources()).toEqual(["vps-homeserver"]);
});
