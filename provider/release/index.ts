import type { Call, Resource, State } from "../protocol/resource";
import { hasUnknown, isObject, type Properties } from "../protocol/values";
import { applyRelease } from "./apply";
import { checkRelease } from "./check";
import { deleteRelease } from "./delete";
import { diffRelease, onlyConnection, touchesConnection } from "./diff";
import { observe } from "./observe";
import { lookForObstacles } from "./obstacles";
import { digestOf, outputProperties, parseOutputs, updatedOutputs } from "./outputs";
import { requireKnown, requireSameIdentity, requireSameScope } from "./ownership";
import { planLine } from "./plan";
import { previewCreate } from "./preview";
import { isAiling, parseInputs, readRelease } from "./read";

/** Everything one service puts on one host, applied as one transaction. */
export const release: Resource = {
  check: checkRelease,
  diff: (olds, news) => ({ details: diffRelease(olds, news) }),
  create: createRelease,
  read: readRelease,
  update: updateRelease,
  delete: deleteRelease,
};

async function createRelease(call: Call, inputs: Properties): Promise<{ id: string; outputs: Properties }> {
  if (call.preview) return { id: "", outputs: await previewCreate(call, inputs) };
  const wanted = parseInputs(inputs);
  const outputs = await applyRelease(call, wanted, { repair: false });
  return { id: `${wanted.connection.name}/${wanted.release}`, outputs: outputProperties(outputs) };
}

async function updateRelease(call: Call, state: State, news: Properties): Promise<Properties> {
  const details = diffRelease(state.inputs, news);
  const host = isObject(news.connection) ? String(news.connection.name) : "the host";
  requireSameIdentity(state.inputs, news, host);
  requireSameScope(state.inputs, news, host);
  if (touchesConnection(details)) await lookOverNewWay(call, state, news);
  if (onlyConnection(details)) return connectionOnly(call, state, news);
  const repair = isAiling(call.urn);
  if (call.preview) {
    if (details.size > 0) await lookForObstacles(call, state, news);
    await call.log.info(plannedText(state, news, repair && details.size === 0));
    return updatedOutputs(state.outputs, state.inputs, news);
  }
  return outputProperties(
    await applyRelease(call, parseInputs(news), { outputs: parseOutputs(state.outputs), repair }),
  );
}

/** Does the new way lead to what the state knows? Offline, the operator answers for that. */
async function lookOverNewWay(call: Call, state: State, news: Properties): Promise<void> {
  if (call.offline || hasUnknown(news)) return;
  const wanted = parseInputs(news);
  requireKnown(wanted, await observe(call, wanted, parseOutputs(state.outputs).instance, {}));
}

/** What the update will do, and which part of it puts right what somebody did by hand. */
function plannedText({ inputs, outputs }: State, news: Properties, onlyRepair: boolean): string {
  const plan = onlyRepair ? "will restart its units: a probe fails" : planLine(inputs, news);
  const drift = Array.isArray(outputs.drift) ? outputs.drift : [];
  return [plan, ...drift.map((line) => `  ${line}`)].join("\n");
}

/** Another way to the same host: nothing on it changes. */
async function connectionOnly(call: Call, state: State, news: Properties): Promise<Properties> {
  if (call.preview) await call.log.info("only the way to the host changes; nothing on it does");
  const { drift: _, ...outputs } = state.outputs;
  return { ...outputs, digest: hasUnknown(news) ? (outputs.digest ?? "") : digestOf(news) };
}
