#!/usr/bin/env node

// `npm run lock -- VERSION…` writes the requirements of a release of Synapse: every package with its version and the
// hash of the one matching wheel, for each Python and architecture that Hearth supports. Check the change and commit it.
const fs = require("node:fs");
const os = require("node:os");
const path = require("node:path");
const { entry } = require("./ensure");
const { run, ToolchainError } = require("./process");
const { step } = require("./progress");

const LOCKS = path.join(__dirname, "..", "components", "homeserver", "locks");
/** uv can resolve for other platforms than this machine (pip uses the markers of its own Python); pip then selects the wheel. */
const TOOLS = ["uv==0.13.9", "pip==26.0"];
/** The Pythons of Debian 12, Ubuntu 24.04, Debian 13 and Ubuntu 26.04; the oldest glibc of them is that of Debian 12, 2.36. */
const PYTHONS = ["3.11", "3.12", "3.13", "3.14"];
const GLIBC = 36;
const ARCHITECTURES = { amd64: "x86_64", arm64: "aarch64" };
const VERSION = /^\d+\.\d+\.\d+(rc\d+)?$/;

/** The operator's variables that pip may read: the address of the index, and the connection to it. */
const INDEX_SETTINGS = ["PIP_INDEX_URL", "PIP_CERT", "PIP_PROXY"];

function environment() {
  const others = Object.entries(process.env).filter(
    ([name]) => !/^(PIP|UV|PYTHON)/.test(name) || INDEX_SETTINGS.includes(name),
  );
  const index = process.env.PIP_INDEX_URL;
  return { ...Object.fromEntries(others), ...(index && { UV_DEFAULT_INDEX: index }) };
}

/** Every platform tag with compatible wheels, newest first. */
function platforms(machine) {
  const tags = Array.from({ length: GLIBC - 16 }, (_, index) => `manylinux_2_${GLIBC - index}_${machine}`);
  return [...tags, `manylinux2014_${machine}`].flatMap((tag) => ["--platform", tag]);
}

/** The exact versions for one target. */
async function resolve(tools, folder, version, python, machine) {
  const [wanted, pins] = [path.join(folder, "wanted.txt"), path.join(folder, "pins.txt")];
  fs.writeFileSync(wanted, `matrix-synapse[url-preview]==${version}\n`);
  await run(
    path.join(tools, "uv"),
    [
      ...[
        "pip",
        "compile",
        "--quiet",
        "--no-config",
        "--system-certs",
        "--upgrade",
        "--no-header",
        "--no-annotate",
      ],
      ...["--only-binary", ":all:", "--python-version", python],
      ...["--python-platform", `${machine}-manylinux_2_${GLIBC}`, "--output-file", pins, wanted],
    ],
    { env: environment() },
  );
  return pins;
}

/** The wheel that pip would install of each package, as requirement lines with its hash. */
async function hashed(tools, folder, pins, python, machine) {
  const report = path.join(folder, "report.json");
  await run(
    path.join(tools, "pip"),
    [
      ...[
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--dry-run",
        "--ignore-installed",
        "--no-deps",
      ],
      ...[
        "--only-binary",
        ":all:",
        "--python-version",
        python,
        "--implementation",
        "cp",
        ...platforms(machine),
      ],
      ...["--target", path.join(folder, "nowhere"), "--report", report, "--requirement", pins],
    ],
    { env: environment() },
  );
  const { install } = JSON.parse(fs.readFileSync(report, "utf8"));
  return install.map(({ metadata, download_info }) => {
    const name = metadata.name.toLowerCase().replace(/[-_.]+/g, "-");
    return `${name}==${metadata.version} --hash=sha256:${download_info.archive_info.hashes.sha256}`;
  });
}

async function lock(tools, folder, version) {
  for (const python of PYTHONS) {
    for (const [architecture, machine] of Object.entries(ARCHITECTURES)) {
      const pins = await resolve(tools, folder, version, python, machine);
      const lines = (await hashed(tools, folder, pins, python, machine)).sort();
      const file = path.join(LOCKS, `${version}-python${python}-${architecture}.txt`);
      fs.writeFileSync(`${file}.new`, `${lines.join("\n")}\n`);
      fs.renameSync(`${file}.new`, file);
    }
  }
}

entry(async () => {
  const versions = process.argv.slice(2);
  const wrong = versions.find((version) => !VERSION.test(version));
  if (versions.length === 0 || wrong !== undefined) {
    const what =
      wrong === undefined ? "no release of Synapse is named" : `"${wrong}" is not a release of Synapse`;
    throw new ToolchainError(`${what}\n  fix: npm run lock -- 1.163.2 (for example)`);
  }
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "hearth-lock-"));
  try {
    const tools = path.join(folder, "tools", "bin");
    await step("Fetching uv and pip", async () => {
      await run("python3", ["-m", "venv", path.dirname(tools)]);
      await run(path.join(tools, "pip"), ["install", "--quiet", "--only-binary", ":all:", ...TOOLS], {
        env: environment(),
      });
    });
    for (const version of versions)
      await step(`Locking Synapse ${version}`, () => lock(tools, folder, version));
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
});
