import fs from "node:fs";
import path from "node:path";
import { processesIn, removeDirectory, run, script, temporaryCheckout } from "./support";

// npm's real `pulumi` package from the registry fetches the engine; only the vendor's web server is a stand-in, which serves
// an install script with the documented contract: --install-root DIR --version V puts the release into DIR/bin.
let checkout: string;
let cache: string;
beforeEach(() => {
  checkout = temporaryCheckout();
  cache = path.join(checkout, "cache");
});
afterEach(() => removeDirectory(checkout));

function vendor(installScript: string): NodeJS.ProcessEnv {
  const file = path.join(checkout, "vendor.js");
  fs.writeFileSync(
    file,
    `globalThis.fetch = async (url) => {
  if (String(url) !== "https://get.pulumi.com/install.sh") throw new Error("unexpected address " + url);
  return { ok: true, status: 200, text: async () => ${JSON.stringify(installScript)} };
};`,
  );
  // Only the programs that npm and the toolchain need, so that there is no other source of an engine.
  const bin = path.join(checkout, "bin");
  script(path.join(bin, "npm"), `PATH="${process.env.PATH}" exec npm "$@"`);
  return { ...process.env, PATH: bin, HEARTH_CACHE: cache, NODE_OPTIONS: `--require=${file}` };
}
const ensure = (env: NodeJS.ProcessEnv) =>
  run(process.execPath, [path.join(checkout, "toolchain/main.js"), "--environment"], { env });

test("without an engine but with internet, npm's package fetches the pinned release", async () => {
  const end = await ensure(
    vendor(`while [ $# -gt 0 ]; do
  case $1 in --install-root) root=$2; shift ;; --version) version=$2; shift ;; esac
  shift
done
mkdir -p "$root/bin"
printf '#!/bin/sh\\necho v%s\\n' "$version" >"$root/bin/pulumi"
cp "$root/bin/pulumi" "$root/bin/pulumi-language-nodejs"
chmod +x "$root"/bin/*`),
  );
  expect(end).toMatchObject({ code: 0 });
  expect(end.stderr).toMatch(/^Fetching Pulumi 3\.259\.0 \.\.\.\n(?:.*\n)*.*done in \d+ s\n$/);
  const home = path.join(cache, "pulumi/3.259.0");
  expect(end.stdout).toContain(`export PATH='${home}/bin:`);
  expect((await run(path.join(home, "bin/pulumi"), ["version"])).stdout).toBe("v3.259.0\n");
  // The vendor's release has its own language host and may fetch plugins.
  expect(fs.readFileSync(path.join(home, "bin/pulumi-language-nodejs"), "utf8")).toContain("echo v3.259.0");
  expect(fs.readdirSync(path.join(cache, "pulumi"))).toEqual(["3.259.0"]);
});

test("an interrupted fetch is reported with its reason and leaves nothing that looks complete", async () => {
  const { code, stderr } = await ensure(vendor("echo 'the download broke off' >&2; exit 1"));
  expect(code).toBe(1);
  expect(stderr).toContain("fetch: npm exec");
  expect(stderr).toContain("the download broke off");
  expect(stderr).toContain("build: no program named go on PATH");
  expect(fs.readdirSync(path.join(cache, "pulumi"))).toEqual([]);
  expect(processesIn(checkout)).toEqual([]);
});
