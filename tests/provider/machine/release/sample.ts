import type { ReleaseInputs } from "../../../../provider/contract/release";
import { checkRelease } from "../../../../provider/machine/release/check";
import { type Properties, toProperties } from "../../../../provider/protocol/values";

/** A release with something of every kind. */
export function sample(): ReleaseInputs {
  return {
    connection: { name: "vps", transport: "ssh", address: "vps.example.org", become: "none" },
    scope: "system",
    images: [],
    containerSecrets: {},
    release: "web",
    identity: { serverName: "example.org" },
    packages: { nginx: "any", curl: "8.14.1-2" },
    repositories: {
      vendor: {
        uris: "https://packages.example.org/debian",
        suites: "trixie",
        components: "main",
        keyBase64: "a2V5",
        fingerprint: "AAF9AE843A7584B5A3E4CD2BCF45A512DE2DA058",
      },
    },
    users: { web: { home: "/var/lib/web", groups: ["adm", "www-data"] } },
    directories: { "/var/lib/web/data": { mode: "0750", owner: "web", group: "web" } },
    files: {
      "/etc/web/main.yaml": { content: "a: 1\nb: 2\n", mode: "0640", owner: "root", group: "web" },
      "/etc/systemd/system/web.service": {
        content: "[Service]\n",
        mode: "0644",
        owner: "root",
        group: "root",
      },
    },
    secrets: {
      "/etc/web/random": {
        mode: "0600",
        owner: "root",
        group: "root",
        source: { kind: "random", bytes: 32 },
      },
      "/etc/web/given": {
        mode: "0600",
        owner: "root",
        group: "root",
        source: { kind: "given", value: "planted-secret" },
      },
    },
    environments: {
      "/opt/web/1": {
        python: "/usr/bin/python3",
        requirements: [`web[tls]==1.0 --hash=sha256:${"0".repeat(64)}`],
        systemSitePackages: true,
      },
    },
    tasks: {
      role: { observe: ["/bin/look"], apply: ["/bin/make", "it so"], want: "there", user: "postgres" },
    },
    units: {
      "web.service": {
        enabled: true,
        state: "running",
        restartOn: ["/etc/web/main.yaml", "environment:/opt/web/1", "revision:certificates", "task:role"],
        reloadOn: ["/etc/web/given"],
      },
    },
    ports: {},
    preflights: {},
    revisions: { certificates: "one" },
    validators: { main: { argv: ["/usr/bin/check", "/etc/web/main.yaml"], timeoutSeconds: 10 } },
    health: { answers: { kind: "http", url: "http://127.0.0.1:80/", status: 200, timeoutSeconds: 5 } },
    publishes: { key: { argv: ["/bin/cat", "/etc/web/key.pub"] } },
    confirm: { seconds: 60 },
  };
}

/** The same as the engine sends it. */
export const sampleProperties = (): Properties => toProperties(sample());

/** The same as Check leaves it and the state keeps it. */
export function checkedSample(): Properties {
  const { inputs, faults } = checkRelease({}, sampleProperties());
  if (faults.length > 0) throw new Error(faults.join("\n"));
  return inputs;
}
