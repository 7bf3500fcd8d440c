import type { Call } from "../protocol/resource";
import { hasUnknown, isObject, type Properties } from "../protocol/values";
import { warnOffline } from "../transport/offline";
import { observe } from "./observe";
import { observedInputs } from "./observed";
import { requireUnoccupied } from "./obstacles";
import { plannedOutputs } from "./outputs";
import { requireFree } from "./ownership";
import { announcedElsewhere, broughtLines, withoutPackages } from "./packages";
import { planLine } from "./plan";
import { lockText, parseInputs } from "./read";
import { wrapInputs } from "./secrets";

/** Paths named in the adoption note. */
const LISTED = 8;

/** A create in a preview: looks whether it could, says what it would do. */
export async function previewCreate(call: Call, inputs: Properties): Promise<Properties> {
  const { connection } = inputs;
  const look = knownPart(inputs);
  if (!look || !isObject(connection)) {
    await call.log.info("not compared with the host: how to reach it is not known yet");
    return plannedOutputs(inputs);
  }
  const wanted = parseInputs(look);
  if (call.offline) {
    await warnOffline(call, wanted.connection.name);
    return plannedOutputs(inputs);
  }
  const seen = await observe(call, wanted, undefined, {});
  if (seen.lock) await call.log.warning(lockText(wanted.connection.name, seen.lock));
  requireFree(wanted, seen, call.urn);
  requireUnoccupied(wanted, seen);
  const host = wanted.connection.name;
  const missing = [...seen.packages].filter(([, version]) => version === undefined).map(([name]) => name);
  const brought = seen.brings === "unknown" ? [] : seen.brings.map(({ name }) => name);
  const elsewhere = announcedElsewhere(host, call.urn, [...missing, ...brought]);
  const lines = [
    planLine(wrapInputs(observedInputs(wanted, seen)), withoutPackages(inputs, elsewhere)),
    ...broughtLines(seen, elsewhere),
  ];
  if (seen.release) {
    lines.push(
      `release ${JSON.stringify(wanted.release)} exists on ${host} already (generation ${seen.release.generation}) and is taken over`,
    );
  }
  if (seen.foreign.length > 0) lines.push(adoption(seen.foreign));
  await call.log.info(lines.join("\n"));
  return plannedOutputs(inputs);
}

function adoption(paths: string[]): string {
  const more = paths.length > LISTED ? ` and ${paths.length - LISTED} more` : "";
  return `exists already, belongs to nobody and is taken over: ${paths.slice(0, LISTED).join(", ")}${more}`;
}

/** The inputs without what is not known yet; undefined when the host itself is not known. */
function knownPart(inputs: Properties): Properties | undefined {
  const { connection, release, scope } = inputs;
  if ([connection, release, scope].some((value) => hasUnknown(value ?? null))) return undefined;
  const known = Object.entries(inputs)
    .filter(([, value]) => isObject(value) || !hasUnknown(value))
    .map(([key, value]) => [key, isObject(value) && hasUnknown(value) ? knownEntries(value) : value]);
  return Object.fromEntries(known);
}

function knownEntries(map: Properties): Properties {
  return Object.fromEntries(Object.entries(map).filter(([, value]) => !hasUnknown(value)));
}
