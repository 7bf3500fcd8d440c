import { type Finding, fail, notChecked, pass } from "./finding";
import { type Answer, isRecord, jsonObject, values } from "./network";
import { corsFault } from "./wellknown";

/** The client API's versions: the first thing every client asks. */
export function judgeVersions(answer: Answer): Finding {
  const fix = "let the proxy pass /_matrix/ on 443 to the homeserver";
  const versions = jsonObject(answer)?.versions;
  if (answer.status !== 200 || !Array.isArray(versions)) {
    return fail(`status ${answer.status} without a list of versions`, `${fix}; see that the homeserver runs`);
  }
  const cors = corsFault(answer);
  if (cors !== undefined)
    return fail(cors, "let only the homeserver add CORS headers, not the proxy as well");
  return pass(`client API up to ${String(versions.at(-1))}`);
}

/** The federation API's version, which other servers and testers ask for without signing. */
export function judgeFederationVersion(answer: Answer): Finding {
  const server = jsonObject(answer)?.server;
  if (answer.status !== 200 || !isRecord(server)) {
    return fail(
      `status ${answer.status}`,
      "let the proxy pass /_matrix/federation/ and /_matrix/key/ on this port",
    );
  }
  return pass(`${String(server.name)} ${String(server.version)}`);
}

/** Path of a room alias that no server has, with a `#` and a `/` in it, percent-encoded as the specification asks. */
export function encodedClientPath(serverName: string, word: string): string {
  return `/_matrix/client/v3/directory/room/${encodeURIComponent(encodedAlias(serverName, word))}`;
}

/** The same for federation: an event ID with `/` and `#`. */
export const ENCODED_FEDERATION_PATH = "/_matrix/federation/v1/event/%24hearth%2Fverify%23x";

export function encodedAlias(serverName: string, word: string): string {
  return `#hearth-${word}/x:${serverName}`;
}

const UNDECODED =
  "pass the path on as it came: nginx `proxy_pass` without a URI, Apache `nocanon` and AllowEncodedSlashes NoDecode";

/** Synapse repeats the alias it understood; with `%2F` or `%23` decoded on the way it understands another path or none. */
export function judgeClientPath(alias: string, answer: Answer): Finding {
  const body = jsonObject(answer);
  if (answer.status === 404 && body?.errcode === "M_NOT_FOUND" && String(body.error).includes(alias)) {
    return pass("%2F and %23 arrive as they were sent");
  }
  return fail(`asked for ${alias}, the answer was ${summary(answer)}: the path arrives changed`, UNDECODED);
}

/** Unsigned, so refused as unsigned; a decoded path would not be recognized at all. */
export function judgeFederationPath(answer: Answer): Finding {
  if (answer.status === 401 && jsonObject(answer)?.errcode === "M_UNAUTHORIZED") {
    return pass("%2F and %23 arrive as they were sent");
  }
  return fail(`the answer was ${summary(answer)}: the path arrives changed`, UNDECODED);
}

/**
 * The partner's answer when asked for the profile of one of our users: to give it, the partner found us, made a signed
 * request, and we accepted the signature.
 */
export function judgePartner(partner: string, answer: Answer): Finding {
  const body = jsonObject(answer);
  if (answer.status === 200) return pass(`${partner} got a profile from here with a signed request`);
  const error = String(body?.error ?? "");
  if (answer.status === 404 && body?.errcode === "M_NOT_FOUND") {
    return pass(`${partner}'s signed request was accepted (and answered with: ${error})`);
  }
  if (answer.status === 403 && error.includes("Profile lookup over federation is disabled")) {
    return pass(`${partner}'s signed request was accepted (profile look-ups are switched off here)`);
  }
  if (answer.status === 403) {
    return fail(
      `refused: ${error || summary(answer)}`,
      `put ${partner}'s server name into federation.allowlist here, and this one into its own`,
    );
  }
  if (answer.status === 401) {
    return notChecked(`${partner} shows profiles only to its own users`, "name another partner");
  }
  return fail(
    `${partner} could not reach this server with a signed request: ${error || summary(answer)}`,
    "fix the well-known, certificate and federation findings above first; then see the partner's log",
  );
}

export function summary(answer: Answer): string {
  const body = jsonObject(answer);
  const location = values(answer, "location")[0];
  if (body?.errcode !== undefined) return `${answer.status} ${String(body.errcode)}`;
  return location === undefined ? String(answer.status) : `${answer.status} to ${location}`;
}
