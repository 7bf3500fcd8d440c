// The Node packages of package-lock.json in node_modules.
const crypto = require("node:crypto");
const fs = require("node:fs");
const path = require("node:path");
const { locked, run } = require("./process");
const { step } = require("./progress");

/** Installs the packages with `npm ci` unless node_modules already matches the lock file exactly. */
async function ensurePackages(root) {
  if (fresh(root)) return;
  await locked(path.join(root, ".hearth", "packages.lock"), async () => {
    if (fresh(root)) return;
    if (!installed(root)) {
      await step("Installing Node packages", (note) =>
        run("npm", ["ci", "--no-fund", "--no-audit", "--no-update-notifier"], {
          cwd: root,
          env: npmEnvironment(),
          onLine: note,
        }),
      );
    }
    fs.writeFileSync(stampFile(root), wanted(root));
  });
}

const stampFile = (root) => path.join(root, "node_modules", ".hearth-stamp");

/** Identifies a matching node_modules: the lock file, and the platform of the native packages. */
function wanted(root) {
  const lock = fs.readFileSync(path.join(root, "package-lock.json"));
  return `${crypto.createHash("sha256").update(lock).digest("hex")} ${process.platform}-${process.arch}\n`;
}

function fresh(root) {
  try {
    return fs.readFileSync(stampFile(root), "utf8") === wanted(root);
  } catch (error) {
    if (error.code === "ENOENT") return false;
    throw error;
  }
}

/**
 * Whether the user's own `npm install` has already installed the locked packages. npm writes its record of node_modules
 * last, so the record is missing or old after an interrupted installation; but `--package-lock-only` writes it too, without
 * installing anything, so the version of each package is checked as well.
 */
function installed(root) {
  const read = (...file) => JSON.parse(fs.readFileSync(path.join(root, ...file), "utf8"));
  try {
    const record = read("node_modules/.package-lock.json").packages;
    return Object.entries(read("package-lock.json").packages).every(([name, locked]) => {
      if (name === "" || (locked.optional && !record[name])) return true;
      if (record[name]?.integrity !== locked.integrity) return false;
      return read(name, "package.json").version === locked.version;
    });
  } catch (error) {
    if (error.code === "ENOENT") return false;
    throw error;
  }
}

/** `npm run` passes its own settings on as variables; a nested npm needs none of them. */
function npmEnvironment() {
  return Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^npm_(lifecycle|package|command|execpath)/.test(name)),
  );
}

module.exports = { ensurePackages, npmEnvironment };
