import { Struct } from "google-protobuf/google/protobuf/struct_pb";
import {
  fromStruct,
  hasUnknown,
  type Properties,
  revealAll,
  secret,
  secretPaths,
  toProperties,
  toStruct,
  UNKNOWN,
} from "../../../provider/protocol/values";

const sample: Properties = {
  text: "ä\n\t",
  number: 1.5,
  zero: 0,
  flag: false,
  nothing: null,
  list: [1, "two", [null], {}],
  empty: [],
  "/etc/a b": { content: secret("hidden"), mode: "0640" },
  later: UNKNOWN,
};

test("every kind of value survives the way to the engine and back, secrets and unknowns too", () => {
  const bytes = toStruct(sample).serializeBinary();
  expect(fromStruct(Struct.deserializeBinary(bytes))).toEqual(sample);
});

test("what the SDK itself encodes is read alike", () => {
  expect(fromStruct(Struct.fromJavaScript({ a: [{ b: null }], c: true }))).toEqual({
    a: [{ b: null }],
    c: true,
  });
});

test("secrets are found where they are and taken off at any depth", () => {
  expect(secretPaths(sample)).toEqual(['["/etc/a b"].content']);
  expect(secretPaths({ secrets: { "/etc/x": { source: secret({ value: secret("v") }) } } })).toEqual([
    'secrets["/etc/x"].source',
  ]);
  expect(revealAll({ a: secret([secret(1)]) })).toEqual({ a: [1] });
});

test("wrapping twice is wrapping once, or the engine would store a wrapper as the value", () => {
  expect(secret(secret("x"))).toEqual(secret("x"));
});

test("an unknown is seen wherever it hides", () => {
  expect(hasUnknown({ a: [secret(UNKNOWN)] })).toBe(true);
  expect(hasUnknown({ a: [secret("known")] })).toBe(false);
});

test("absent members stay absent: an undefined must not become null", () => {
  expect(toProperties({ a: undefined, b: [{ c: undefined, d: 1 }] })).toEqual({ b: [{ d: 1 }] });
});
