import type { ReleaseInputs } from "../../contract/release";
import { ProviderError } from "../../protocol/errors";
import type { Call, State } from "../../protocol/resource";
import { hasUnknown, isObject, type Properties } from "../../protocol/values";
import { warnOffline } from "../../transport/offline";
import type { Observation } from "./answer";
import { type EntryPlan, entryLines, line } from "./entries";
import { keysOf } from "./maps";
import { observe } from "./observe";
import { observedInputs } from "./observed";
import { requireUnoccupied } from "./obstacles";
import { knownFingerprints, parseOutputs, plannedOutputs } from "./outputs";
import { requireFree, requireUnclaimed } from "./ownership";
import { announcedElsewhere, broughtLines, withoutPackages } from "./packages";
import { planLine } from "./plan";
import { ailmentOf, lockText, parseInputs } from "./read";
import { wrapInputs } from "./secrets";
import { fileLines, filePlan, fileTexts, hostView } from "./texts";

/** A task whose observed state begins like this says that it can never be as wanted, and why. */
const REFUSED = "refused: ";

/** A create in a preview: looks whether it could, says what it would do. */
export async function previewCreate(call: Call, inputs: Properties): Promise<Properties> {
  const wanted = await comparable(call, inputs);
  if (!wanted) return plannedOutputs(inputs);
  const seen = await observe(call, wanted, undefined, {});
  if (seen.lock) await call.log.warning(lockText(wanted.connection.name, seen.lock));
  requireFree(wanted, seen, call.urn);
  const { release, connection } = wanted;
  const takenOver = seen.release
    ? [
        `release ${JSON.stringify(release)} exists on ${connection.name} already (generation ${seen.release.generation}) and is taken over`,
      ]
    : [];
  await tell(call, { wanted, seen, olds: {}, news: inputs }, takenOver);
  return plannedOutputs(inputs);
}

/** An update in a preview: the host is asked about what is wanted, not only about what was. */
export async function previewUpdate(
  call: Call,
  { inputs: olds, outputs }: State,
  news: Properties,
): Promise<void> {
  const drift = Array.isArray(outputs.drift) ? outputs.drift.map(String) : [];
  const wanted = await comparable(call, news);
  if (!wanted) {
    const plan = { olds, there: olds, news };
    const files = fileLines(filePlan(plan, { originals: new Map() }));
    await call.log.info(message(news, planLine(olds, news), [...entryLines(plan), ...files, ...drift]));
    return;
  }
  const known = parseOutputs(outputs);
  const seen = await observe(call, wanted, known.instance, knownFingerprints(wanted, known));
  requireUnclaimed(wanted, seen);
  await tell(call, { wanted, seen, olds, news }, drift);
}

interface Compared {
  wanted: ReleaseInputs;
  seen: Observation;
  olds: Properties;
  news: Properties;
}

/** Says what will happen: first what others notice, then every entry, then (where lines are shown) the texts of whole files. */
async function tell(call: Call, { wanted, seen, olds, news }: Compared, more: string[]): Promise<void> {
  requirePossible(wanted, seen);
  requireUnoccupied(wanted, seen);
  const there = wrapInputs(observedInputs(wanted, seen));
  const plan: EntryPlan = { olds, there, news };
  const ailment = ailmentOf(call.urn);
  const circumstances = {
    pending: seen.pending,
    repair: ailment !== undefined || isInterrupted(wanted, seen),
  };
  const files = filePlan(plan, seen);
  const elsewhere = announcedElsewhere(wanted.connection.name, call.urn, newPackages(seen));
  const lines = [
    ...line("because", [...(ailment === undefined ? [] : [ailment])]),
    ...broughtLines(seen, elsewhere),
    ...entryLines(plan),
    ...fileLines(files),
    ...adoption(seen.foreign),
    ...checks(news),
    ...more,
  ];
  const alone = withoutPackages(news, elsewhere);
  const sentence = clearing(seen) + planLine(hostView(olds, news, there), alone, circumstances);
  const texts = fileTexts(plan, seen, files);
  // Kept nowhere and so shown with --diff only: in the other view a whole release would hide everything else.
  if (texts.length > 0) await call.log.step([`${title(news)}: files that come and go`, ...texts].join("\n"));
  await call.log.info(message(news, sentence, lines));
}

/** What apt installs for the release, and what comes along. */
function newPackages({ packages, brings }: Observation): string[] {
  const missing = [...packages].filter(([, version]) => version === undefined).map(([name]) => name);
  return [...missing, ...(brings === "unknown" ? [] : brings.map(({ name }) => name))];
}

/** Refuses what an apply would refuse, as far as a look can know. */
function requirePossible({ release, connection }: ReleaseInputs, seen: Observation): void {
  const refusals = [...seen.tasks].filter(([, state]) => state.startsWith(REFUSED));
  const problems = [
    ...seen.blocked.map((text) => `  ${text}`),
    ...refusals.map(([name, state]) => `  task ${name}: ${state.slice(REFUSED.length)}`),
  ];
  if (problems.length === 0) return;
  throw new ProviderError(
    "FAILED_PRECONDITION",
    `release ${JSON.stringify(release)} cannot be made on ${connection.name} as the stack says\n${problems.join("\n")}
  now: nothing was changed on ${connection.name}`,
  );
}

function isInterrupted({ release }: ReleaseInputs, { journal }: Observation): boolean {
  return journal !== undefined && journal.state !== "preparing" && ["-", release].includes(journal.release);
}

/** What comes first when an earlier change was cut off. */
function clearing({ journal }: Observation): string {
  if (!journal || journal.state === "preparing") return "";
  const how = journal.state === "recording" ? "finishes" : "undoes";
  return `first ${how} the change of release ${journal.release} that was cut off, then `;
}

function adoption(paths: string[]): string[] {
  return line(
    "exists already, belongs to nobody (kept, and given back on removal) and is taken over:",
    paths,
  );
}

/** Consumers read staged files, which a preview does not write. */
function checks(news: Properties): string[] {
  return line("checked in pulumi up only, before anything is replaced:", keysOf(news.validators).sort());
}

function message(news: Properties, sentence: string, lines: string[]): string {
  return [`${title(news)}: ${sentence}`, ...lines.map((text) => `  ${text}`)].join("\n");
}

/** `homeserver on vps`. */
function title({ release, connection }: Properties): string {
  return `${String(release)} on ${isObject(connection) ? String(connection.name) : "a host"}`;
}

/** The part of the inputs that the host can be asked about; undefined, and said why, when it cannot. */
async function comparable(call: Call, inputs: Properties): Promise<ReleaseInputs | undefined> {
  const { connection } = inputs;
  const look = knownPart(inputs);
  if (!look || !isObject(connection)) {
    await call.log.info("not compared with the host: how to reach it is not known yet");
    return undefined;
  }
  const wanted = parseInputs(look);
  if (!call.offline) return wanted;
  await warnOffline(call, wanted.connection.name);
  return undefined;
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
