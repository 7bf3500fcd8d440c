import * as crypto from "node:crypto";
import { type Finding, fail, pass } from "./finding";
import { type Answer, isRecord, jsonObject } from "./network";

/** DER header of a raw Ed25519 public key. */
const SPKI_PREFIX = Buffer.from("302a300506032b6570032100", "hex");

/** The homeserver's published keys: right name, still valid, and signed by each key they publish. */
export function judgeKeys(serverName: string, answer: Answer, now: Date): Finding {
  const wrongServer =
    "let the proxy pass /_matrix/key/ to the homeserver unchanged, to the one of this server name";
  const keys = jsonObject(answer);
  if (answer.status !== 200 || keys === undefined)
    return fail(`status ${answer.status} for the server keys`, wrongServer);
  if (keys.server_name !== serverName)
    return fail(`the keys are those of ${keys.server_name}, not of ${serverName}`, wrongServer);
  if (typeof keys.valid_until_ts !== "number" || keys.valid_until_ts <= now.getTime()) {
    return fail(
      "the keys are no longer valid",
      "set the clock of the host; a proxy must not cache /_matrix/key/",
    );
  }
  const verified = isRecord(keys.verify_keys) ? Object.entries(keys.verify_keys) : [];
  if (verified.length === 0) return fail("no key is published", "look at the homeserver's signing key file");
  const broken = verified.filter(([id, key]) => !signedBy(keys, serverName, id, key)).map(([id]) => id);
  if (broken.length > 0) {
    return fail(
      `the signature of ${broken.join(", ")} is wrong`,
      "something between here and the homeserver changes the answer",
    );
  }
  return pass(
    `${verified.map(([id]) => id).join(", ")}, valid until ${new Date(keys.valid_until_ts).toISOString()}`,
  );
}

function signedBy(document: Record<string, unknown>, serverName: string, id: string, key: unknown): boolean {
  const signatures = isRecord(document.signatures) ? document.signatures[serverName] : undefined;
  const signature = isRecord(signatures) ? signatures[id] : undefined;
  const text = isRecord(key) ? key.key : undefined;
  if (typeof signature !== "string" || typeof text !== "string") return false;
  const raw = Buffer.from(text, "base64");
  if (raw.length !== 32) return false;
  const { signatures: _signatures, unsigned: _unsigned, ...signed } = document;
  const publicKey = crypto.createPublicKey({
    key: Buffer.concat([SPKI_PREFIX, raw]),
    format: "der",
    type: "spki",
  });
  return crypto.verify(null, Buffer.from(canonical(signed)), publicKey, Buffer.from(signature, "base64"));
}

/** Matrix canonical JSON: keys sorted by code point, no spaces. */
export function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (!isRecord(value)) return JSON.stringify(value);
  const keys = Object.keys(value).sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  return `{${keys.map((key) => `${JSON.stringify(key)}:${canonical(value[key])}`).join(",")}}`;
}
