// Prepares a checkout before its programs run: Node packages, a Pulumi engine, and the environment to use them.
const fs = require("node:fs");
const path = require("node:path");
const crypto = require("node:crypto");
const { ensurePackages } = require("./packages");
const { ToolchainError, endChildrenOnSignals } = require("./process");
const { ensurePulumi } = require("./pulumi-cli");
const { atLeast } = require("./versions");

const root = path.dirname(__dirname);
const oldestNode = "20.20.0";

/**
 * Installs missing parts and returns the variables to set: PATH with the engine's directory first and, if the user has
 * not set them, no update check and this checkout's own passphrase file, so that the engine does not ask for one.
 * @param {{engine?: boolean}} options false skips the engine: only Node packages, and no variables
 * @returns {Promise<Record<string, string>>}
 */
async function ensure({ engine = true } = {}) {
  if (!atLeast(process.version, oldestNode)) {
    throw new ToolchainError(
      `Node ${process.version} is too old\n  fix: install ${oldestNode} or newer (https://nodejs.org)`,
    );
  }
  privateFolder(path.join(root, ".hearth"));
  await ensurePackages(root);
  return engine ? environment(await ensurePulumi(root)) : {};
}

function environment(cli) {
  const bin = path.dirname(cli);
  const dirs = (process.env.PATH ?? "").split(path.delimiter);
  const variables = { PATH: [bin, ...dirs.filter((dir) => dir !== bin)].join(path.delimiter) };
  const set = (name, value) => {
    if (process.env[name] === undefined) variables[name] = value;
  };
  set("PULUMI_SKIP_UPDATE_CHECK", "true");
  // A plugin is fetched when a resource first needs it, not for every @pulumi package that some language host finds.
  set("PULUMI_OPTION_SKIP_PLUGIN_PRE_INSTALL", "true");
  const { PULUMI_CONFIG_PASSPHRASE: own, PULUMI_CONFIG_PASSPHRASE_FILE: ownFile } = process.env;
  if (own === undefined && ownFile === undefined) variables.PULUMI_CONFIG_PASSPHRASE_FILE = passphraseFile();
  return variables;
}

/** Only the owner may read state, passphrase and passwords of sandbox servers; this also restricts files of earlier versions. */
function privateFolder(folder) {
  fs.mkdirSync(folder, { recursive: true, mode: 0o700 });
  const { mode, uid } = fs.statSync(folder);
  if ((mode & 0o077) !== 0 && uid === process.getuid?.()) fs.chmodSync(folder, 0o700);
}

/** A random passphrase, created once per checkout and readable by its owner only. */
function passphraseFile() {
  const file = path.join(root, ".hearth", "passphrase");
  if (!fs.existsSync(file)) {
    const temporary = `${file}.${process.pid}`;
    fs.writeFileSync(temporary, `${crypto.randomBytes(24).toString("base64url")}\n`, { mode: 0o600 });
    try {
      // A link does not overwrite: if two first runs happen at once, both use the same passphrase.
      fs.linkSync(temporary, file);
    } catch (error) {
      if (error.code !== "EEXIST") throw error;
    }
    fs.rmSync(temporary);
  }
  return file;
}

/**
 * Runs an entry program: signals end its steps, and errors that the user can fix print only their message.
 * @param {(release: () => void) => Promise<void>} main gets the function that restores the default handling of signals
 */
async function entry(main) {
  const release = endChildrenOnSignals();
  try {
    await main(release);
  } catch (error) {
    if (!(error instanceof ToolchainError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 1;
  }
}

module.exports = { ensure, entry, privateFolder, root };
