import { parse } from "yaml";
import { CONTAINERS, containerReleases, LOGIN_FACTS, type Wanted } from "./quadlet-releases";

const FILE = `${CONTAINERS}/hearth-synapse.container`;
const CONFIG = `${LOGIN_FACTS.home}/.config/hearth/homeserver`;

async function homeserver(wanted: Wanted = {}) {
  const { homeserver: release } = (await containerReleases(wanted)).releases;
  if (release === undefined) throw new Error("no release");
  const text = (path: string) => release.files[path]?.content ?? "";
  return { ...release, text, settings: parse(text(`${CONFIG}/homeserver.yaml`)) };
}

describe("Synapse in a container", () => {
  it("[R4] listens on a socket in a folder that only the login user can enter, and on no port", async () => {
    const release = await homeserver();
    expect(release.text(FILE)).not.toContain("PublishPort");
    const listener = { path: "/run/hearth-synapse/synapse.sock", type: "http", x_forwarded: true };
    expect(release.settings.listeners).toEqual([expect.objectContaining(listener)]);
    const folder = `${LOGIN_FACTS.home}/.local/share/hearth/homeserver/socket`;
    expect(release.directories[folder]).toMatchObject({ mode: "0700", owner: LOGIN_FACTS.user });
    expect(release.text(FILE)).toContain(`\nVolume=${folder}:/run/hearth-synapse:rw\n`);
  });

  it("[H1] is published on loopback only, and not on IPv6, which its network does not have", async () => {
    const listener = { port: 8018, bindAddresses: ["127.0.0.1", "::1"] };
    const release = await homeserver({ homeserver: { listener } });
    expect(release.text(FILE).match(/PublishPort=.*/g)).toEqual(["PublishPort=127.0.0.1:8018:8008"]);
    // Another program with this port is reported before anything changes.
    expect(release.ports).toEqual({ "127.0.0.1:8018": "hearth-synapse.service" });
    expect(release.text(FILE)).toContain("\nNetwork=hearth.network\n");
    expect(release.settings.listeners).toMatchObject([
      { path: "/run/hearth-synapse/synapse.sock" },
      { port: 8008, bind_addresses: ["0.0.0.0"], x_forwarded: true },
    ]);
    expect(release.text(`${CONTAINERS}/hearth.network`)).toContain("NetworkName=hearth\n");
  });

  it("has one path for the host and one for containers", async () => {
    const { homeserver: made } = await containerReleases();
    expect(made).toMatchObject({
      socket: { kind: "socket", path: "/run/hearth-synapse/synapse.sock" },
      access: { scope: "user", registrationSecret: "podman:hearth-registration" },
    });
  });

  it("[H2] [A9] reads every secret from a Podman secret that is generated on the host", async () => {
    const { settings, containerSecrets, secrets, text } = await homeserver();
    expect(secrets).toEqual({});
    const paths = [
      settings.registration_shared_secret_path,
      settings.macaroon_secret_key_path,
      settings.form_secret_path,
      settings.signing_key_path,
      settings.database.args.passfile,
    ];
    const names = paths.map((path: string) => path.replace("/run/secrets/", "")).sort();
    expect(Object.keys(containerSecrets).sort()).toEqual(names);
    for (const name of names) expect(text(FILE)).toContain(`\nSecret=${name},type=mount,target=${name},`);
    const random = names.filter((name) => containerSecrets[name]?.source.kind === "random");
    expect(random).toEqual(["hearth-form", "hearth-macaroon", "hearth-registration"]);
    for (const name of random)
      expect(containerSecrets[name]).toEqual({ source: { kind: "random", bytes: 32 } });
  });

  it("[R8] with a digest is pulled and started by this digest, even if its tag has moved", async () => {
    const image = `ghcr.io/element-hq/synapse:v1.163.2@sha256:${"0".repeat(64)}`;
    const release = await homeserver({ homeserver: { image } });
    expect(release.images).toEqual([image]);
    expect(release.text(FILE)).toContain(`\nImage=${image}\n`);
  });

  it("[A9] keeps the signing key that the image prints out of every log", async () => {
    const { source } = (await homeserver()).containerSecrets["hearth-signing-key"] ?? {};
    expect(source).toMatchObject({ kind: "command" });
    expect(JSON.stringify(source)).toContain('"--log-driver=none"');
  });

  it("has the operator's secrets as separate files", async () => {
    const email = { smtpHost: "mail.example.org", from: "a@example.org", user: "matrix" };
    const registration = { mode: "open", require: ["captcha"] };
    const release = await homeserver({
      homeserver: { email, registration, captcha: { publicKey: "public-site-key" } },
      smtpPassword: "planted-1",
      captchaPrivateKey: "planted-2",
    });
    expect(release.settings).toMatchObject({
      recaptcha_private_key_path: "/run/secrets/hearth-captcha",
      recaptcha_public_key_path: "/etc/hearth/homeserver/captcha_public_key",
    });
    expect(release.text(`${CONFIG}/captcha_public_key`)).toBe("public-site-key\n");
    expect(release.text(FILE)).toContain("--config-path=/run/secrets/hearth-email");
    expect(JSON.stringify(release.files)).not.toContain("planted");
    expect(release.containerSecrets["hearth-captcha"]?.source).toEqual({ kind: "given", value: "planted-2" });
    expect(release.containerSecrets["hearth-email"]?.source).toMatchObject({
      value: expect.stringContaining("smtp_pass: planted-1"),
    });
  });

  it("another version changes one line, the image", async () => {
    const [one, other] = [await homeserver(), await homeserver({ homeserver: { version: "1.162.0" } })];
    const lines = one.text(FILE).split("\n");
    const changed = other
      .text(FILE)
      .split("\n")
      .filter((line, index) => line !== lines[index]);
    expect(changed).toEqual(["Image=ghcr.io/element-hq/synapse:v1.162.0"]);
    expect(other.images).toEqual(["ghcr.io/element-hq/synapse:v1.162.0"]);
    expect(other.text(`${CONFIG}/homeserver.yaml`)).toBe(one.text(`${CONFIG}/homeserver.yaml`));
  });

  it("restarts for every change except in its log configuration", async () => {
    const { units, files } = await homeserver();
    const unit = units["hearth-synapse.service"];
    expect(unit?.reloadOn).toEqual([`${CONFIG}/log.yaml`]);
    const read = Object.keys(files).filter((path) => path.includes("/.config/"));
    expect(read.filter((path) => ![...(unit?.restartOn ?? []), `${CONFIG}/log.yaml`].includes(path))).toEqual(
      [],
    );
    expect(unit?.restartOn).toEqual(
      expect.arrayContaining([
        ...["image:ghcr.io/element-hq/synapse:v1.163.2", "container-secret:hearth-signing-key"],
        `${LOGIN_FACTS.home}/.local/lib/hearth/homeserver/listen.py`,
      ]),
    );
  });

  it("[H14] may use no more memory than the stack says", async () => {
    expect((await homeserver()).text(FILE)).toContain("\nMemoryMax=1024M\n");
    expect((await homeserver({ homeserver: { memory: "2G" } })).text(FILE)).toContain("\nMemoryMax=2048M\n");
  });
});
