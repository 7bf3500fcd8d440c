import { execFileSync } from "node:child_process";
import { endWarning } from "../../components/certificates";
import { changed, fixture, type Registered, runProgram } from "../support/program";

function certificateFor(days: number): string {
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-noenc", "-keyout", "/dev/null"];
  const options = ["req", "-x509", ...key, "-subj", "/CN=test", "-days", String(days)];
  return execFileSync("openssl", options, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
}

it.each([
  [60, false],
  [15, false],
  [13, true],
  [1, true],
])("a certificate that expires in %i days: warning %s", (days, warned) => {
  const warning = endWarning(certificateFor(days), new Date());
  expect(warning !== undefined).toBe(warned);
  if (warned) expect(warning).toMatch(/expires in \d+ days .*\n {2}fix: renew it/);
});

it("[A9] the private key is the only secret value of the release", async () => {
  const run = await runProgram(fixture("minimal"));
  const release = run.resources.find(
    ({ name, type }) => name === "vps-certificates" && type.endsWith(":Release"),
  );
  const { secrets, files } = (release as Registered).inputs as Record<string, Record<string, unknown>>;
  expect(secrets?.["/etc/hearth/tls/privkey.pem"]).toEqual({
    source: {
      kind: "given",
      value: expect.objectContaining({ value: expect.stringContaining("PRIVATE KEY") }),
    },
    mode: "0600",
    owner: "root",
    group: "root",
  });
  expect(JSON.stringify(files)).toContain("BEGIN CERTIFICATE");
  expect(JSON.stringify(files)).not.toContain("PRIVATE KEY");
});

it("[V10] a new certificate reloads the proxy", async () => {
  const run = await runProgram(fixture("minimal"));
  const proxy = run.resources.find(({ name, type }) => name === "vps-proxy" && type.endsWith(":Release"));
  expect(proxy?.inputs.revisions).toEqual({ certificates: "digest-of-vps-certificates" });
  expect(proxy?.inputs.units).toMatchObject({
    "nginx.service": { reloadOn: expect.arrayContaining(["revision:certificates"]) },
  });
  expect(proxy?.dependsOn).toContain("vps-certificates");
});

it("[H2] for containers the private key is a Podman secret, and a new certificate restarts the proxy", async () => {
  const run = await runProgram(
    changed(fixture("minimal"), {
      "hosts.vps": { address: "vps.example.org", user: "alice", become: "sudo", runtime: "quadlet" },
      "proxy.kind": "caddy",
      "proxy.listen": { address: "::", port: 8443 },
    }),
  );
  expect(run.errors).toEqual([]);
  const release = (name: string) =>
    run.resources.find((one) => one.name === name && one.type.endsWith(":Release"))?.inputs;
  const value = expect.objectContaining({ value: expect.stringContaining("PRIVATE KEY") });
  expect(release("vps-certificates")).toMatchObject({
    scope: "user",
    containerSecrets: { "hearth-tls-key": { source: { kind: "given", value } } },
  });
  expect(JSON.stringify(release("vps-certificates")?.files)).not.toContain("PRIVATE KEY");
  expect(release("vps-proxy")).toMatchObject({
    revisions: { certificates: "digest-of-vps-certificates" },
    units: { "hearth-caddy.service": { restartOn: expect.arrayContaining(["revision:certificates"]) } },
  });
});
