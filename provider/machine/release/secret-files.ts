import type { ReleaseInputs, SecretSource } from "../../contract/release";
import { unseal } from "../../sealed";
import type { CallFile } from "../../transport/bootstrap";
import { argvFile, table } from "./tables";

/** Secret files: what they are to be, never a value. */
export function secretFiles(inputs: ReleaseInputs, fingerprints: Record<string, string>): CallFile[] {
  const entries = Object.entries(inputs.secrets);
  return [
    table(
      "secrets",
      entries.map(([path, item], index) => [
        String(index),
        path,
        item.mode,
        item.owner,
        item.group,
        item.source.kind,
        sourceDetail(item.source),
        fingerprints[path] ?? "-",
      ]),
    ),
    ...entries.flatMap(([, { source }], index) =>
      source.kind === "command" ? [argvFile(`secret.${index}`, source.argv)] : [],
    ),
  ];
}

/** Podman secrets: the same. */
export function containerSecretFiles(
  inputs: ReleaseInputs,
  fingerprints: Record<string, string>,
): CallFile[] {
  const entries = Object.entries(inputs.containerSecrets);
  return [
    table(
      "container-secrets",
      entries.map(([name, { source }], index) => [
        String(index),
        name,
        source.kind,
        sourceDetail(source),
        fingerprints[containerSecretKey(name)] ?? "-",
      ]),
    ),
    ...entries.flatMap(([, { source }], index) =>
      source.kind === "command" ? [argvFile(`container-secret.${index}`, source.argv)] : [],
    ),
  ];
}

/** How outputs and triggers name a Podman secret, beside the paths of secret files. */
export function containerSecretKey(name: string): string {
  return `container-secret:${name}`;
}

function sourceDetail(source: SecretSource): string {
  if (source.kind === "random") return String(source.bytes);
  return source.kind === "given" ? source.value : "-";
}

/** The operator's values, each in a file of its own. */
export function givenFiles(
  folder: string,
  map: "secrets" | "containerSecrets",
  secrets: Record<string, { source: SecretSource }>,
): CallFile[] {
  return Object.entries(secrets).flatMap(([key, { source }], index) =>
    source.kind === "given"
      ? [
          {
            name: `request/${folder}/${index}`,
            content: unseal(source.value, `${map}[${JSON.stringify(key)}]`),
          },
        ]
      : [],
  );
}
