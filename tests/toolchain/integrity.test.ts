import { createHash } from "node:crypto";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";

const {
  requireIntegrity,
}: { requireIntegrity: (file: string, wanted: string) => void } = require("../../toolchain/pulumi-fetch");

const npmrc = fs.readFileSync(path.join(__dirname, "../../.npmrc"), "utf8");
const folder = fs.mkdtempSync(path.join(os.tmpdir(), "hearth-integrity-"));
afterAll(() => fs.rmSync(folder, { recursive: true }));

test("[R8] an archive with another hash than the pinned one is refused before it runs", () => {
  const file = path.join(folder, "pulumi-1.tgz");
  fs.writeFileSync(file, "the release");
  const hash = createHash("sha512").update("the release").digest("base64");
  expect(() => requireIntegrity(file, `sha512-${hash}`)).not.toThrow();
  fs.writeFileSync(file, "something else");
  expect(() => requireIntegrity(file, `sha512-${hash}`)).toThrow(
    /pulumi-1\.tgz has the hash .*\n {2}now: it was not run/,
  );
});

test("[R8] no package of the lock file runs a script during installation", () => {
  expect(npmrc.split("\n")).toContain("ignore-scripts=true");
});
