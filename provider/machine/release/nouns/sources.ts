import type { SecretSource } from "../../../contract/release";
import { integer, kinds, object, oneOf, text } from "../../../protocol/shape";
import { isObject, type Value } from "../../../protocol/values";
import { unseal } from "../../../sealed";
import type { CallFile } from "../../../transport/bootstrap";
import { argvFile } from "../tables";
import { argv } from "./words";

// Where secrets come from, whether they are files or Podman's.

export const source = kinds<SecretSource>({
  random: object({ kind: oneOf("random"), bytes: integer(16, 1024) }),
  command: object({ kind: oneOf("command"), argv }),
  given: object({
    kind: oneOf("given"),
    value: text({ write: "the secret's text", multiline: true, sensitive: true, refuse: emptyComplaint }),
  }),
});

function emptyComplaint(value: string): string | undefined {
  return value === "" ? "is empty" : undefined;
}

type Sources = Record<string, { source: SecretSource }>;

/** What a table says of a source. */
export function sourceDetail(from: SecretSource): string {
  if (from.kind === "random") return String(from.bytes);
  return from.kind === "given" ? from.value : "-";
}

/** The programs that make secrets. */
export function sourcePrograms(prefix: string, secrets: Sources): CallFile[] {
  return Object.values(secrets).flatMap(({ source: from }, index) =>
    from.kind === "command" ? [argvFile(`${prefix}.${index}`, from.argv)] : [],
  );
}

/** The operator's values, each in a file of its own. */
export function givenFiles(folder: string, map: string, secrets: Sources): CallFile[] {
  return Object.entries(secrets).flatMap(([key, { source: from }], index) =>
    from.kind === "given"
      ? [
          {
            name: `request/${folder}/${index}`,
            content: unseal(from.value, `${map}[${JSON.stringify(key)}]`),
          },
        ]
      : [],
  );
}

/** A secret made on the host has no wanted value: whatever is there is the truth, outputs hold its fingerprint. */
export function observedSource(from: SecretSource, fingerprint: string): SecretSource {
  return from.kind === "given" ? { ...from, value: fingerprint } : from;
}

/** A secret that is there is not made again, however its source reads; only a given one has a value to change. */
export function ownedPart(item: Value): Value | undefined {
  if (!isObject(item) || !isObject(item.source)) return item;
  const { mode = null, owner = null, group = null, source: from } = item;
  return [mode, owner, group, from.kind === "given" ? (from.value ?? null) : null];
}

/** How a source reads is Hearth's own matter. */
export const SOURCE_INTERNAL = ["source\\.(?:kind|bytes|argv)"];
