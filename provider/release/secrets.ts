import type { ReleaseInputs } from "../contract/release";
import { isObject, type Properties, secret, toProperties, type Value } from "../protocol/values";

/** Where a Release may hold a secret: the password for sudo, and given values (sealed by Check). */
export function maySecret(path: string): boolean {
  return path === "connection.sudoPassword" || /^secrets\["(?:[^"\\]|\\.)*"\]\.source\.value$/.test(path);
}

/** Typed inputs as property values, with the two kinds of secrets wrapped. */
export function wrapInputs(inputs: ReleaseInputs): Properties {
  return wrapSecrets(toProperties(inputs));
}

/** Wraps the values that must never be shown; also in inputs that are not fully known yet. */
export function wrapSecrets(inputs: Properties): Properties {
  const wrapped = { ...inputs };
  const { connection, secrets } = inputs;
  if (isObject(connection)) wrapped.connection = wrapMember(connection, "sudoPassword");
  if (isObject(secrets)) {
    wrapped.secrets = Object.fromEntries(
      Object.entries(secrets).map(([path, item]) => [path, wrapSource(item)]),
    );
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
