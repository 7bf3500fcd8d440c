import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { triggerOf } from "../../../../provider/machine/release/plan";
import { drawnCases, TRIGGERS, type TriggerCase } from "./triggers";

const UNITS_SH = join(__dirname, "../../../../provider/machine/programs/lib/units.sh");

type Question = Omit<TriggerCase, "verb">;

/** What the plan says. */
const planned = ({ unit, restartOn = [], reloadOn = [], changed }: Question) =>
  triggerOf(unit, { restartOn, reloadOn }, new Set(changed));

/** What the host's own program says, for all of them in one shell. */
function decided(cases: readonly Question[]): (string | undefined)[] {
  const rows = cases.map(({ unit, restartOn = [], reloadOn = [], changed }) => {
    const triggers = [
      ...restartOn.map((subject) => `${unit}\trestart\t${subject}`),
      ...reloadOn.map((subject) => `${unit}\treload\t${subject}`),
    ];
    return [unit, lines(triggers), lines(changed)].join("\0");
  });
  // Three words a case: the unit, its rows of the table `triggers`, what changed.
  const script = `
set -eu
DIR=$(mktemp -d); trap 'rm -r -- "$DIR"' EXIT
table() { printf '%s' "$DIR/$1"; }
. "$1"
shift
while [ $# -gt 0 ]; do
  printf '%s' "$2" >"$DIR/triggers"; printf '%s' "$3" >"$DIR/changed"
  printf '%s;' "$(trigger_of "$1")"
  shift 3
done`;
  const words = rows.flatMap((row) => row.split("\0"));
  const said = execFileSync("sh", ["-c", script, "sh", UNITS_SH, ...words], { encoding: "utf8" });
  return said
    .split(";")
    .slice(0, -1)
    .map((verb) => (verb === "" ? undefined : verb));
}

const lines = (all: readonly string[]) => all.map((line) => `${line}\n`).join("");

it.each(TRIGGERS)("[A1] $what: the plan says $verb", (row) => {
  expect(planned(row)).toBe(row.verb);
});

it("[A1] the host decides every case of the table as the plan says", () => {
  const verbs = decided(TRIGGERS);
  expect(TRIGGERS.map(({ what }, index) => [what, verbs[index]])).toEqual(
    TRIGGERS.map(({ what, verb }) => [what, verb]),
  );
});

it("[A1] plan and host agree on cases that nobody thought of", () => {
  const seed = Number(process.env.HEARTH_SEED ?? Date.now() % 1_000_000);
  const cases = drawnCases(400, seed);
  const verbs = decided(cases);
  const differing = cases.flatMap((row, index) =>
    planned(row) === verbs[index] ? [] : [{ seed, ...row, planned: planned(row), decided: verbs[index] }],
  );
  expect(differing).toEqual([]);
  expect(new Set(verbs).size).toBe(3);
});
