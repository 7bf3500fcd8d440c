import { downHost, onHost } from "../../sandbox";
import { upTailnet } from "../../sandbox/tailnet";
import { fromOutside } from "../components/tunnel-outside";

const NAME = `tailnet-again-${process.pid}`;
const options = { name: NAME, domain: `again${process.pid.toString(16)}.ts.net` };
afterAll(() => downHost(NAME));

it("a tailnet that is started again keeps its nodes, and adds the names of new ones", async () => {
  const first = await upTailnet({ ...options, nodes: ["one"] });
  const process = async () => {
    const told =
      "systemctl show -P MainPID tailnet && ! systemctl show -P MainPID tailnet | grep -qx 0 || journalctl -u tailnet >&2";
    const { stdout, stderr } = await onHost(first.host, [told]);
    expect(stderr).toBe("");
    return stdout;
  };
  const before = await process();
  expect(before).toMatch(/^[1-9]\d*\n$/);
  const second = await upTailnet({ ...options, nodes: ["one", "two"] });
  expect(await process()).toBe(before);
  expect(second.host.dnsNames).toContain(`two.${second.domain}`);
  // The certificate is from the sandbox's CA, so nodes trust the stand-in like the service.
  expect((await fromOutside(second, `${second.controlUrl}/key?v=999`)).body).toContain("mkey:");
});
