import fs from "node:fs/promises";
import path from "node:path";
import { Stack } from "../sandbox/deploy/stack";
import { placeStack } from "../sandbox/deploy/stack-file";
import { issueCertificate, sandboxNetwork } from "../sandbox/index";
import type { Field } from "./contender";

/** Names of the VPS stack's server here; its host must have them. */
export const VPS_NAMES = ["bench.test", "matrix.bench.test"] as const;

/** The committed VPS stack, ready for a deployment on the host. */
export async function vpsStack({ host, directory }: Field): Promise<Stack> {
  const [serverName, publicHost] = VPS_NAMES;
  const tls = path.join(directory, "tls");
  await issueCertificate(VPS_NAMES, tls);
  const committed = await fs.readFile(path.resolve(__dirname, "../Pulumi.vps.yaml"), "utf8");
  const stack = new Stack({ name: "bench-vps", directory });
  await stack.prepare(
    placeStack(committed, {
      ...{ serverName, publicHost, address: host.address, sshConfigFile: host.sshConfigFile },
      certificateFile: path.join(tls, "fullchain.pem"),
      privateKeyFile: path.join(tls, "privkey.pem"),
      network: await sandboxNetwork(),
      resolve: { [serverName]: host.address, [publicHost]: host.address },
      caFile: host.caFile,
      people: {},
      verify: true,
    }),
  );
  return stack;
}
