import type { AccountInputs } from "../../contract/matrix";
import { compare } from "../../protocol/diff";
import type { Call, Checked, Difference, Resource, State } from "../../protocol/resource";
import { parse } from "../../protocol/shape";
import { isObject, type Properties, reveal, revealAll, secret, UNKNOWN } from "../../protocol/values";
import { isSameSeal, isSealed, sealPassword, unseal } from "../../sealed";
import { shellWord } from "../../text";
import { handArguments } from "../../transport/failures";
import { comparable, withAccess } from "../access";
import { type Applied, accounts, type PasswordRequest } from "./host";
import { accountShape, storedAccountShape } from "./inputs";
import { driftOf, observedInputs } from "./observed";

/** An account is the same one as long as these stay. */
const IDENTITY = ["connection.name", "serverName", "localpart"];

/**
 * A local account of the homeserver, kept through its admin API on the host's loopback. Its password is set when the
 * account is made, and again only when the operator gives another one. Deleting the resource leaves the account alone.
 */
class Account implements Resource {
  check(olds: Properties, news: Properties): Checked {
    const faults: string[] = [];
    accountShape.check(revealAll(news), "", faults);
    return { inputs: withSeal(olds, news), faults };
  }

  diff(olds: Properties, news: Properties): Difference {
    const same = isSameSeal(sealedValue(olds), sealedValue(news)) && news.password !== undefined;
    const before = same ? { ...olds, password: news.password ?? null } : olds;
    return { details: compare(comparable(withAccess(before)), comparable(news), IDENTITY) };
  }

  async create(call: Call, inputs: Properties): Promise<{ id: string; outputs: Properties }> {
    if (call.preview) return this.preview(call, inputs);
    const account = typed(call, inputs);
    const password = passwordRequest(account, false);
    const applied = await accounts.apply(account, { password }, call.signal);
    if (applied.existed) await call.log.info(adoption(account, applied));
    else if (applied.passwordFile !== null) await call.log.info(whereabouts(account, applied.passwordFile));
    return { id: userId(account), outputs: outputs(account) };
  }

  async read(call: Call, state: State): Promise<State | undefined> {
    // Nothing is known after an import; the program's values decide then.
    if (state.inputs.localpart === undefined || call.offline) return state;
    const inputs = withAccess(state.inputs);
    const account = parse(storedAccountShape, revealAll(inputs), `the inputs of ${call.name}`);
    const seen = await accounts.observe(account, call.signal);
    if ("unknown" in seen) {
      await call.log.warning(
        `${userId(account)} was not looked at, its last known state is used: ${seen.unknown}`,
      );
      return state;
    }
    if (!seen.exists) return undefined;
    const drift = driftOf(account, seen);
    return {
      id: state.id,
      inputs: { ...inputs, ...observedInputs(account, seen) },
      outputs: { ...outputs(account), ...(drift.length > 0 ? { drift } : {}) },
    };
  }

  async update(call: Call, state: State, news: Properties): Promise<Properties> {
    if (call.preview) return { userId: news.userId ?? state.outputs.userId ?? state.id };
    const account = typed(call, news);
    const password = passwordRequest(account, !isSameSeal(sealedValue(state.inputs), sealedValue(news)));
    const applied = await accounts.apply(account, { password }, call.signal);
    if (applied.did.includes("set password")) {
      await call.log.info(
        `${userId(account)}: new password set; sessions opened with the old one have ended`,
      );
    }
    return outputs(account);
  }

  async delete(call: Call, state: State): Promise<void> {
    const user = String(state.outputs.userId ?? state.id);
    await call.log.info(
      `${user} stays on the homeserver: accounts hold people's data. To shut one, set deactivated: true and run pulumi up before removing it from the stack file`,
    );
  }

  /** Says what an account that is there already means for the plan; says nothing when nothing can be known yet. */
  private async preview(call: Call, inputs: Properties): Promise<{ id: string; outputs: Properties }> {
    const faults: string[] = [];
    accountShape.check(revealAll(inputs), "", faults);
    const complete = faults.length === 0 && typeof inputs.localpart === "string";
    if (!complete || call.offline) return { id: "", outputs: {} };
    const account = typed(call, inputs);
    const seen = await accounts.observe(account, call.signal).catch(() => ({ unknown: "" }));
    if ("exists" in seen && seen.exists) {
      const { password } = account;
      const own = password.kind === "generated" && password.reclaim === true;
      const how = own ? "is Hearth's: nobody else keeps a way in" : "is taken over; its password stays";
      await call.log.info(`${userId(account)} exists already and ${how}`);
    }
    return { id: "", outputs: outputs(account) };
  }
}

function typed(call: Call, properties: Properties): AccountInputs {
  return parse(accountShape, revealAll(properties), `the inputs of ${call.name}`);
}

function userId({ localpart, serverName }: AccountInputs): string {
  return `@${localpart}:${serverName}`;
}

function outputs(account: AccountInputs): Properties {
  return { userId: userId(account) };
}

/** The given password replaced by its seal, itself a secret; with the salt it had, so that nothing changes without a reason. */
function withSeal(olds: Properties, news: Properties): Properties {
  const password = reveal(news.password ?? null);
  if (!isObject(password) || password.kind !== "given" || typeof password.value !== "string") return news;
  if (password.value === UNKNOWN) return news;
  const sealed = sealPassword(password.value, sealedValue(olds));
  return { ...news, password: { kind: "given", value: secret(sealed) } };
}

function sealedValue(properties: Properties): string | undefined {
  const password = reveal(properties.password ?? null);
  if (!isObject(password) || typeof password.value !== "string") return undefined;
  return isSealed(password.value) ? password.value : undefined;
}

function passwordRequest({ password, localpart }: AccountInputs, change: boolean): PasswordRequest {
  if (password.kind === "generated") return { kind: "generated", reclaim: password.reclaim ?? false };
  const value = unseal(password.value, `the password of account ${localpart}`);
  return { kind: "given", value, change };
}

/** The password itself goes nowhere but to the operator's own terminal. */
function whereabouts(account: AccountInputs, file: string): string {
  const { connection, scope } = account;
  const sudo = scope === "system" && connection.become === "sudo" ? ["sudo"] : [];
  const show = [...sudo, "cat", shellWord(file)];
  // Through ssh, the host's shell reads the words once more.
  const command =
    connection.transport === "local"
      ? show.join(" ")
      : `ssh ${handArguments(connection)} ${show.map(shellWord).join(" ")}`;
  return `${userId(account)} was made; its password is kept on ${connection.name} only. To see it: ${command}`;
}

function adoption(account: AccountInputs, applied: Applied): string {
  const changed = applied.did.length > 0 ? `; changed: ${applied.did.join(", ")}` : "";
  const notes = applied.notes.map((note) => `; ${note}`).join("");
  return `${userId(account)} existed already and was taken over${changed}${notes}`;
}

export const account: Resource = new Account();
