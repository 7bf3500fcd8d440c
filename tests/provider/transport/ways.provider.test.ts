import { copyFileSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { buildSync } from "esbuild";
import type { Connection } from "../../../provider/contract/connection";
import { hostSession } from "../../../provider/transport/session";
import { downHost, type Host, onHost, upHost } from "../../../sandbox";
import { copyPrograms } from "../../support/host-programs";
import { rootFile } from "../../support/probe-release";
import { root } from "../../toolchain/support";

// For this run only: another run at the same time has hosts of its own.
const NAME = `ways-${process.pid}`;
const JUMP = `jump-${process.pid}`;
let host: Host;
let jump: Host;

beforeAll(async () => {
  [host, jump] = await Promise.all([upHost({ name: NAME }), upHost({ name: JUMP })]);
});
afterAll(async () => {
  await downHost(NAME);
  await downHost(JUMP);
});

/** Puts Node and the provider on the host, so that the host is the machine that `transport: local` means. */
function install(): void {
  const folder = join(host.root, "opt/provider");
  mkdirSync(folder, { recursive: true });
  copyFileSync(process.execPath, join(folder, "node"));
  copyPrograms(folder);
  const entry = join(root, "tests/support/local-release.ts");
  buildSync({ entryPoints: [entry], bundle: true, platform: "node", outfile: join(folder, "run.js") });
}

/** Applies a release of one file from the host itself, as that user. */
async function applyThere(user: string, become: Connection["become"], content: string) {
  const connection = { name: "here", transport: "local", become };
  const release = { connection, scope: "system", release: "mini", files: { "/etc/mini": rootFile(content) } };
  const command = ["env", "HEARTH_PROVIDER_DIR=/opt/provider", "/opt/provider/node", "/opt/provider/run.js"];
  return onHost(host, command, { user, input: JSON.stringify(release) });
}

test("transport local: root changes its own machine, without a network", async () => {
  install();
  const applied = await applyThere("root", "none", "by root\n");
  expect(applied).toMatchObject({ code: 0, stderr: "" });
  expect(JSON.parse(applied.stdout)).toEqual({ faults: [], generation: 1, differences: [] });
  expect((await onHost(host, ["cat", "/etc/mini"])).stdout).toBe("by root\n");
});

test("transport local: an ordinary user changes its own machine through sudo, and without sudo is told so", async () => {
  const applied = await applyThere("debian", "sudo", "by sudo\n");
  expect(applied).toMatchObject({ code: 0, stderr: "" });
  expect(JSON.parse(applied.stdout)).toEqual({ faults: [], generation: 2, differences: [] });
  expect((await onHost(host, ["stat", "-c", "%U", "/etc/mini"])).stdout).toBe("root\n");
  const refused = await applyThere("debian", "none", "by nobody\n");
  expect(refused).toMatchObject({
    code: 1,
    stderr: expect.stringContaining("set become: sudo for this host"),
  });
});

describe("a jump host", () => {
  const through = (change: Partial<Connection>) =>
    hostSession({
      name: "inner",
      transport: "ssh",
      address: NAME,
      sshConfigFile: host.sshConfigFile,
      become: "none",
      ...change,
    }).run({
      interpreter: "sh",
      program: "machine/programs/facts.sh",
      asRoot: true,
      files: [],
      signal: new AbortController().signal,
      timeoutSeconds: 30,
    });
  const origins = async () => {
    const { stdout } = await onHost(host, ["journalctl --sync; journalctl -u ssh -o cat --no-pager"]);
    return [...stdout.matchAll(/Accepted publickey for root from (\S+)/g)].map(([, address]) => address);
  };

  test("is gone through, with one login for all calls", async () => {
    expect(await origins()).not.toContain(jump.address);
    const answers = await Promise.all([1, 2, 3].map(() => through({ jump: JUMP })));
    expect(answers.map(({ status }) => status)).toEqual([0, 0, 0]);
    expect((await origins()).filter((address) => address === jump.address)).toHaveLength(1);
  });

  const verdict = async (change: Partial<Connection>) => {
    const said = await through(change).then(
      () => "it worked",
      (error: Error) => error.message,
    );
    return said.split("\n").slice(0, 2);
  };

  test("that refuses the login is named, not the host behind it", async () => {
    const way = `nobody@${JUMP}`;
    const [first, second] = await verdict({ jump: way });
    expect(first).toMatch(
      new RegExp(
        `^the jump host ${way} on the way to inner \\(${NAME}\\) refused the login \\(.*Permission denied`,
      ),
    );
    expect(second).toBe(`  fix: try it by hand: ssh -F ${host.sshConfigFile} -J ${way} ${NAME}`);
  });

  test("that is not there is named, not the host behind it", async () => {
    const way = `${jump.address}:1`;
    expect((await verdict({ jump: way }))[0]).toBe(
      `the jump host ${way} on the way to inner (${NAME}) refused the connection`,
    );
  });

  test("from which the host cannot be reached says so", async () => {
    const [first, second] = await verdict({ jump: JUMP, port: 1 });
    expect(first).toMatch(
      new RegExp(`^the jump host ${JUMP} on the way to inner .* cannot reach it \\(.*refused\\)$`),
    );
    expect(second).toContain("check hearth:hosts.inner.address and port: they are what the jump host sees");
  });
});
