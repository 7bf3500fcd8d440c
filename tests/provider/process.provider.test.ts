import { once } from "node:events";
import { createServer } from "node:net";
import { status } from "@grpc/grpc-js";
import { ProviderClient } from "../support/provider-client";
import { failure } from "../support/release-host";

const URN = "urn:pulumi:test::hearth::hearth-host:index:Release::vps-web";

const started: ProviderClient[] = [];
async function start(): Promise<ProviderClient> {
  const provider = await ProviderClient.start();
  started.push(provider);
  return provider;
}
// One that a failed test left running would keep jest from ending.
afterEach(() => {
  for (const provider of started.splice(0)) {
    provider.process.kill("SIGKILL");
    provider.close();
  }
});

test("it ends by itself when the engine dies: its standard input ends and nobody cancels", async () => {
  const provider = await start();
  const ended = once(provider.process, "exit");
  provider.process.stdin?.destroy();
  expect(await ended).toEqual([0, null]);
  provider.close();
});

test.each(["SIGINT", "SIGTERM", "SIGHUP"] as const)(
  "it ends at once on %s when nothing runs",
  async (signal) => {
    const provider = await start();
    const asked = Date.now();
    expect(await provider.kill(signal)).toBe(0);
    expect(Date.now() - asked).toBeLessThan(5000);
  },
);

test("the Cancel of a normal end is no trouble: checks still answer after it", async () => {
  const provider = await start();
  await provider.cancel();
  const { faults } = await provider.check(URN, { scope: "system", release: "web" });
  expect(faults).toEqual(["connection: is missing"]);
  expect(await provider.stop()).toBe(0);
});

test("Cancel while a look waits for a host that does not answer: the look ends at once", async () => {
  const provider = await start();
  const mute = createServer().listen(0, "127.0.0.1");
  await once(mute, "listening");
  const { port } = Object(mute.address());
  const connection = { name: "vps", transport: "ssh", address: "127.0.0.1", port, become: "none" };
  const running = failure(provider.create(URN.replace("Release", "Host"), { connection }, true));
  await once(mute, "connection");
  const asked = Date.now();
  await provider.cancel();
  expect(await running).toMatchObject({ code: status.ABORTED, details: "the login to vps was cancelled" });
  expect(Date.now() - asked).toBeLessThan(8000);
  expect(await provider.stop()).toBe(0);
  mute.close();
});

test("a resource type that is none is a fault of Hearth, named", async () => {
  const provider = await start();
  const { code, details } = await failure(provider.check(URN.replace("Release", "Nothing"), {}));
  expect(code).toBe(status.INTERNAL);
  expect(details).toContain("unknown resource type hearth-host:index:Nothing");
  expect(await provider.stop()).toBe(0);
});
