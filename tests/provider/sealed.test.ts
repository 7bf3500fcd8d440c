import { createHash } from "node:crypto";
import { isSealed, seal, unseal } from "../../provider/sealed";

test("a seal is what the host computes over the file: salt text, then value", () => {
  const sealed = seal("täglich\n");
  const [version, salt = "", digest] = sealed.split(":");
  expect(version).toBe("v1");
  expect(digest).toBe(createHash("sha256").update(`${salt}täglich\n`).digest("hex"));
});

test("[A9] the seal does not contain the value, and two seals of one value differ", () => {
  const value = "correct horse";
  expect(seal(value)).not.toContain(value);
  expect(seal(value)).not.toBe(seal(value));
});

test("the same value keeps the seal of the state, so nothing changes without a reason; another one does not", () => {
  const first = seal("one");
  expect(seal("one", first)).toBe(first);
  expect(seal("two", first)).not.toBe(first);
});

test("a seal is not sealed again, and a value behind one comes back in the process that saw it", () => {
  const sealed = seal("value");
  expect(isSealed(sealed)).toBe(true);
  expect(seal(sealed)).toBe(sealed);
  expect(unseal(sealed, "x")).toBe("value");
});

test("a value that this process never saw is asked for, by name", () => {
  const unseen = `v1:${"0".repeat(32)}:${"1".repeat(64)}`;
  expect(() => unseal(unseen, 'secrets["/etc/x"]')).toThrow(
    /^the value of secrets\["\/etc\/x"\] is not at hand: the state keeps only its digest\n {2}do: /,
  );
});
