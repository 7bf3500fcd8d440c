import { readFileSync } from "node:fs";
import { join } from "node:path";
import { CHECKOUT } from "../../config-schemas/checkout";
import type { HostFile, Validator } from "../../provider/sdk";
import type { Container } from "../container";
import { publicFile } from "../ownership";
import type { Places } from "../places";
import { droppedCapabilities, mountOf, secretOf } from "./render";

/** The parts of a container that a single program in its image needs. */
export type OneOff = Pick<Container, "image" | "uid" | "gid" | "mounts" | "secrets" | "boundingCapabilities">;

/**
 * A command that runs one program once in an image: confined like the service, without network, and without leaving anything.
 * Validators use it, and secrets that only a program in the image can generate.
 */
export function runOnce(container: OneOff, program: readonly string[]): string[] {
  const [entrypoint, ...rest] = program;
  const { image, uid, gid, mounts, secrets } = container;
  return [
    ...["/usr/bin/podman", "run", "--rm", "--pull=never", "--network=none"],
    // Podman would copy its output, with secrets, to the host's journal.
    "--log-driver=none",
    ...["--read-only", "--image-volume=ignore", "--security-opt=no-new-privileges"],
    ...droppedCapabilities(container).map((name) => `--cap-drop=${name}`),
    ...[`--userns=keep-id:uid=${uid},gid=${gid}`, `--user=${uid}:${gid}`],
    ...mounts.map((mount) => `--volume=${mountOf({ ...mount, readOnly: true })}`),
    ...Object.entries(secrets).map(([file, secret]) => `--secret=${secretOf(container, file, secret)}`),
    ...[`--entrypoint=${entrypoint}`, image, ...rest],
  ];
}

/** The program and the validator that check the container and timer files of a release. */
export interface QuadletCheck {
  files: Record<string, HostFile>;
  validators: Record<string, Validator>;
}

/**
 * Podman's generator and systemd check the files of a release.
 * @param service name of the component: the checking program goes into its program folder
 * @param files paths of `.container`, `.network`, `.volume` and `.timer` files
 */
export function quadletCheck(service: string, places: Places, files: readonly string[]): QuadletCheck {
  const program = `${places.programs(service)}/check_quadlet.sh`;
  const text = readFileSync(join(CHECKOUT, "runtimes/quadlet/programs/check_quadlet.sh"), "utf8");
  return {
    files: { [program]: publicFile(text, places) },
    validators: { "40-quadlet": { argv: ["/bin/sh", program, ...files], timeoutSeconds: 30 } },
  };
}
