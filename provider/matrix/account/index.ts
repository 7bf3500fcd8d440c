import type { AccountInputs } from "../../contract/matrix";
import { compare } from "../../protocol/diff";
import type { Call, Checked, Difference, Resource, State } from "../../protocol/resource";
import { parse } from "../../protocol/shape";
import {
  hasUnknown,
  isObject,
  type Properties,
  reveal,
  revealAll,
  secret,
  UNKNOWN,
} from "../../protocol/values";
import { isSameSeal, isSealed, sealPassword, unseal } from "../../sealed";
import { shellWord } from "../../text";
import { handArguments } from "../../transport/failures";
import { accessText, comparable, shown, withAccess } from "../access";
import { type Applied, accounts, type PasswordRequest } from "./host";
import { accountShape, storedAccountShape } from "./inputs";
import { driftOf, observedInputs } from "./observed";
import { planText, title } from "./plan";

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
    const details = compare(comparable(withAccess(before)), comparable(news), IDENTITY);
    // Of a deactivated account nothing is kept in step, so nothing of it is a difference.
    const shut = news.deactivated === true && olds.deactivated === true;
    const counted = shut ? new Map([...details].filter(([path]) => !isSetting(path))) : details;
    return shown(
      counted,
      (path, { kind }) =>
        (news.deactivated === true && isSetting(path)) || (path === "displayName" && kind === "delete"),
    );
  }

  async create(call: Call, inputs: Properties): Promise<{ id: string; outputs: Properties }> {
    if (call.preview) {
      const planned = await this.tell(call, inputs, undefined, false);
      return { id: "", outputs: planned ? outputs(planned) : {} };
    }
    const account = typed(call, inputs);
    const password = passwordRequest(account, false);
    const applied = await accounts.apply(account, { password }, call.signal);
    if (applied.existed) await call.log.info(adoption(account, applied));
    else if (applied.passwordFile !== null) await call.log.info(whereabouts(account, applied.passwordFile));
    return { id: userId(account), outputs: outputs(account, applied.passwordFile) };
  }

  async read(call: Call, state: State): Promise<State | undefined> {
    // Nothing is known after an import; the program's values decide then.
    if (state.inputs.localpart === undefined || call.offline) return state;
    const inputs = withAccess(state.inputs);
    const account = parse(storedAccountShape, revealAll(inputs), `the inputs of ${call.name}`);
    const { password } = account;
    const asked = password.kind === "given" ? { kind: password.kind, change: false } : password;
    const seen = await accounts.observe(account, call.signal, { password: asked });
    if ("unknown" in seen && seen.lockedOut) {
      return {
        ...state,
        unhealthy: [`${title(account)}: not looked at, ${seen.unknown}; ${accessText(account)}`],
      };
    }
    if ("unknown" in seen) {
      await call.log.warning(
        `${userId(account)} was not looked at, its last known state is used: ${seen.unknown}`,
      );
      return state;
    }
    if (!seen.exists) return undefined;
    const drift = driftOf(account, seen);
    const kept = typeof state.outputs.passwordFile === "string" ? state.outputs.passwordFile : null;
    if (kept !== null && seen.passwordFile === null) {
      await call.log.warning(
        `${title(account)}: its password was kept in ${kept} only, which is gone; a user who knows it can still log in, and an admin can set another one`,
      );
    }
    return {
      id: state.id,
      inputs: { ...inputs, ...observedInputs(account, seen) },
      outputs: {
        ...outputs(account, kept === null ? null : seen.passwordFile),
        ...(drift.length > 0 ? { drift } : {}),
      },
    };
  }

  async update(call: Call, state: State, news: Properties): Promise<Properties> {
    const change = !isSameSeal(sealedValue(state.inputs), sealedValue(news));
    if (call.preview) {
      await this.tell(call, news, state.inputs, change);
      return { userId: news.userId ?? state.outputs.userId ?? state.id };
    }
    const account = typed(call, news);
    const password = passwordRequest(account, change);
    const applied = await accounts.apply(account, { password }, call.signal);
    if (applied.did.includes("set password")) {
      await call.log.info(
        `${userId(account)}: new password set; sessions opened with the old one have ended`,
      );
    }
    return outputs(account, applied.passwordFile);
  }

  async delete(call: Call, state: State): Promise<void> {
    const user = String(state.outputs.userId ?? state.id);
    await call.log.info(
      `${user} stays on the homeserver: accounts hold people's data. To shut one, set deactivated: true and run pulumi up before removing it from the stack file`,
    );
  }

  /** What `pulumi up` will do, as the host's own program says; says nothing when the account itself is not known yet. */
  private async tell(
    call: Call,
    inputs: Properties,
    olds: Properties | undefined,
    change: boolean,
  ): Promise<AccountInputs | undefined> {
    const faults: string[] = [];
    accountShape.check(revealAll(inputs), "", faults);
    if (faults.length > 0 || typeof inputs.localpart !== "string" || hasUnknown(inputs)) return undefined;
    const account = typed(call, inputs);
    if (call.offline) return account;
    const { password } = account;
    const asked = password.kind === "given" ? { kind: password.kind, change } : password;
    const seen = await accounts
      .observe(account, call.signal, { password: asked })
      .catch((error: unknown) => ({ unknown: String(error instanceof Error ? error.message : error) }));
    const leaves = olds?.displayName !== undefined && inputs.displayName === undefined;
    const known = { inState: olds !== undefined, stays: leaves ? ["its display name"] : [] };
    await call.log.info(planText(account, seen, known));
    return account;
  }
}

function typed(call: Call, properties: Properties): AccountInputs {
  return parse(accountShape, revealAll(properties), `the inputs of ${call.name}`);
}

function userId({ localpart, serverName }: AccountInputs): string {
  return `@${localpart}:${serverName}`;
}

/** `passwordFile`: where the password made on the host is kept there, so that its loss can be told. */
function outputs(account: AccountInputs, passwordFile: string | null = null): Properties {
  return { userId: userId(account), ...(passwordFile === null ? {} : { passwordFile }) };
}

/** What a deactivated account keeps whatever the stack says. */
function isSetting(path: string): boolean {
  return path === "admin" || path === "displayName" || path.startsWith("password");
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
