import type { ReleaseInputs, ReleaseOutputs } from "../../contract/release";
import { ProviderError } from "../../protocol/errors";
import type { Call, State } from "../../protocol/resource";
import { parse } from "../../protocol/shape";
import { type Properties, revealAll } from "../../protocol/values";
import { warnOffline } from "../../transport/offline";
import type { Observation } from "./answer";
import { withoutGone } from "./diff";
import { observe } from "./observe";
import { observedInputs } from "./observed";
import {
  installedVersions,
  knownFingerprints,
  madeFingerprints,
  outputProperties,
  parseOutputs,
  publishedFacts,
} from "./outputs";
import { wrapInputs } from "./secrets";
import { releaseShape } from "./shape";

/** Releases that the last Read of this process found not working, and why: their next update restarts their units. */
const ailing = new Map<string, string>();

/** Why the units of a release are to restart although nothing about them changes. */
export function ailmentOf(urn: string): string | undefined {
  return ailing.get(urn);
}

/** Asks the probes that failed once more: what works by now needs no restart. */
export async function isStillAiling(call: Call, state: State): Promise<boolean> {
  if (!ailing.has(call.urn)) return false;
  const inputs = parseInputs(state.inputs);
  const { instance } = parseOutputs(state.outputs);
  return failures(await observe(call, inputs, instance, {})).length > 0;
}

/** The probes that do not say `ok`, with what was seen instead. */
function failures({ health }: Observation): string[] {
  return [...health]
    .filter(([, result]) => result !== "ok")
    .map(([name, result]) => `probe ${name} ${result}`);
}

/** Inputs that hold no unknowns, as typed value. */
export function parseInputs(inputs: Properties): ReleaseInputs {
  return parse(releaseShape, revealAll(withoutGone(inputs)), "the inputs of the release");
}

/** What is on the host now, as the inputs and outputs it would have come from. */
export async function readRelease(call: Call, state: State): Promise<State | undefined> {
  if (Object.keys(state.inputs).length === 0) throw importRefused(state.id);
  const inputs = parseInputs(state.inputs);
  if (call.offline) {
    await warnOffline(call, inputs.connection.name);
    return state;
  }
  const outputs = parseOutputs(state.outputs);
  const seen = await observe(call, inputs, outputs.instance, knownFingerprints(inputs, outputs));
  if (seen.lock) await call.log.warning(lockText(inputs.connection.name, seen.lock));
  if (isGone(call.urn, outputs, seen)) {
    await call.log.warning(goneText(inputs, seen));
    return undefined;
  }
  const observed = observedInputs(inputs, seen);
  const unhealthy = ailments(inputs, observed, seen);
  if (unhealthy.length > 0 && !seen.journal) ailing.set(call.urn, failures(seen).join(", "));
  else ailing.delete(call.urn);
  return {
    id: state.id,
    inputs: wrapInputs(observed),
    outputs: outputProperties(observedOutputs(inputs, outputs, seen)),
    unhealthy,
  };
}

/** The host was reached, answered completely, and knows no such release or another resource's. */
function isGone(urn: string, outputs: ReleaseOutputs, seen: Observation): boolean {
  if (seen.release) return seen.release.instance !== outputs.instance && seen.release.urn !== urn;
  return !seen.lock && !seen.journal;
}

function goneText({ release, connection, scope }: ReleaseInputs, seen: Observation): string {
  const where = `${release} on ${connection.name}`;
  if (seen.release) return `${where}: belongs to another resource there by now`;
  const records = scope === "user" ? "~/.local/state/hearth" : "/var/lib/hearth";
  return `${where}: no record of it is left in ${records} there (removed, or the host was installed again); pulumi up takes over what it finds, and what only those records held is gone: passwords made there, files from before Hearth`;
}

function observedOutputs(inputs: ReleaseInputs, outputs: ReleaseOutputs, seen: Observation): ReleaseOutputs {
  const mine = seen.journal !== undefined && ["-", inputs.release].includes(seen.journal.release);
  const why = mine ? "left by a change that was cut off" : "changed by hand";
  const drift = seen.changed.map((subject) => `${why}: ${subject}`);
  return {
    instance: seen.release?.instance ?? outputs.instance,
    generation: seen.release?.generation ?? outputs.generation,
    digest: outputs.digest,
    packageVersions: installedVersions(seen),
    fingerprints: madeFingerprints(inputs, seen),
    ...publishedFacts(inputs, seen, outputs.published),
    ...(drift.length > 0 ? { drift } : {}),
  };
}

/** What no property can show: a change that was cut off, a probe that fails although every unit is as it should be. */
function ailments(inputs: ReleaseInputs, observed: ReleaseInputs, seen: Observation): string[] {
  const { release, connection } = inputs;
  if (seen.journal) {
    return [
      `an earlier change on ${connection.name} was cut off ${seen.journal.seconds} s ago (power cut, or killed); pulumi up clears up after it first`,
    ];
  }
  // While somebody changes the host, or a unit is down (which shows by itself), a failing probe says nothing new.
  const unitDown = Object.entries(inputs.units).some(
    ([name, unit]) => observed.units[name]?.state !== unit.state,
  );
  if (seen.lock || unitDown) return [];
  return failures(seen).map((text) => `release ${JSON.stringify(release)} on ${connection.name}: ${text}`);
}

export function lockText(host: string, lock: { operator: string; seconds: number }): string {
  return `${lock.operator} has been changing ${host} for ${lock.seconds} s; what is shown here may be half of it`;
}

function importRefused(id: string): ProviderError {
  return new ProviderError(
    "FAILED_PRECONDITION",
    `a release cannot be imported (${id}): the way to its host is part of the program
  fix: leave the option import out; pulumi up takes over what is on the host already`,
  );
}
