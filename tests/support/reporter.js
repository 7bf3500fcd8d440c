// After a run on hosts: the ten slowest files, and the parts of their time. HEARTH_RECORD_SECONDS=1 records the times that
// order the next runs (sequencer.js), of unit tests only the long ones.
const fs = require("node:fs");
const os = require("node:os");
const path = require("node:path");

const root = path.resolve(__dirname, "../..");
const RECORD = path.join(__dirname, "seconds.json");
const KINDS = ["boot", "deploy", "engine", "waiting"];
const SHOWN = 10;
/** Unit tests are recorded from so many seconds on. */
const LONG = 3;

const onHosts = ({ file }) => /\.(provider|e2e)\.test\.ts$/.test(file);
const seconds = (number) => `${number.toFixed(0)} s`.padStart(8);
const sum = (rows, key) => rows.reduce((total, row) => total + row[key], 0);

class SlowestFiles {
  onRunStart() {
    // Workers inherit the variable and add a line for each file.
    this.file = path.join(fs.mkdtempSync(path.join(os.tmpdir(), "hearth-spent-")), "lines");
    process.env.HEARTH_TEST_SPENT = this.file;
  }

  onRunComplete(_contexts, results) {
    const spent = this.readSpent();
    const rows = results.testResults
      .map(({ testFilePath, perfStats }) => ({
        file: path.relative(root, testFilePath),
        all: (perfStats.end - perfStats.start) / 1000,
        ...(spent.get(testFilePath) ?? Object.fromEntries(KINDS.map((kind) => [kind, 0]))),
      }))
      .sort((a, b) => b.all - a.all);
    const hosts = rows.filter(onHosts);
    if (hosts.length > 1) process.stdout.write(tableOf(hosts));
    if (process.env.HEARTH_RECORD_SECONDS === "1")
      record(rows.filter((row) => onHosts(row) || row.all >= LONG));
  }

  readSpent() {
    const text = fs.existsSync(this.file) ? fs.readFileSync(this.file, "utf8") : "";
    fs.rmSync(path.dirname(this.file), { recursive: true, force: true });
    const lines = text
      .split("\n")
      .filter(Boolean)
      .map((line) => JSON.parse(line));
    return new Map(lines.map(({ file, ...kinds }) => [file, kinds]));
  }
}

/** Parallel work in one file counts twice. */
function tableOf(rows) {
  const line = (row, name) =>
    `${[row.all, ...KINDS.map((kind) => row[kind])].map(seconds).join(" ")}  ${name}`;
  const total = Object.fromEntries(["all", ...KINDS].map((key) => [key, sum(rows, key)]));
  return [
    `\nThe slowest of ${rows.length} files on hosts:`,
    ["whole", ...KINDS].map((word) => word.padStart(8)).join(" "),
    ...rows.slice(0, SHOWN).map((row) => line(row, row.file)),
    line(total, "all files"),
    "",
  ].join("\n");
}

function record(rows) {
  const known = JSON.parse(fs.readFileSync(RECORD, "utf8"));
  for (const { file, all } of rows) known[file] = Math.round(all);
  const kept = Object.entries(known).filter(([file]) => fs.existsSync(path.join(root, file)));
  fs.writeFileSync(RECORD, `${JSON.stringify(Object.fromEntries(kept.sort()), null, 2)}\n`);
}

module.exports = SlowestFiles;
