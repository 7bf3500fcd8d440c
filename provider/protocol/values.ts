import { ListValue, NullValue, Value as ProtoValue, Struct } from "google-protobuf/google/protobuf/struct_pb";

/** A property value as the engine sends it: JSON, with secrets as wrapper objects and unknowns as a fixed string. */
export type Value = null | boolean | number | string | Value[] | { [key: string]: Value };
/** A resource's inputs or outputs. */
export type Properties = { [key: string]: Value };

const SIGNATURE = "4dabf18193072939515e22adb298388d";
const SECRET = "1b47061264138c4ac30d75fd1eb44270";

/** What the engine sends in previews in place of a value that is not known yet. */
export const UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

export function isObject(value: Value | undefined): value is Properties {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Whether this very value is wrapped as a secret; what is inside it is not looked at. */
export function isSecret(value: Value | undefined): boolean {
  return isObject(value) && value[SIGNATURE] === SECRET;
}

/** Wraps a value as a secret; one that is wrapped already stays as it is. */
export function secret(value: Value): Value {
  return isSecret(value) ? value : { [SIGNATURE]: SECRET, value };
}

/** The value with all secret wrappers taken off, at any depth. */
export function reveal(value: Value): Value {
  if (Array.isArray(value)) return value.map(reveal);
  if (!isObject(value)) return value;
  if (isSecret(value)) return reveal(value.value ?? null);
  return revealAll(value);
}

/** {@link reveal} for a resource's whole properties. */
export function revealAll(properties: Properties): Properties {
  return Object.fromEntries(Object.entries(properties).map(([key, item]) => [key, reveal(item)]));
}

/** Whether anything in the value is still unknown (previews only). */
export function hasUnknown(value: Value): boolean {
  if (Array.isArray(value)) return value.some(hasUnknown);
  if (isObject(value)) return Object.values(value).some(hasUnknown);
  return value === UNKNOWN;
}

/** Paths of all secret wrappers, as `secrets["/etc/x"].source.value`. */
export function secretPaths(value: Value, path = ""): string[] {
  if (isSecret(value)) return [path];
  if (Array.isArray(value)) return value.flatMap((item, index) => secretPaths(item, `${path}[${index}]`));
  if (isObject(value))
    return Object.entries(value).flatMap(([key, item]) => secretPaths(item, join(path, key)));
  return [];
}

/** A property path as the engine reads it: keys that are no identifiers are quoted. */
export function join(path: string, key: string): string {
  if (/^[A-Za-z_$][\w$]*$/.test(key)) return path ? `${path}.${key}` : key;
  return `${path}[${JSON.stringify(key)}]`;
}

/** Any typed value as a property value; `undefined` members are left out. */
function toValue(value: unknown): Value {
  if (value === null || value === undefined) return null;
  if (typeof value === "string" || typeof value === "number" || typeof value === "boolean") return value;
  if (Array.isArray(value)) return value.map(toValue);
  if (typeof value === "object") return toProperties(value);
  throw new TypeError(`a ${typeof value} cannot be a property value`);
}

/** {@link toValue} for a resource's whole inputs or outputs. */
export function toProperties(value: object): Properties {
  const entries = Object.entries(value).filter(([, item]) => item !== undefined);
  return Object.fromEntries(entries.map(([key, item]) => [key, toValue(item)]));
}

/** What the engine sent, as plain values; nothing sent: no properties. */
export function fromStruct(struct: Struct | undefined): Properties {
  const properties: Properties = {};
  struct?.getFieldsMap().forEach((value, key) => {
    properties[key] = fromProto(value);
  });
  return properties;
}

/** Plain values as the engine takes them. */
export function toStruct(properties: Properties): Struct {
  const struct = new Struct();
  const fields = struct.getFieldsMap();
  for (const [key, value] of Object.entries(properties)) fields.set(key, toProto(value));
  return struct;
}

function fromProto(value: ProtoValue): Value {
  switch (value.getKindCase()) {
    case ProtoValue.KindCase.NUMBER_VALUE:
      return value.getNumberValue();
    case ProtoValue.KindCase.STRING_VALUE:
      return value.getStringValue();
    case ProtoValue.KindCase.BOOL_VALUE:
      return value.getBoolValue();
    case ProtoValue.KindCase.STRUCT_VALUE:
      return fromStruct(value.getStructValue());
    case ProtoValue.KindCase.LIST_VALUE:
      return (value.getListValue()?.getValuesList() ?? []).map(fromProto);
    default:
      return null;
  }
}

function toProto(value: Value): ProtoValue {
  const proto = new ProtoValue();
  if (value === null) proto.setNullValue(NullValue.NULL_VALUE);
  else if (typeof value === "number") proto.setNumberValue(value);
  else if (typeof value === "string") proto.setStringValue(value);
  else if (typeof value === "boolean") proto.setBoolValue(value);
  else if (Array.isArray(value)) proto.setListValue(new ListValue().setValuesList(value.map(toProto)));
  else proto.setStructValue(toStruct(value));
  return proto;
}
