import type { Connection } from "../../provider/contract/connection";
import { downHost, type Host, onHost, powerCutHost, upHost } from "../../sandbox";
import { prepareImages } from "../../sandbox/containers";
import { containerHost } from "./layers";

/** A host at home: Debian with the container images, reached as user debian, who has sudo. */
export interface HomeHost {
  host: Host;
  /** As user debian, with sudo for tasks of root. */
  connection: Connection;
  /** Standard output of shell text, run as debian in the user's manager; throws if it fails. */
  sh(text: string, input?: string): Promise<string>;
  /** The same as root. */
  root(text: string): Promise<string>;
  /** Kills the host at once and boots it again. */
  powerCut(): Promise<void>;
  /** Ends the host. */
  down(): Promise<void>;
}

/** Creates the host. */
export async function homeHost(name: string): Promise<HomeHost> {
  return homeHostOn(await containerHost(name));
}

/** Like {@link homeHost}, with the images only: Podman is not installed. */
export async function homeHostWithoutPodman(name: string): Promise<HomeHost> {
  const host = await upHost({ name });
  await prepareImages(host, { podman: false });
  return homeHostOn(host);
}

function homeHostOn(host: Host): HomeHost {
  const { name } = host;
  const run = async (user: string, text: string, input?: string): Promise<string> => {
    const { code, stdout, stderr } = await onHost(host, [text], { user, input });
    if (code !== 0) throw new Error(`${user} on ${name}: ${text}: exit code ${code}\n${stdout}\n${stderr}`);
    return stdout.trimEnd();
  };
  return {
    host,
    connection: {
      name,
      transport: "ssh",
      address: name,
      user: "debian",
      sshConfigFile: host.sshConfigFile,
      become: "sudo",
    },
    sh: (text, input) => run("debian", text, input),
    root: (text) => run("root", text),
    powerCut: async () => {
      await powerCutHost(name);
      await upHost({ name });
    },
    down: () => downHost(name),
  };
}
