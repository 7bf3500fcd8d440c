// The vendor's release of the engine, through npm's `pulumi` package.
const crypto = require("node:crypto");
const fs = require("node:fs");
const path = require("node:path");
const { npmEnvironment } = require("./packages");
const { ToolchainError, run } = require("./process");
const { step } = require("./progress");
const { pinned, wrapper, wrapperIntegrity } = require("./versions");

/** The first download of the npm package; if this does not answer, the package cannot work. */
const vendor = "https://get.pulumi.com/install.sh";
const probeTimeout = 4000;

/**
 * Puts the release into `<staging>/bin`. Returns false, with the reason added, if the vendor cannot be reached: this
 * takes seconds, while the package itself would wait for several timeouts.
 */
async function fetchRelease(staging, reasons) {
  try {
    const answer = await fetch(vendor, { method: "HEAD", signal: AbortSignal.timeout(probeTimeout) });
    if (!answer.ok) throw new Error(`it answered ${answer.status}`);
  } catch (error) {
    reasons.push(`fetch: ${new URL(vendor).host} cannot be reached (${error.cause?.code ?? error.message})`);
    return false;
  }
  const home = `${staging}.npm`;
  try {
    await step(`Fetching Pulumi ${pinned}`, async (note) => {
      const archive = await fetchWrapper(home);
      await run("npm", ["exec", "--yes", "--offline", `--package=${archive}`, "--", "pulumi", "version"], {
        env: {
          ...npmEnvironment(),
          PULUMI_HOME: home,
          PULUMI_VERSION: pinned,
          PULUMI_SKIP_UPDATE_CHECK: "true",
        },
        onLine: note,
      });
    });
    fs.renameSync(path.join(home, "versions", pinned), staging);
    return true;
  } catch (error) {
    reasons.push(`fetch: ${error.message}`);
    return false;
  } finally {
    fs.rmSync(home, { recursive: true, force: true });
  }
}

/** npm's package is not in our lock file, so its archive is fetched first and its hash is checked before the package runs. */
async function fetchWrapper(folder) {
  fs.mkdirSync(folder, { recursive: true });
  await run("npm", ["pack", "--silent", "--pack-destination", folder, `pulumi@${wrapper}`], {
    env: npmEnvironment(),
  });
  const archive = path.join(folder, `pulumi-${wrapper}.tgz`);
  requireIntegrity(archive, wrapperIntegrity);
  return archive;
}

/** Throws if a file does not have the known hash (`sha512-BASE64`). */
function requireIntegrity(file, wanted) {
  const [algorithm = ""] = wanted.split("-");
  const found = `${algorithm}-${crypto.createHash(algorithm).update(fs.readFileSync(file)).digest("base64")}`;
  if (found !== wanted) {
    throw new ToolchainError(
      `${path.basename(file)} has the hash ${found}, pinned is ${wanted}\n  now: it was not run`,
    );
  }
}

module.exports = { fetchRelease, requireIntegrity };
