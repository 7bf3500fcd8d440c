import type { HostUnit, ReleaseInputs } from "../../../contract/release";
import { flag, list, object, oneOf, optional, record } from "../../../protocol/shape";
import { pick } from "../maps";
import { noun } from "../noun";
import { table } from "../tables";
import { line, unitName } from "./words";

export interface UnitsSeen {
  units: Map<string, { enabled: string; active: string; sub: string }>;
  /** What the units were not started with yet, in the spelling of their lists, `package:NAME` besides. */
  pending: string[];
}

const unit = object<HostUnit>({
  adopt: optional(flag),
  enabled: flag,
  state: oneOf("running", "stopped"),
  restartOn: list(line("what restarts the unit"), { sorted: true }),
  reloadOn: list(line("what reloads the unit"), { sorted: true }),
  along: optional(list(unitName, { sorted: true })),
});

export const units = noun<"units", UnitsSeen>({
  name: "units",
  shape: record(unitName, unit),
  request: (inputs) => {
    const all = Object.entries(inputs.units);
    return [
      table(
        "units",
        all.map(([name, one]) => [name, one.enabled ? "1" : "0", one.state]),
      ),
      table(
        "triggers",
        all.flatMap(([name, one]) => [
          ...one.restartOn.map((subject) => [name, "restart", subject]),
          ...one.reloadOn.map((subject) => [name, "reload", subject]),
          ...(one.along ?? []).map((other) => [name, "along", other]),
        ]),
      ),
      table(
        "adopted",
        all.filter(([, one]) => one.adopt).map(([name]) => [name]),
      ),
    ];
  },
  empty: () => ({ units: new Map(), pending: [] }),
  rows: {
    unit: (seen, { key, second, third, fourth }) => {
      seen.units.set(key, { enabled: second, active: third, sub: fourth });
    },
    pending: (seen, { key }) => seen.pending.push(key),
  },
  observed: (inputs, seen) => pick(inputs.units, (name, one) => observedUnit(name, one, seen, inputs)),
  told: true,
  internal: ["(?:restartOn|reloadOn)"],
});

const ENABLED = ["enabled", "enabled-runtime", "alias", "linked"];
/** Units that cannot be enabled or disabled by themselves: nothing to be wrong about. */
const NEITHER = ["static", "indirect", "generated", "transient"];

function observedUnit(name: string, wanted: HostUnit, seen: UnitsSeen, inputs: ReleaseInputs): HostUnit {
  const found = seen.units.get(name) ?? { enabled: "-", active: "-", sub: "-" };
  const itself = enablesItself(name, found.enabled, inputs);
  const enabled = itself ? wanted.enabled : ENABLED.includes(found.enabled);
  return { ...wanted, enabled, state: isRunning(found, wanted) ? "running" : "stopped" };
}

/** Hearth has nothing to do: it cannot be enabled, or it comes with a package, which does that (or a generator) itself. */
function enablesItself(name: string, enabled: string, { files }: ReleaseInputs): boolean {
  if (enabled !== "-") return NEITHER.includes(enabled);
  const own = [name, name.replace(/@.*\./, "@.")];
  return !Object.keys(files).some((path) => own.includes(path.slice(path.lastIndexOf("/") + 1)));
}

function isRunning({ active, sub }: { active: string; sub: string }, wanted: HostUnit): boolean {
  // Between two crashes systemd calls a service activating.
  if (active === "activating") return sub !== "auto-restart" && wanted.state === "running";
  return active === "active" || active === "reloading";
}
