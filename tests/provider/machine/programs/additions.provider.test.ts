import { downHost, type Host, upHost } from "../../../../sandbox";
import { call, ok, type Release, sh } from "../../../support/host-programs";
import { rootFile } from "../../../support/probe-release";

// For this run only: another run at the same time has a host of its own.
const NAME = `additions-${process.pid}`;
const PLACE = "/opt/hearth/test/1";
let host: Host;
let instance = "-";

const apply = async (release: Release) => {
  const done = await call(host, "apply", release, { instance });
  instance = done.of("release")[0]?.[0] ?? instance;
  return done;
};
const observe = (release: Release) => call(host, "observe", release, { instance });
const IDNA = {
  "3.10": "idna==3.10 --hash=sha256:946d195a0d259cbba61165e88e65941f16e9b36ea6ddb97f00452bae8b1287d3",
  "3.7": "idna==3.7 --hash=sha256:82fee1fc78add43492d3a1898bfa6d8a904cc97d8427f683ed8e798d07761aa0",
  none: `idna==0.0.0.1 --hash=sha256:${"0".repeat(64)}`,
  forged: `idna==3.7 --hash=sha256:${"0".repeat(64)}`,
};
const withEnvironment = (requirements: string[], rest: Release = {}): Release => ({
  release: "probe",
  packages: { python3: "any", "python3-venv": "any" },
  environments: { [PLACE]: { python: "/usr/bin/python3", requirements, systemSitePackages: false } },
  ...rest,
});

beforeAll(async () => {
  host = await upHost({ name: NAME });
});
afterAll(() => downHost(NAME));

describe("a Python environment", () => {
  it("is built with exactly its requirements, whatever the host tells pip, and recognised as complete", async () => {
    const lib = "/root/.local/lib/python3.13/site-packages/idna-3.10.dist-info";
    await sh(
      host,
      `printf 'user = true\\ntarget = /root/elsewhere\\nno-binary = :all:\\nno-index = false\\n' >>/etc/pip.conf
       mkdir -p ${lib} && printf 'Name: idna\\nVersion: 3.10\\n' >${lib}/METADATA`,
    );
    const release = withEnvironment([IDNA["3.10"]]);
    expect((await observe(release)).of("environment")).toEqual([[PLACE, "absent"]]);
    expect(
      ok(await apply(release))
        .of("did")
        .flat(),
    ).toContain(`built Python environment ${PLACE}`);
    expect(await sh(host, `${PLACE}/bin/python -c 'import idna; print(idna.__version__)'`)).toBe("3.10");
    expect((await observe(release)).of("environment")).toEqual([[PLACE, "ready"]]);
    expect(ok(await apply(release)).of("did")).toEqual([]);
    expect(await sh(host, "ls -A /root/.cache /root/elsewhere 2>/dev/null || echo none")).toBe("none");
    // The user that unpacked it is gone and owns nothing.
    expect(
      await sh(host, `find ${PLACE} '(' ! -user root -o ! -type l -perm /022 ')' -print | head -n 3`),
    ).toBe("");
    expect(await sh(host, "getent passwd hearth-build || echo none; ls /opt/hearth/test")).toBe("none\n1");
  });

  it("does not take a wheel with another hash, and says so when the index refuses", async () => {
    const forged = await apply(withEnvironment([IDNA.forged]));
    expect(forged.of("fail")[0]?.[1]).toMatch(/THESE PACKAGES DO NOT MATCH THE HASHES/);
    await sh(
      host,
      "cp /etc/pip.conf /etc/pip.kept; echo 'index-url = http://127.0.0.1:9/simple' >>/etc/pip.conf",
    );
    const unreachable = await apply(withEnvironment([IDNA["3.7"]]));
    await sh(host, "mv /etc/pip.kept /etc/pip.conf");
    expect(unreachable.of("fail")[0]).toEqual([
      "environments",
      `Python environment ${PLACE} could not be built: the Python index http://127.0.0.1:9/simple cannot be reached: Connection refused (index-url in /etc/pip.conf, section [global])`,
    ]);
    expect((await observe(withEnvironment([IDNA["3.10"]]))).of("environment")).toEqual([[PLACE, "ready"]]);
  });

  it("in which somebody has exchanged a distribution by hand is not what was installed", async () => {
    await sh(host, `cd ${PLACE}/lib/python3*/site-packages && mv idna-3.10.dist-info idna-3.9.dist-info`);
    const seen = await observe(withEnvironment([IDNA["3.10"]]));
    expect(seen.of("environment")).toEqual([[PLACE, "other"]]);
    expect(seen.of("changed")).toEqual([[PLACE]]);
  });

  it("that is not complete (a build was cut off) is built again", async () => {
    await sh(host, `rm ${PLACE}/.hearth-ready ${PLACE}/bin/python`);
    const release = withEnvironment([IDNA["3.10"]]);
    const seen = await observe(release);
    expect(seen.of("environment")).toEqual([[PLACE, "other"]]);
    expect(seen.of("changed")).toEqual([[PLACE]]);
    ok(await apply(release));
    expect(await sh(host, `${PLACE}/bin/python -c 'print(1)'`)).toBe("1");
  });

  it("comes back as it was when the change to other requirements fails later, or cannot be built", async () => {
    const refusing = withEnvironment([IDNA["3.7"]], {
      validators: { no: { argv: ["/bin/false"], timeoutSeconds: 5 } },
    });
    expect((await apply(refusing)).of("fail")[0]?.[0]).toBe("validate");
    const impossible = await apply(withEnvironment([IDNA.none]));
    expect(impossible.of("fail")[0]?.[0]).toBe("environments");
    expect(impossible.of("fail")[0]?.[1]).toContain("no wheel of idna in the locked version for Python 3.13");
    expect(await sh(host, `${PLACE}/bin/python -c 'import idna; print(idna.__version__)'`)).toBe("3.10");
    expect((await observe(withEnvironment([IDNA["3.10"]]))).of("environment")).toEqual([[PLACE, "ready"]]);
    ok(await apply(withEnvironment([IDNA["3.7"]])));
    expect(
      await sh(host, `${PLACE}/bin/python -c 'import idna; print(idna.__version__)'; ls /opt/hearth/test`),
    ).toBe("3.7\n1");
  });
});

describe("an apt repository", () => {
  it("with another key than the pinned one is refused on a host without gpg too", async () => {
    // An unowned key, created for this test.
    const keyBase64 =
      "mDMEawEuCxYJKwYBBAHaRw8BAQdACgdKOBYBZ9Dzr8BS3RMUHxXRirtvYJYXyygLyR9ltc60FHRlc3QgPHRAZXhhbXBsZS5vcmc+iJAEExYIADgWIQToK5dyMTBZ49TbDRRLFNu1on/kvgUCawEuCwIbAwULCQgHAgYVCgkICwIEFgIDAQIeAQIXgAAKCRBLFNu1on/kviraAQDvCHz6NDCGZhMqaXcrVIiBYrpLumHe7tYfXqFfVuzSNwD/cGfcqXinOnsasrWHOmzg+JWTkUl8bGp6khjoDM90gQk=";
    const at = { uris: "http://127.0.0.1:9/", suites: "trixie", components: "main" };
    const pinned = { ...at, keyBase64, fingerprint: "0".repeat(40) };
    expect(await sh(host, "command -v gpg || echo none")).toBe("none");
    const done = await apply({ release: "probe", repositories: { stranger: pinned } });
    expect(done.of("fail")[0]?.[1]).toBe(
      `the key of apt repository stranger has fingerprint E82B9772313059E3D4DB0D144B14DBB5A27FE4BE, pinned is ${"0".repeat(40)}`,
    );
    expect(await sh(host, "ls /etc/apt/sources.list.d /etc/apt/keyrings")).not.toContain("stranger");
  });

  it("is added with its pinned key, and refused with another one", async () => {
    // The distribution's own archive again, with one of its own keys: a real repository that every host can reach.
    ok(await apply({ release: "probe", packages: { gpg: "any" } }));
    const home =
      "--homedir $(mktemp -d) --batch --no-default-keyring --keyring /usr/share/keyrings/debian-archive-keyring";
    const ring = `${home}.$(ls /usr/share/keyrings | sed -n 's/^debian-archive-keyring\\.//p' | head -n 1)`;
    const keyBase64 = await sh(
      host,
      `gpg ${ring} --export 'Debian Stable Release Key (13/trixie)' 2>/dev/null | base64 -w 0`,
    );
    const fingerprint = await sh(
      host,
      `printf %s ${keyBase64} | base64 -d | gpg --show-keys --with-colons 2>/dev/null | awk -F: '$1 == "fpr" { print $10; exit }'`,
    );
    const sources = "cat /etc/apt/sources.list /etc/apt/sources.list.d/* 2>/dev/null";
    const uris = await sh(host, `${sources} | grep -o 'https\\?://[^ ]*' | head -n 1`);
    expect(fingerprint).toMatch(/^[0-9A-F]{40}$/);
    const archive = {
      uris,
      suites: "trixie",
      components: "contrib",
      keyBase64,
    };
    const release = (pinned: string): Release => ({
      release: "probe",
      packages: { gpg: "any" },
      repositories: { again: { ...archive, fingerprint: pinned } },
    });
    const wrong = await apply(release("0".repeat(40)));
    expect(wrong.of("fail")[0]?.[1]).toBe(
      `the key of apt repository again has fingerprint ${fingerprint}, pinned is ${"0".repeat(40)}`,
    );
    expect((await observe(release(fingerprint))).of("repository")).toEqual([["again", "absent"]]);
    expect(
      ok(await apply(release(fingerprint)))
        .of("did")
        .flat(),
    ).toContain("added apt repository again");
    expect((await observe(release(fingerprint))).of("repository")).toEqual([["again", "ready"]]);
    expect(await sh(host, "cat /etc/apt/sources.list.d/hearth-again.sources")).toContain(
      "Components: contrib",
    );
    expect(ok(await apply(release(fingerprint))).of("did")).toEqual([]);
  });
});

describe("packages", () => {
  it("do not start their services when they are installed; the release's units do", async () => {
    const packages = { nginx: "any" };
    const installed = ok(await apply({ release: "probe", packages }));
    expect(installed.of("did").flat().join()).toMatch(/installed package nginx 1\.\d+/);
    expect(
      await sh(host, "systemctl is-active nginx || true; ls /usr/sbin/policy-rc.d 2>&1 || true"),
    ).toMatch(/^inactive\n.*No such file/);
    const units = {
      "nginx.service": { enabled: true, state: "running" as const, restartOn: [], reloadOn: [] },
    };
    const files = {
      "/etc/nginx/sites-enabled/default": rootFile("server { listen 127.0.0.1:8085; return 204; }\n"),
    };
    const validators = {
      nginx: { argv: ["/usr/sbin/nginx", "-t"], timeoutSeconds: 10, isolateNetwork: true },
    };
    ok(await apply({ release: "probe", packages, units, files, validators }));
    expect(await sh(host, "systemctl is-active nginx")).toBe("active");
    expect(await sh(host, "ls -l /etc/nginx/sites-enabled/default")).toMatch(/^-rw/);

    const broken = { "/etc/nginx/sites-enabled/default": rootFile("server { nonsense; }\n") };
    const refused = await apply({ release: "probe", packages, units, files: broken, validators });
    expect(refused.of("fail")[0]).toEqual(["validate", "validation by nginx failed (exit status 1)"]);
    expect(Buffer.from(refused.of("output")[0]?.[0] ?? "", "base64").toString()).toContain('"nonsense"');
    expect(await sh(host, "nginx -t 2>&1 | tail -n 1")).toContain("successful");
  });

  it("that do not exist fail the apply with apt's words", async () => {
    const nonsense = { release: "none", packages: { "no-such-package": "any" } };
    const done = await call(host, "apply", nonsense, { instance: "-" });
    expect(done.of("fail")[0]).toEqual(["packages", "apt-get install failed: no-such-package"]);
    expect(Buffer.from(done.of("output")[0]?.[0] ?? "", "base64").toString()).toContain(
      "Unable to locate package no-such-package",
    );
    expect(await sh(host, "ls /usr/sbin/policy-rc.d 2>&1 || true")).toContain("No such file");
  });

  it("[F9] that bring others along are told with them, and looking writes nothing", async () => {
    const release = { release: "probe", packages: { tree: "any", rsync: "any" } };
    await sh(host, "rm -f /var/cache/apt/*.bin; touch /tmp/before");
    const seen = await observe(release);
    const named = seen.of("brings").map(([name]) => name);
    expect(named).toContain("libpopt0");
    expect(named).not.toContain("rsync");
    const touched =
      "find /etc /usr /var/cache /var/lib/apt /var/lib/dpkg /var/lib/hearth -xdev -newer /tmp/before -type f";
    expect(await sh(host, touched)).toBe("");
  });

  it("are installed although a foreign repository is dead, which is told", async () => {
    await sh(
      host,
      `echo 'deb [trusted=yes] http://127.0.0.1:9/ppa trixie main' >/etc/apt/sources.list.d/dead.list; rm -f /var/lib/hearth/apt-lists`,
    );
    const done = ok(await apply({ release: "probe", packages: { tree: "any" } }));
    expect(done.of("note").flat().join("\n")).toMatch(
      /apt could not fetch the lists of 127\.0\.0\.1:9; going on with those that are there: .*(connect|refused)/,
    );
    expect(done.of("did").flat().join()).toMatch(/installed package tree/);
  });

  it("[B9] that nobody knows because lists could not be fetched fail with the archive's name", async () => {
    await sh(
      host,
      "mkdir /root/kept; mv /etc/apt/sources.list /etc/apt/sources.list.d/debian.sources /root/kept 2>/dev/null || :",
    );
    await sh(host, "rm -rf /var/lib/apt/lists/* /var/lib/hearth/apt-lists");
    const done = await apply({ release: "probe", packages: { tree: "any", sl: "any" } });
    expect(done.of("fail")[0]?.[1]).toMatch(
      /^apt-get install failed: sl; apt could not fetch the lists of 127\.0\.0\.1:9: .*(connect|refused)/,
    );
    expect((await observe({ release: "probe", packages: { sl: "any" } })).of("brings")).toEqual([["-"]]);
  });
});
