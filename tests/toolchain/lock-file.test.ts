import fs from "node:fs";
import path from "node:path";
import { root } from "./support";

interface Locked {
  version?: string;
  integrity?: string;
  optionalDependencies?: Record<string, string>;
}

// npm writes only the platform packages that it found; if the registry lacks some, the lock file is incomplete, and then
// `npm ci` refuses it in every fresh clone.
test("package-lock.json names the packages of every platform, so that a fresh clone installs", () => {
  const text = fs.readFileSync(path.join(root, "package-lock.json"), "utf8");
  const packages: Record<string, Locked> = JSON.parse(text).packages;
  const versions = new Map<string, string[]>();
  for (const [place, { version }] of Object.entries(packages)) {
    const name = place.split("node_modules/").at(-1) ?? "";
    versions.set(name, [...(versions.get(name) ?? []), version ?? ""]);
  }
  const missing = Object.values(packages)
    .flatMap(({ optionalDependencies }) => Object.entries(optionalDependencies ?? {}))
    .filter(([name, wanted]) => {
      const present = versions.get(name) ?? [];
      return /^\d/.test(wanted) ? !present.includes(wanted) : present.length === 0;
    });
  expect(missing).toEqual([]);
  expect(text).not.toContain('"resolved"');
});

test("package-lock.json has a digest of every package, of every platform: every download is checked against it", () => {
  const { packages } = JSON.parse(fs.readFileSync(path.join(root, "package-lock.json"), "utf8"));
  const unverified = Object.entries<Locked>(packages)
    .filter(([place, { integrity }]) => place !== "" && !/^sha512-[A-Za-z0-9+/]{86}==$/.test(integrity ?? ""))
    .map(([place]) => place);
  expect(unverified).toEqual([]);
});

// npm's "latest" of @pulumi/command is a mis-published 4.5.0, TypeScript 7 has no compiler API for Pulumi, and google-protobuf 4
// is not compatible with the SDK's own version.
test("package.json pins every package exactly, the problematic ones at the release that works", () => {
  const { dependencies, devDependencies } = JSON.parse(
    fs.readFileSync(path.join(root, "package.json"), "utf8"),
  );
  const pinned: Record<string, string> = { ...dependencies, ...devDependencies };
  expect(Object.entries(pinned).filter(([, version]) => !/^\d+\.\d+\.\d+$/.test(version))).toEqual([]);
  expect(pinned).toMatchObject({
    "@pulumi/command": "1.2.1",
    "google-protobuf": "3.21.4",
    typescript: "6.0.3",
  });
});
