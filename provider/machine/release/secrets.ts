import type { ReleaseInputs } from "../../contract/release";
import { isObject, type Properties, secret, toProperties, type Value } from "../../protocol/values";

const GIVEN = /^(secrets|containerSecrets)(\.\w+|\["(?:[^"\\]|\\.)*"\])\.source\.value$/;

/** Where a Release may hold a secret: the password for sudo, and given values (sealed by Check). */
export function maySecret(path: string): boolean {
  return path === "connection.sudoPassword" || GIVEN.test(path);
}

/** The maps whose items have a source that may be given. */
export const SECRET_MAPS = ["secrets", "containerSecrets"];

/** Typed inputs as property values, with the two kinds of secrets wrapped. */
export function wrapInputs(inputs: ReleaseInputs): Properties {
  return wrapSecrets(toProperties(inputs));
}

/** Wraps the values that must never be shown; also in inputs that are not fully known yet. */
export function wrapSecrets(inputs: Properties): Properties {
  const wrapped = { ...inputs };
  const { connection } = inputs;
  if (isObject(connection)) wrapped.connection = wrapMember(connection, "sudoPassword");
  for (const map of SECRET_MAPS) {
    const secrets = inputs[map];
    if (!isObject(secrets)) continue;
    wrapped[map] = Object.fromEntries(Object.entries(secrets).map(([key, item]) => [key, wrapSource(item)]));
  }
  return wrapped;
}

function wrapSource(item: Value): Value {
  return isObject(item) && isObject(item.source)
    ? { ...item, source: wrapMember(item.source, "value") }
    : item;
}

function wrapMember(object: Properties, key: string): Properties {
  const value = object[key];
  return value === undefined || value === null ? object : { ...object, [key]: secret(value) };
}
