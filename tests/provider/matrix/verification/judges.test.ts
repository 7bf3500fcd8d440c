import { generateKeyPairSync, sign } from "node:crypto";
import { judgePartner, judgeVersions } from "../../../../provider/matrix/verification/api";
import { judgeCertificate } from "../../../../provider/matrix/verification/certificate";
import {
  judgeAdmin,
  judgeMetrics,
  judgePlain,
  judgePorts,
} from "../../../../provider/matrix/verification/exposure";
import { bytes, type Finding, together } from "../../../../provider/matrix/verification/finding";
import { canonical, judgeKeys } from "../../../../provider/matrix/verification/keys";
import { judgeName } from "../../../../provider/matrix/verification/names";
import type { Answer } from "../../../../provider/matrix/verification/network";
import { judgeRenewal, type RenewalSeen } from "../../../../provider/matrix/verification/renewal";
import { judgeAboveLimit, judgeAboveLimitBehind } from "../../../../provider/matrix/verification/upload";
import { delegated, judgeClient, judgeServer } from "../../../../provider/matrix/verification/wellknown";

type Result = Finding["result"];

function answer(status: number, body: object | string = {}, headers: Record<string, string> = {}): Answer {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  return { status, headers: Object.entries(headers), body: text };
}

/** A failure must say what to do; nothing else is worth a test of its own here. */
function verdict(finding: Finding): Result {
  if (finding.result === "fail") expect(finding.fix).not.toBe("");
  expect(finding.seen).not.toBe("");
  return finding.result;
}

test.each<[string[], string[], Result]>([
  [["203.0.113.7"], [], "pass"],
  [["203.0.113.7", "2001:db8::7"], ["ENODATA"], "pass"],
  [[], ["ENODATA", "ENODATA"], "fail"],
  [[], ["ENOTFOUND", "ENOTFOUND"], "fail"],
  [["192.168.1.4"], [], "fail"],
  [["203.0.113.7", "fd00::1"], [], "fail"],
  [["100.100.1.1"], [], "fail"],
  [[], ["ETIMEOUT", "ETIMEOUT"], "not checked"],
])("[V13] DNS: addresses %j, errors %j: %s", (addresses, errors, result) => {
  expect(verdict(judgeName("example.org", addresses, errors))).toBe(result);
});

const NOW = new Date("2026-06-01T00:00:00Z");
const inDays = (days: number) => new Date(NOW.getTime() + days * 24 * 3600_000);

test.each<[string, string | undefined, number, number, Result, RegExp]>([
  ["good", undefined, -30, 60, "pass", /example\.org, by Test/],
  ["six-day certificate with four days left", undefined, -2, 4, "pass", /./],
  ["ninety-day certificate with a third left", undefined, -60, 30, "pass", /less than a third .*: renew it/],
  ["ninety-day certificate with more left", undefined, -59, 31, "pass", /until \d{4}-\d\d-\d\d, TLS/],
  ["six-day certificate with a day left", undefined, -5, 1, "fail", /not been renewed/],
  ["five of ninety days left", undefined, -85, 5, "fail", /not been renewed/],
  ["ended", "CERT_HAS_EXPIRED", -90, -1, "fail", /ended on 2026-05-31/],
  ["another name", "ERR_TLS_CERT_ALTNAME_INVALID", -30, 60, "fail", /not for matrix\.example\.org/],
  [
    "intermediate missing",
    "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
    -30,
    60,
    "fail",
    /does not lead to a known authority/,
  ],
  ["self-signed", "DEPTH_ZERO_SELF_SIGNED_CERT", -30, 60, "fail", /not trusted/],
])("[V9] certificate: %s", (_what, error, from, until, result, seen) => {
  const handshake = {
    ...{ error, names: "example.org", issuer: "Test", protocol: "TLSv1.3" },
    ...{ validFrom: inDays(from), validTo: inDays(until) },
  };
  const finding = judgeCertificate("matrix.example.org", handshake, NOW);
  expect(verdict(finding)).toBe(result);
  expect(finding.seen).toMatch(seen);
});

const EXPECTED = {
  ...{ serverName: "example.org", publicHost: "matrix.example.org", federationPort: true },
  delegation: "elsewhere" as const,
};
const JSON_TYPE = { "content-type": "application/json" };

test.each<[string, Answer, Result]>([
  ["443", answer(200, { "m.server": "matrix.example.org:443" }, JSON_TYPE), "pass"],
  ["8448", answer(200, { "m.server": "matrix.example.org:8448" }, JSON_TYPE), "pass"],
  ["no port, so 8448", answer(200, { "m.server": "matrix.example.org" }, JSON_TYPE), "pass"],
  [
    "type with a character set",
    answer(
      200,
      { "m.server": "matrix.example.org:443" },
      { "content-type": "application/json; charset=utf-8" },
    ),
    "pass",
  ],
  ["a port nobody listens on", answer(200, { "m.server": "matrix.example.org:8008" }, JSON_TYPE), "fail"],
  ["a URL instead of a name", answer(200, { "m.server": "https://matrix.example.org" }, JSON_TYPE), "fail"],
  ["another host", answer(200, { "m.server": "example.org:443" }, JSON_TYPE), "fail"],
  ["a page", answer(200, "<html>", JSON_TYPE), "fail"],
  [
    "another type",
    answer(200, { "m.server": "matrix.example.org:443" }, { "content-type": "text/html" }),
    "fail",
  ],
  ["no document", answer(404, {}, JSON_TYPE), "fail"],
])("[V3] well-known server: %s", (_what, document, result) => {
  const finding = judgeServer(EXPECTED, document);
  expect(verdict(finding)).toBe(result);
  if (result === "fail")
    expect(finding.fix).toMatch(
      /^serve \{"m\.server":"matrix\.example\.org:443"\} at https:\/\/example\.org\//,
    );
});

test.each<[string, string[], unknown, Result]>([
  ["good", ["*"], "https://matrix.example.org", "pass"],
  ["with Synapse's slash", ["*"], "https://matrix.example.org/", "pass"],
  ["without CORS", [], "https://matrix.example.org", "fail"],
  ["CORS twice", ["*", "*"], "https://matrix.example.org", "fail"],
  ["CORS for one site", ["https://app.element.io"], "https://matrix.example.org", "fail"],
  ["plain HTTP", ["*"], "http://matrix.example.org", "fail"],
  ["a path", ["*"], "https://matrix.example.org/_matrix", "fail"],
  ["no URL", ["*"], undefined, "fail"],
])("[V3] well-known client: %s", (_what, origins, url, result) => {
  const document = answer(200, { "m.homeserver": { base_url: url } }, JSON_TYPE);
  for (const origin of origins) document.headers.push(["access-control-allow-origin", origin]);
  expect(verdict(judgeClient(EXPECTED, document))).toBe(result);
});

test("[V3] m.server values are read as other servers read them", () => {
  expect(delegated("matrix.example.org:443")).toEqual({ host: "matrix.example.org", port: 443 });
  expect(delegated("matrix.example.org")).toEqual({ host: "matrix.example.org", port: 8448 });
  expect(delegated("[2001:db8::1]:8448")).toEqual({ host: "[2001:db8::1]", port: 8448 });
  expect(delegated("https://matrix.example.org")).toBeUndefined();
  expect(delegated("matrix.example.org:443/")).toBeUndefined();
});

test("[V13] a versions answer counts only with its list and one CORS header", () => {
  const good = answer(200, { versions: ["v1.1", "v1.11"] }, { "access-control-allow-origin": "*" });
  expect(verdict(judgeVersions(good))).toBe("pass");
  expect(verdict(judgeVersions(answer(200, { versions: [] })))).toBe("fail");
  expect(verdict(judgeVersions(answer(502, "<html>")))).toBe("fail");
});

describe("[V13] server keys", () => {
  const { publicKey, privateKey } = generateKeyPairSync("ed25519");
  const raw = publicKey
    .export({ format: "der", type: "spki" })
    .subarray(-32)
    .toString("base64")
    .replace(/=+$/, "");
  function keys(changes: object = {}, after: object = {}): Answer {
    const document = {
      ...{ server_name: "example.org", valid_until_ts: inDays(1).getTime(), old_verify_keys: {} },
      verify_keys: { "ed25519:a": { key: raw } },
      ...changes,
    };
    const signature = sign(null, Buffer.from(canonical(document)), privateKey)
      .toString("base64")
      .replace(/=+$/, "");
    return answer(200, { ...document, signatures: { "example.org": { "ed25519:a": signature } }, ...after });
  }

  test.each<[string, Answer, Result]>([
    ["good", keys(), "pass"],
    ["changed after signing", keys({}, { valid_until_ts: inDays(9).getTime() }), "fail"],
    ["of another server", keys({ server_name: "example.net" }), "fail"],
    ["no longer valid", keys({ valid_until_ts: inDays(-1).getTime() }), "fail"],
    ["none", keys({ verify_keys: {} }), "fail"],
    ["unsigned", keys({}, { signatures: {} }), "fail"],
    [
      "with a key that did not sign",
      keys({ verify_keys: { "ed25519:a": { key: raw }, "ed25519:b": { key: raw } } }),
      "fail",
    ],
    ["no answer worth the name", answer(404, "<html>"), "fail"],
  ])("%s", (_what, document, result) => {
    expect(verdict(judgeKeys("example.org", document, NOW))).toBe(result);
  });

  test("are signed over canonical JSON: sorted by code point, without spaces, as UTF-8", () => {
    expect(canonical({ b: [1, { z: null, a: true }], a: "日\n", "\u{1f600}": 1, "\uff00": 2 })).toBe(
      '{"a":"日\\n","b":[1,{"a":true,"z":null}],"\uff00":2,"\u{1f600}":1}',
    );
  });
});

test.each<[string, Answer, Result]>([
  ["a profile", answer(200, { displayname: "hearth" }), "pass"],
  [
    "no such profile, said by us",
    answer(404, { errcode: "M_NOT_FOUND", error: "Profile was not found" }),
    "pass",
  ],
  [
    "profile look-ups switched off here",
    answer(403, {
      errcode: "M_FORBIDDEN",
      error: "Profile lookup over federation is disabled on this homeserver",
    }),
    "pass",
  ],
  [
    "not on our allowlist",
    answer(403, { errcode: "M_FORBIDDEN", error: "Federation denied with partner." }),
    "fail",
  ],
  ["our proxy's own 404", answer(404, { errcode: "M_UNKNOWN", error: "Not Found" }), "fail"],
  ["we were not reached", answer(502, { errcode: "M_UNKNOWN", error: "Failed to fetch profile" }), "fail"],
  [
    "profiles for members only",
    answer(401, { errcode: "M_MISSING_TOKEN", error: "Missing access token" }),
    "not checked",
  ],
])("[V13] the partner's answer: %s", (_what, given, result) => {
  expect(verdict(judgePartner("matrix.partner.test", given))).toBe(result);
});

test.each<[string, Answer | undefined, Result]>([
  ["nothing", undefined, "pass"],
  ["the proxy's 404", answer(404, "<h1>404</h1>"), "pass"],
  ["the proxy's 403", answer(403, "<h1>403</h1>"), "pass"],
  ["Synapse without such a path", answer(404, { errcode: "M_UNRECOGNIZED" }), "pass"],
  ["a version without a token", answer(200, { server_version: "1.163.2" }), "fail"],
  ["a token is asked for", answer(401, { errcode: "M_MISSING_TOKEN" }), "fail"],
])("[A8] the admin API answers with %s", (_what, given, result) => {
  expect(verdict(judgeAdmin([{ where: "example.org:443/_synapse/admin", answer: given }]))).toBe(result);
});

test("[A8] metrics, plain HTTP and other ports: open is a failure", () => {
  const metrics = (given: Answer) => verdict(judgeMetrics([{ where: "/metrics", answer: given }]));
  expect(metrics(answer(200, "# HELP x y\n# TYPE x gauge\nx 1\n"))).toBe("fail");
  expect(metrics(answer(200, "<html>a page about metrics</html>"))).toBe("pass");
  expect(verdict(judgePlain(undefined))).toBe("pass");
  expect(verdict(judgePlain(answer(301, "", { location: "https://matrix.example.org/" })))).toBe("pass");
  expect(verdict(judgePlain(answer(301, "", { location: "http://elsewhere.test/" })))).toBe("fail");
  expect(verdict(judgePlain(answer(200, { versions: [] })))).toBe("fail");
  expect(verdict(judgePlain(answer(404, "<html>")))).toBe("pass");
  const ports = (state: "open" | "refused" | "silent") =>
    verdict(judgePorts("example.org", [{ port: 5432, what: "Postgres", state }]));
  expect([ports("refused"), ports("silent"), ports("open")]).toEqual(["pass", "pass", "fail"]);
});

test.each<[string, Answer | undefined, Result]>([
  ["413", answer(413, "<html>"), "pass"],
  ["ready for the body", answer(100), "fail"],
  ["asked to log in first", answer(401, { errcode: "M_MISSING_TOKEN" }), "fail"],
  ["cut off", undefined, "fail"],
])("[V7] an upload above the limit is answered with: %s", (_what, given, result) => {
  expect(verdict(judgeAboveLimit(1024, given, "connection closed without an answer"))).toBe(result);
});

test.each<[string, Parameters<typeof judgeAboveLimitBehind>[1], Result]>([
  ["413", { status: 413 }, "pass"],
  ["asked to log in first", { status: 401 }, "fail"],
  ["cut off", { hungUp: "Connection reset by peer" }, "fail"],
  ["the proxy cannot be reached", { error: "Connection refused" }, "not checked"],
  ["no answer of the host", undefined, "not checked"],
])("[H9] behind a tunnel an upload above the limit is answered with: %s", (_what, given, result) => {
  expect(verdict(judgeAboveLimitBehind(1024, given))).toBe(result);
});

test("findings about one thing on several ports are one: the worst", () => {
  const pass: Finding = { result: "pass", seen: "443: good", fix: "" };
  const open: Finding = { result: "not checked", seen: "8448: ?", fix: "" };
  const fail: Finding = { result: "fail", seen: "8448: bad", fix: "fix it" };
  expect(together([pass, pass]).seen).toBe("443: good; 443: good");
  expect(together([pass, open])).toEqual(open);
  expect(together([pass, open, fail])).toEqual(fail);
});

test("sizes are written with binary units", () => {
  expect([0, 1023, 1024, 104857600].map(bytes)).toEqual(["0 B", "1023 B", "1.0 KiB", "100.0 MiB"]);
});

test.each<[string, RenewalSeen, Result]>([
  ["went well", {}, "pass"],
  ["failed", { fault: "the renewal at 2027-01-01 failed: the authority does not answer" }, "fail"],
  ["no program", { error: "No such file or directory" }, "not checked"],
])("[V10] certificate renewal: %s", (_what, seen, result) => {
  const finding = judgeRenewal(seen);
  expect(verdict(finding)).toBe(result);
  if (seen.fault !== undefined) expect(finding.seen).toBe(seen.fault);
});
