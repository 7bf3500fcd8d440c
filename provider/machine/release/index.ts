import type { Call, Resource, State } from "../../protocol/resource";
import { hasUnknown, isObject, type Properties } from "../../protocol/values";
import { applyRelease } from "./apply";
import { checkRelease } from "./check";
import { deleteRelease } from "./delete";
import { diffRelease, onlyConnection, shownDifference, touchesConnection } from "./diff";
import { observe } from "./observe";
import { digestOf, outputProperties, parseOutputs, updatedOutputs } from "./outputs";
import { requireKnown, requireSameIdentity, requireSameScope } from "./ownership";
import { previewCreate, previewUpdate } from "./preview";
import { isStillAiling, parseInputs, readRelease } from "./read";

/** Everything one service puts on one host, applied as one transaction. */
export const release: Resource = {
  check: checkRelease,
  diff: shownDifference,
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
  if (call.preview) {
    await previewUpdate(call, state, news);
    return updatedOutputs(state.outputs, state.inputs, news);
  }
  const repair = await isStillAiling(call, state);
  const options = { outputs: parseOutputs(state.outputs), repair };
  return outputProperties(await applyRelease(call, parseInputs(news), options));
}

/** Does the new way lead to what the state knows? Offline, the operator answers for that. */
async function lookOverNewWay(call: Call, state: State, news: Properties): Promise<void> {
  if (call.offline || hasUnknown(news)) return;
  const wanted = parseInputs(news);
  requireKnown(wanted, await observe(call, wanted, parseOutputs(state.outputs).instance, {}));
}

/** Another way to the same host: nothing on it changes. */
async function connectionOnly(call: Call, state: State, news: Properties): Promise<Properties> {
  const title = `${String(news.release)} on ${isObject(news.connection) ? String(news.connection.name) : "its host"}`;
  if (call.preview) await call.log.info(`${title}: only the way to the host changes; nothing on it does`);
  const { drift: _, ...outputs } = state.outputs;
  return { ...outputs, digest: hasUnknown(news) ? (outputs.digest ?? "") : digestOf(news) };
}
