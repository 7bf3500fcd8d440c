import { randomUUID } from "node:crypto";
import type { ReleaseInputs, ReleaseOutputs } from "../../contract/release";
import { ProviderError } from "../../protocol/errors";
import type { Call } from "../../protocol/resource";
import type { CallFile } from "../../transport/bootstrap";
import { hostSession } from "../../transport/session";
import { type Answer, parseObservation } from "./answer";
import { Follower } from "./follow";
import { digestOf, installedVersions, knownFingerprints, madeFingerprints, publishedFacts } from "./outputs";
import { contentFiles, observeFiles } from "./request";
import { wrapInputs } from "./secrets";
import { failure, notes, summary } from "./verdict";

export interface ApplyOptions {
  /** Outputs of the state; absent on create. */
  outputs?: ReleaseOutputs;
  /** Restart the units although nothing they depend on changes: a probe failed when the host was last looked at. */
  repair: boolean;
}

/** Makes a release so on its host, as one transaction there; throws what the operator needs to know when it did not. */
export function applyRelease(
  call: Call,
  inputs: ReleaseInputs,
  options: ApplyOptions,
): Promise<ReleaseOutputs> {
  // The host takes one change at a time; waiting here keeps the others from occupying connections.
  return hostSession(inputs.connection).exclusive(async () => {
    const wanted = options.repair ? withRepair(inputs) : inputs;
    const apply = randomUUID();
    const follower = new Follower(call, wanted, apply);
    const log = await follower.follow(requestFor(call, wanted, options.outputs, apply));
    if (log.end !== "ok") throw failure(inputs, log, follower.overtime);
    const outputs = appliedOutputs(inputs, log);
    const title = `${inputs.release} on ${inputs.connection.name}`;
    for (const note of notes(log)) await call.log.info(`${title}: ${note}`);
    await call.log.info(`${title}: ${summary(log)}`);
    return outputs;
  });
}

function requestFor(
  call: Call,
  inputs: ReleaseInputs,
  outputs: ReleaseOutputs | undefined,
  apply: string,
): CallFile[] {
  const meta = { urn: call.urn, instance: outputs?.instance, apply };
  return [...observeFiles(inputs, meta, knownFingerprints(inputs, outputs)), ...contentFiles(inputs)];
}

/** A revision that no state ever holds makes the running units restart. */
function withRepair(inputs: ReleaseInputs): ReleaseInputs {
  const subject = "hearth-repair";
  const units = Object.entries(inputs.units).map(([name, unit]) =>
    unit.state === "running"
      ? [name, { ...unit, restartOn: [...unit.restartOn, `revision:${subject}`] }]
      : [name, unit],
  );
  return {
    ...inputs,
    units: Object.fromEntries(units),
    revisions: { ...inputs.revisions, [subject]: randomUUID() },
  };
}

function appliedOutputs(inputs: ReleaseInputs, log: Answer): ReleaseOutputs {
  const seen = parseObservation(log.rows);
  if (!seen.release) {
    throw new ProviderError(
      "INTERNAL",
      `${inputs.connection.name} applied release ${JSON.stringify(inputs.release)} and did not say which instance it is; please report it`,
    );
  }
  return {
    instance: seen.release.instance,
    generation: seen.release.generation,
    digest: digestOf(wrapInputs(inputs)),
    packageVersions: installedVersions(seen),
    fingerprints: madeFingerprints(inputs, seen),
    ...publishedFacts(inputs, seen),
  };
}
