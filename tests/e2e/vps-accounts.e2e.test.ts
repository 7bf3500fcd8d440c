import * as fs from "node:fs/promises";
import * as path from "node:path";
import { AT_SYNAPSE } from "../support/synapse-socket";
import { VpsServer } from "../support/vps-server";

const INCLUDE = "/etc/hearth/proxy/synapse.inc";
const SITE = "/etc/hearth/proxy/sites/matrix.conf";

let server: VpsServer;

beforeAll(async () => {
  server = await VpsServer.make("accounts");
  await server.edit({ "verification.enabled": true, "verification.partner": undefined });
  await server.up();
});

afterAll(async () => {
  await server?.remove();
});

/** An admin request on the host's loopback with Hearth's own credential, which stays on the host. */
async function adminApi(method: string, pathname: string, body = "{}"): Promise<Record<string, unknown>> {
  const program = [
    `token=$(sed -n 's/.*"accessToken": "\\([^"]*\\)".*/\\1/p' /var/lib/hearth/admin.json)`,
    `printf 'header = "Authorization: Bearer %s"\\n' "$token" |`,
    `curl --silent --config - -X ${method} ${method === "GET" ? "" : `--data '${body}'`} ${AT_SYNAPSE}${pathname}`,
  ].join("\n");
  return JSON.parse(await server.sh(program));
}

const user = (localpart: string) => `/_synapse/admin/v2/users/@${localpart}:${server.serverName}`;

/** `npx hearth verify --json` on this stack. */
async function hearthVerify(): Promise<{ status: number; failed: string[] }> {
  const { status, results } = await server.verify();
  return { status, failed: Object.keys(results).filter((check) => results[check] === "fail") };
}

test("[A3] an account that was changed by hand shows in the next preview, in words, and up repairs it", async () => {
  await adminApi("PUT", user("alice"), '{"admin":true,"displayname":"Mallory"}');
  const { output } = await server.preview();
  expect(output).toMatch(/made admin by hand/);
  expect(output).toMatch(/display name changed by hand to \\?"Mallory/);
  await server.up();
  expect(await adminApi("GET", user("alice"))).toMatchObject({ admin: false, displayname: "Alice" });
  expect((await server.preview(["--expect-no-changes"])).ok).toBe(true);
});

test("[V12] deactivated, activated again and removed from the stack: the account has the same status, and is never deleted", async () => {
  await server.edit({ "accounts.alice.deactivated": true });
  await server.up();
  expect(await adminApi("GET", user("alice"))).toMatchObject({ deactivated: true });
  await server.edit({ "accounts.alice.deactivated": undefined });
  await server.up();
  expect(await adminApi("GET", user("alice"))).toMatchObject({ deactivated: false, displayname: "Alice" });
  await server.edit({ "accounts.alice": undefined });
  // The engine's message for a resource that leaves the stack and stays on the server.
  expect((await server.preview()).output).toMatch(/Account: \(delete\[retain\]\)/);
  await server.up();
  expect(await adminApi("GET", user("alice"))).toMatchObject({ deactivated: false, displayname: "Alice" });
});

test("[A2] an account that was deactivated and is active again: the preview says all that up does", async () => {
  await adminApi("POST", `/_synapse/admin/v1/deactivate/@alice:${server.serverName}`, '{"erase":false}');
  await server.edit({ "accounts.alice": { displayName: "Alicia" } });
  expect((await server.preview()).output).toMatch(
    /@alice:accounts\.test on \S+: exists already and is taken over; will be activated again, with the password kept in \S+alice\.password, called "Alicia"/,
  );
  await server.up();
  expect(await adminApi("GET", user("alice"))).toMatchObject({ deactivated: false, displayname: "Alicia" });
  // The preview shows no change of an account that leaves the stack file.
  await server.edit({ "accounts.alice.displayName": undefined });
  expect((await server.preview()).output).toMatch(
    /@alice:accounts\.test on \S+: nothing about it changes\n {2}its display name stays as it is/,
  );
  await server.up();
});

test("[A2] a preview with an invalid token does not log in; up renews it", async () => {
  const record = "/var/lib/hearth/admin.json";
  await server.sh(`sed -i 's/"accessToken": "[^"]*"/"accessToken": "syt_no"/' ${record}`);
  const before = await server.sh(`sha256sum ${record}`);
  const { output } = await server.preview();
  expect(output).toMatch(/does not work any more; pulumi up first makes or renews Hearth's own access/);
  expect(await server.sh(`sha256sum ${record}`)).toBe(before);
  await server.up();
  expect(await server.sh(`sha256sum ${record}`)).not.toBe(before);
  expect((await server.preview(["--expect-no-changes"])).ok).toBe(true);
});

test("[A9] no password and no token of an account is in the state, the logs or the output", async () => {
  const secrets = await server.sh(
    `cat /var/lib/hearth/accounts/*.password; sed 's/[",]/\\n/g' /var/lib/hearth/admin.json | grep -E '^(syt_|[0-9a-f]{64})'`,
  );
  const planted = secrets.split("\n").filter((line) => line !== "");
  expect(planted.length).toBeGreaterThanOrEqual(4);
  const files = await fs.readdir(server.directory, { recursive: true, withFileTypes: true });
  for (const file of files.filter((entry) => entry.isFile())) {
    const text = await fs.readFile(path.join(file.parentPath, file.name), "latin1");
    expect(planted.filter((secret) => text.includes(secret))).toEqual([]);
  }
});

const FAULTS: [fault: string, edit: string, failed: string[]][] = [
  [
    "[V9] X-Forwarded-For is appended to",
    `sed -i 's/\\$remote_addr;/$proxy_add_x_forwarded_for;/' ${INCLUDE}`,
    ["forged X-Forwarded-For"],
  ],
  [
    "[V9] the path is decoded",
    `sed -i 's|proxy_pass http://synapse;|proxy_pass http://synapse$uri;|' ${INCLUDE}`,
    ["encoded paths, client", "encoded paths, federation"],
  ],
  [
    "[A8] the admin API is passed on",
    `sed -i 's|/_synapse/client/|/_synapse/|g' ${SITE}`,
    ["admin API closed"],
  ],
  [
    "[V7] the proxy takes less than Synapse",
    `sed -i 's/client_max_body_size 104857600/client_max_body_size 50m/' ${SITE}`,
    ["upload at the limit"],
  ],
  [
    "[V7] the proxy takes more than Synapse",
    `sed -i 's/client_max_body_size 104857600/client_max_body_size 200m/' ${SITE}`,
    ["upload above the limit"],
  ],
];

test.each(FAULTS)("%s: hearth verify names it on the real proxy", async (_fault, edit, failed) => {
  await server.sh(`cp -a ${INCLUDE} /root/inc; cp -a ${SITE} /root/site; ${edit}`);
  await server.reloadNginx();
  try {
    expect(await hearthVerify()).toEqual({ status: 1, failed });
  } finally {
    await server.sh(`cp -a /root/inc ${INCLUDE}; cp -a /root/site ${SITE}`);
    await server.reloadNginx();
  }
});

test("[V13] hearth verify finds no fault on the deployed server", async () => {
  expect(await hearthVerify()).toEqual({ status: 0, failed: [] });
});
