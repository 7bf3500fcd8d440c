import { SandboxError } from "../errors";
import type { Host } from "../index";
import { onHost } from "../remote";

/** The packages for rootless Podman with Quadlet and its own networks on Debian, which only recommends most of them. */
const PACKAGES = [
  ...["podman", "uidmap", "passt", "netavark", "aardvark-dns", "nftables", "crun", "dbus-user-session"],
];

/** Installs Podman and the given packages, if they are missing. */
export async function installPodman(host: Host, others: readonly string[] = []): Promise<void> {
  const install = `export DEBIAN_FRONTEND=noninteractive
    dpkg-query --show ${[...PACKAGES, ...others].join(" ")} >/dev/null 2>&1 && exit
    apt-get -q update && apt-get -qy install --no-install-recommends ${[...PACKAGES, ...others].join(" ")}`;
  await must(host, [install]);
  // A user manager that was started before has no bus yet, and Podman needs one.
  await must(host, ["systemctl --user daemon-reload && systemctl --user start dbus.socket"], "debian");
}

/** Runs a command on a host, as root by default; throws with the end of its output if it fails. */
export async function must(host: Host, command: readonly string[], user = "root"): Promise<string> {
  const { code, stdout, stderr } = await onHost(host, command, { user });
  if (code === 0) return stdout;
  const tail = (stderr || stdout).trim().split("\n").slice(-12).join("\n  ");
  throw new SandboxError(`on ${host.name}: ${command.join(" ")} failed (exit code ${code}):\n  ${tail}`);
}
