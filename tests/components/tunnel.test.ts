import { installationFault, installationOf } from "../../components/tunnel/installation";
import { renderUnit, unitName } from "../../components/tunnel/unit";
import { tunnelSchema } from "../../config-schemas/tunnel/schema";
import { tunnelRelease } from "./tunnel-release";

const LOGIN = { user: "debian", group: "debian", uid: 1000, home: "/home/debian" };
const KEY = "a2V5";

describe("[H5] the installation of tailscaled", () => {
  const question = (install: "auto" | "present" | "repository", tailscale: "" | "package" | "other") => ({
    config: { install },
    facts: { tailscale, distribution: "debian", codename: "trixie" },
    scope: "system" as const,
    vendorKey: KEY as string | undefined,
  });

  it.each([
    ["auto", "", ["tailscale"]],
    // A package that the first update installed is no change for the second.
    ["auto", "package", ["tailscale"]],
    ["auto", "other", []],
    ["present", "package", []],
    ["repository", "", ["tailscale"]],
    ["repository", "other", ["tailscale"]],
  ] as const)("%s on a host with '%s': packages %j", (install, found, packages) => {
    const installation = installationOf(question(install, found));
    expect(Object.keys(installation.packages)).toEqual(packages);
    expect(Object.keys(installation.repositories)).toEqual(packages);
    expect(installationFault(question(install, found))).toBeUndefined();
  });

  it("pins the vendor's key and uses the host's release of the distribution", () => {
    expect(installationOf(question("auto", "")).repositories.tailscale).toEqual({
      uris: "https://pkgs.tailscale.com/stable/debian",
      suites: "trixie",
      components: "main",
      keyBase64: KEY,
      fingerprint: "2596A99EAAB33821893C0A79458CA832957F5868",
    });
  });

  it("does not change a package that somebody else installed", () => {
    const own = { ...question("auto", "package"), vendorKey: undefined };
    expect(installationOf(own)).toEqual({ packages: {}, repositories: {} });
    expect(installationFault(own)).toBeUndefined();
  });

  it.each([
    [
      { ...question("present", "") },
      /tailscaled is not on the host, and hearth:tunnel.install is present\n {2}fix: .*install: repository/,
    ],
    [
      { ...question("auto", ""), scope: "user" as const },
      /Hearth cannot become root there\n {2}fix: .*as root.*become: sudo/,
    ],
    [
      { ...question("auto", ""), vendorKey: undefined },
      /tailscaled is not on the host, and the key .*keys\/tailscale-archive-keyring\.gpg\n {2}fix: .*trixie\.noarmor\.gpg.*2596A99E/,
    ],
    [
      { ...question("repository", "package"), vendorKey: undefined },
      /install is repository, and the key .* is missing/,
    ],
  ])("refuses with the fix (%#)", (asked, message) => {
    expect(installationFault(asked)).toMatch(message);
  });

  it("reports the fault once, as an error of the update", async () => {
    const { errors } = await tunnelRelease({ facts: { tailscale: "" } });
    expect(errors).toEqual([expect.stringContaining("the key of the vendor's repository is missing")]);
  });
});

describe("the release", () => {
  it("[H5] belongs to root with sudo: first the daemon, then the tailnet, then Funnel", async () => {
    const { release } = await tunnelRelease({ facts: { tailscale: "package" }, authKey: "tskey-planted" });
    expect(release.scope).toBe("system");
    expect(Object.keys(release.tasks).sort()).toEqual(["10-daemon", "20-joined", "30-funnel"]);
    expect(release.tasks["20-joined"]?.want).toBe(
      "home.tail1a2b.ts.net at https://controlplane.tailscale.com",
    );
    expect(release.tasks["30-funnel"]?.want).toBe("funnel 443 -> http://127.0.0.1:8080");
    expect(release.units["hearth-funnel-443.service"]).toMatchObject({ enabled: true, state: "running" });
    // Stopping tailscaled could end the operator's own connection.
    expect(Object.keys(release.units)).not.toContain("tailscaled.service");
  });

  it("[H5] the auth key is a secret file that only its owner can read, and in no argument", async () => {
    const { release } = await tunnelRelease({ facts: { tailscale: "package" }, authKey: "tskey-planted" });
    const file = "/etc/hearth/tunnel/auth-key";
    expect(release.secrets[file]).toEqual({
      source: { kind: "given", value: "tskey-planted" },
      mode: "0600",
      owner: "root",
      group: "root",
    });
    const { secrets: _, ...rest } = release;
    expect(JSON.stringify(rest)).not.toContain("tskey-planted");
    expect(release.tasks["20-joined"]?.apply).toContain(`--auth-key-file=${file}`);
  });

  it("[H5] belongs to the login user without sudo: nothing needs root, and all is below the home directory", async () => {
    const { release, errors } = await tunnelRelease({
      host: { become: "none" },
      facts: { tailscale: "package", login: LOGIN },
      authKey: "tskey-planted",
    });
    expect(errors).toEqual([]);
    expect(release).toMatchObject({ scope: "user", packages: {}, repositories: {} });
    const paths = [release.files, release.secrets, release.directories].flatMap((map) => Object.keys(map));
    expect(paths.filter((path) => !path.startsWith("/home/debian/"))).toEqual([]);
    const unit = release.files["/home/debian/.config/systemd/user/hearth-funnel-443.service"]?.content;
    expect(unit).toContain("WantedBy=default.target");
    // The user's systemd does not have this unit.
    expect(unit).not.toContain("tailscaled.service");
  });

  it("accepts another control server and another name", async () => {
    const { release } = await tunnelRelease({
      facts: { tailscale: "other" },
      config: { controlUrl: "https://headscale.example.org", hostname: "chat" },
    });
    expect(release.tasks["20-joined"]?.apply).toEqual(
      expect.arrayContaining(["--control-url=https://headscale.example.org", "--hostname=chat"]),
    );
  });
});

it("the name of Funnel's unit contains its port, so that a new port removes the old unit", () => {
  expect(unitName(443)).not.toBe(unitName(8443));
  const unit = renderUnit({ port: 443, target: "http://127.0.0.1:8080", programs: "/p", scope: "system" });
  expect(unit).toContain(
    "ExecStop=/usr/bin/python3 -B /p/funnel.py stop --port=443 --target=http://127.0.0.1:8080\n",
  );
});

describe("the section", () => {
  const parse = (keys: object) => tunnelSchema.safeParse({ kind: "tailscale-funnel", host: "home", ...keys });

  it("needs a host and a kind only", () => {
    expect(parse({}).data).toEqual({
      kind: "tailscale-funnel",
      host: "home",
      install: "auto",
      controlUrl: "https://controlplane.tailscale.com",
    });
  });

  it.each([
    [{ kind: "cloudflare" }],
    [{ install: "snap" }],
    [{ controlUrl: "http://plain.example.org" }],
    [{ controlUrl: "https://headscale.example.org/path" }],
    [{ hostname: "Chat" }],
    [{ hostname: "chat.example" }],
    [{ authKey: "tskey-in-the-file" }],
  ])("refuses %j", (keys) => {
    expect(parse(keys).success).toBe(false);
  });
});
