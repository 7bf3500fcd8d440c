import { type HostFacts, hostFacts, questions } from "../../components/hosts/facts";
import type { MachineFacts } from "../../provider/contract/host";
import { host as resource } from "../../provider/machine/host";
import { toProperties } from "../../provider/protocol/values";
import type { Host } from "../../sandbox";

/** What a preview of the program learns of a host whose services are packages, with a firewall, by the resource Host itself. */
export async function factsOf({ name, sshConfigFile }: Host): Promise<HostFacts> {
  const connection = { name, transport: "ssh", address: name, sshConfigFile, become: "none" };
  const inputs = { connection, rootless: false, memory: {}, ...questions("native", true) };
  const call = { urn: "", name, preview: true, offline: false, timeoutSeconds: 0 };
  const log = { debug: ignore, info: ignore, warn: ignore, error: ignore };
  const { outputs } = await resource.create(
    { ...call, log, signal: new AbortController().signal } as never,
    toProperties(inputs),
  );
  return hostFacts(outputs.facts as unknown as MachineFacts);
}

async function ignore(): Promise<void> {
  // Nobody reads the engine's log here.
}
