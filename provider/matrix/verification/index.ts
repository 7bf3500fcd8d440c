import { compare } from "../../protocol/diff";
import { ProviderError } from "../../protocol/errors";
import type { Call, Checked, Difference, Resource, State } from "../../protocol/resource";
import { parse } from "../../protocol/shape";
import { isObject, type Properties, revealAll, toProperties, UNKNOWN } from "../../protocol/values";
import { verificationShape, withPorts } from "./inputs";
import { observeHost } from "./observe";
import { report } from "./report";
import { verify } from "./run";

/**
 * The checks from outside as a resource: they run when it is made and whenever an input changed. A failing check fails the
 * update, so the state keeps the old inputs and the next `up` checks again. Nothing is looked at in previews or on Read.
 */
class Verification implements Resource {
  check(_olds: Properties, news: Properties): Checked {
    const faults: string[] = [];
    verificationShape.check(revealAll(news), "", faults);
    // The checked value has lost its secret wrappers (sudo password); what goes on is what came.
    return { inputs: news, faults };
  }

  diff(olds: Properties, news: Properties): Difference {
    return { details: compare(verified(withPorts(olds)), verified(news)) };
  }

  async create(call: Call, inputs: Properties): Promise<{ id: string; outputs: Properties }> {
    return { id: call.name, outputs: await this.run(call, inputs) };
  }

  async read(_call: Call, state: State): Promise<State> {
    return state;
  }

  update(call: Call, _state: State, news: Properties): Promise<Properties> {
    return this.run(call, news);
  }

  async delete(): Promise<void> {}

  private async run(call: Call, properties: Properties): Promise<Properties> {
    if (call.preview) return { results: UNKNOWN };
    const inputs = parse(verificationShape, revealAll(properties), `the inputs of ${call.name}`);
    await call.log.step(`checking ${inputs.serverName} from outside`);
    const observe = () => observeHost(inputs, call.signal);
    const results = await verify(inputs, { observe, signal: call.signal });
    if (call.signal.aborted) throw new ProviderError("ABORTED", "the verification was cancelled");
    const text = report(inputs.serverName, results);
    if (results.some((result) => result.result === "fail")) throw new ProviderError("ABORTED", text);
    await call.log.info(text);
    return toProperties({ results });
  }
}

/** What a change of is a reason to verify again: not how the host and the database on it are reached. */
function verified({ connection: _, database, renewal, ...others }: Properties): Properties {
  const rest = { ...others, renewal: isObject(renewal) ? (renewal.argv ?? null) : null };
  if (!isObject(database)) return { ...rest, database: database ?? null };
  const { console: __, ...same } = database;
  return { ...rest, database: same };
}

export const verification: Resource = new Verification();
