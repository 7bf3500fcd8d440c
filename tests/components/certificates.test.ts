import { execFileSync } from "node:child_process";
import { endWarning } from "../../components/certificates/lifetime";
import { changed, fixture, type Registered, runProgram } from "../support/program";

function certificateFor(days: number): string {
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-noenc", "-keyout", "/dev/null"];
  const options = ["req", "-x509", ...key, "-subj", "/CN=test", "-days", String(days)];
  return execFileSync("openssl", options, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
}

const DAY = 86_400_000;

it.each([
  [6, 3.9, undefined],
  [6, 4.1, "in 45 hours"],
  [6, 5.9, "in 2 hours"],
  [45, 29, undefined],
  [45, 31, "in 13 days"],
  [64, 42, undefined],
  [64, 43, "in 20 days"],
  [90, 59, undefined],
  [90, 61, "in 28 days"],
])(
  "[V10] a certificate of %d days is reported from a third of its lifetime on: after %d days %s",
  (days, passed, end) => {
    const warning = endWarning(certificateFor(days), new Date(Date.now() + passed * DAY));
    expect(warning?.split("\n")[0]).toEqual(
      end &&
        expect.stringMatching(
          `^the certificate expires ${end} \\(.*\\); less than a third of its lifetime is left$`,
        ),
    );
  },
);

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

const ACME = { host: "vps", source: "acme", acceptTerms: true };

it("[V10] with ACME the host has client, timer and challenge before the proxy, which reads the certificate through one link", async () => {
  const run = await runProgram(changed(fixture("minimal"), { certificates: ACME }));
  expect(run.errors).toEqual([]);
  const release = (name: string) =>
    run.resources.find((one) => one.name === name && one.type.endsWith(":Release"));
  expect(release("vps-certificates")).toBeUndefined();
  expect(release("vps-proxy")?.dependsOn).toContain("vps-certificates-acme");
  const sites = JSON.stringify(release("vps-proxy")?.inputs.files);
  expect(sites).toContain("ssl_certificate /var/lib/hearth-data/certificates/current/fullchain.pem;");
  expect(sites).toContain("ssl_certificate_key /var/lib/hearth-data/certificates/current/privkey.pem;");
  expect(release("vps-certificates-acme")?.inputs).toMatchObject({
    packages: { certbot: "any" },
    units: { "hearth-certificates.timer": { enabled: true, state: "running" } },
    tasks: {
      certificate: {
        want: "matrix.example.org, example.org: ecdsa-p256 from https://acme-v02.api.letsencrypt.org/directory",
      },
    },
  });
});

it("[V10] records that Hearth keeps come before the certificate, and their names are not asked for in the preview", async () => {
  const address = { type: "A", name: "matrix.example.org", address: "192.0.2.10" };
  const run = await runProgram(
    changed(fixture("minimal"), {
      certificates: ACME,
      dns: { host: "vps", records: { matrix: address } },
      secrets: { dynu: { apiKey: "planted" } },
    }),
  );
  expect(run.errors).toEqual([]);
  const acme = run.resources.find(({ name }) => name === "vps-certificates-acme");
  expect(acme?.dependsOn).toContain("vps-dns-matrix");
  expect(acme?.inputs.preflights).toMatchObject({
    names: { arguments: ["/var/lib/hearth-data/certificates/current/fullchain.pem", "example.org"] },
  });
});
