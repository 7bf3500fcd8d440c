import type { DnsRecordInputs } from "../contract/dns";
import { compare } from "../protocol/diff";
import { ProviderError } from "../protocol/errors";
import type { Call, Checked, Difference, Resource, State } from "../protocol/resource";
import { flag, integer, object, parse, text } from "../protocol/shape";
import {
  hasUnknown,
  isObject,
  type Properties,
  revealAll,
  secret,
  secretPaths,
  toProperties,
} from "../protocol/values";
import { type Found, KeyRefused, recordsOf, removeRecord, writeRecord, zoneOf } from "./api";
import { dnsRecordShape } from "./inputs";
import { driftOf, planFor } from "./observed";

/** A record is the same one as long as these stay. */
const IDENTITY = ["apiUrl", "name", "data.kind"];

/** What the state keeps to find it again, and whether it was there before us. */
interface Made {
  zone: number;
  domain: string;
  record: number;
  made: boolean;
}

const madeShape = object<Made>({
  zone: integer(0, Number.MAX_SAFE_INTEGER),
  domain: text({ write: "a domain" }),
  record: integer(0, Number.MAX_SAFE_INTEGER),
  made: flag,
});

/** A record in DNS at Dynu. Deleting the resource removes the record only if the resource made it. */
class DnsRecord implements Resource {
  /**
   * Records that a resource took over in this process. One that gets another key in the stack file is made (taken over) first
   * and deleted under its old key after that, which must not take it away.
   */
  private readonly taken = new Set<string>();
  /**
   * Resources whose state has a record, by what each says of having made it. Reading comes before all changes, so this also
   * knows what became of a new key in an earlier run that ended before the old one was deleted.
   */
  private readonly owners = new Map<string, Map<string, boolean>>();

  check(_olds: Properties, news: Properties): Checked {
    const faults = secretPaths(news)
      .filter((path) => path !== "apiKey")
      .map((path) => `${path}: is a secret, but everybody can ask for what DNS says; only apiKey is one`);
    if (faults.length > 0) return { inputs: news, faults };
    const checked = dnsRecordShape.check(revealAll(news), "", faults);
    return { inputs: isObject(checked) ? withKey(checked, news) : news, faults };
  }

  diff(olds: Properties, news: Properties): Difference {
    return { details: compare(olds, news, IDENTITY) };
  }

  async create(call: Call, inputs: Properties): Promise<{ id: string; outputs: Properties }> {
    if (call.preview && (hasUnknown(inputs) || call.offline)) return { id: "", outputs: {} };
    const wanted = typed(call, inputs);
    const zone = await zoneOf(wanted, wanted.name, call.signal);
    const plan = planFor(wanted, zone, await recordsOf(wanted, zone.id, call.signal));
    if (plan.way === "refuse") throw new ProviderError("FAILED_PRECONDITION", plan.reason);
    const known = plan.way === "take over" ? plan.id : undefined;
    const ours = known !== undefined && this.others(call, identityOf(wanted, zone.id, known)).includes(true);
    if (known !== undefined && !ours) {
      await call.log.info(
        `${wanted.name} ${wanted.data.kind} is at Dynu already and is taken over; it stays when this is removed`,
      );
    }
    if (call.preview) return { id: "", outputs: {} };
    if (known !== undefined) this.taken.add(identityOf(wanted, zone.id, known));
    const record = await writeRecord(wanted, zone, wanted, known);
    const made: Made = { zone: zone.id, domain: zone.domain, record, made: known === undefined || ours };
    this.own(call, wanted, made);
    return { id: `${zone.domain}/${record}`, outputs: toProperties(made) };
  }

  async read(call: Call, state: State): Promise<State | undefined> {
    if (state.inputs.name === undefined) throw importRefused(state.id);
    if (call.offline) return state;
    const wanted = typed(call, state.inputs);
    const made = parse(madeShape, withoutDrift(state.outputs), `the state of ${call.name}`);
    try {
      const records = await recordsOf(wanted, made.zone, call.signal);
      const found = records.find((record) => isStill(record, wanted, made));
      if (found?.data === undefined) return undefined;
      this.own(call, wanted, made);
      const drift = driftOf(wanted, found);
      const { ttl, enabled, data } = found;
      return {
        id: state.id,
        inputs: withKey({ ...state.inputs, ...toProperties({ ttl, enabled, data }) }, state.inputs),
        outputs: { ...toProperties(made), ...(drift.length > 0 ? { drift } : {}) },
      };
    } catch (error) {
      if (!(error instanceof KeyRefused)) throw error;
      // The state has the key of the last change; a new one comes with the program.
      await call.log.warning(
        `${wanted.name} was not looked at, its last known state is used: Dynu refuses the API key of the last pulumi up`,
      );
      return state;
    }
  }

  async update(call: Call, state: State, news: Properties): Promise<Properties> {
    const outputs = withoutDrift(state.outputs);
    if (call.preview) return outputs;
    const wanted = typed(call, news);
    const made = parse(madeShape, outputs, `the state of ${call.name}`);
    const zone = await zoneOf(wanted, wanted.name, call.signal);
    await writeRecord(wanted, zone, wanted, made.record);
    return outputs;
  }

  async delete(call: Call, state: State): Promise<void> {
    const wanted = typed(call, state.inputs);
    const made = parse(madeShape, withoutDrift(state.outputs), `the state of ${call.name}`);
    const { zone, record } = made;
    const identity = identityOf(wanted, zone, record);
    const taken = this.taken.has(identity) || this.others(call, identity).length > 0;
    this.owners.get(identity)?.delete(call.urn);
    if (taken || !made.made) {
      const why = made.made ? "another key of the stack file has it now" : "it was there before";
      await call.log.info(`${wanted.name} ${wanted.data.kind} stays at Dynu: ${why}`);
      return;
    }
    const records = await recordsOf(wanted, zone, call.signal);
    if (records.some((found) => isStill(found, wanted, made))) await removeRecord(wanted, zone, record);
  }

  private own({ urn }: Call, wanted: DnsRecordInputs, { zone, record, made }: Made): void {
    const identity = identityOf(wanted, zone, record);
    this.owners.set(identity, new Map([...(this.owners.get(identity) ?? []), [urn, made]]));
  }

  /** What other resources of this process say of having made a record. */
  private others({ urn }: Call, identity: string): boolean[] {
    return [...(this.owners.get(identity) ?? [])].filter(([owner]) => owner !== urn).map(([, made]) => made);
  }
}

function identityOf({ apiUrl }: DnsRecordInputs, zone: number, record: number): string {
  return `${apiUrl}/dns/${zone}/record/${record}`;
}

/** Whether it is the record that was made, under its name: one that somebody gave another name is theirs now. */
function isStill({ id, node }: Found, { name }: DnsRecordInputs, { domain, record }: Made): boolean {
  return id === record && (node === "" ? domain : `${node}.${domain}`) === name;
}

function typed(call: Call, properties: Properties): DnsRecordInputs {
  return parse(dnsRecordShape, revealAll(properties), `the inputs of ${call.name}`);
}

function withoutDrift({ drift: _, ...outputs }: Properties): Properties {
  return outputs;
}

/** The key must stay a secret in the state. */
function withKey(inputs: Properties, { apiKey }: Properties): Properties {
  return apiKey === undefined ? inputs : { ...inputs, apiKey: secret(apiKey) };
}

function importRefused(id: string): ProviderError {
  return new ProviderError(
    "FAILED_PRECONDITION",
    `a DNS record cannot be imported (${id}): the key of the API is part of the program
  fix: leave the option import out; a record that is there already with the same value is taken over`,
  );
}

export const dnsRecord: Resource = new DnsRecord();
