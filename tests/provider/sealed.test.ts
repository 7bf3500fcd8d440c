import { createHash, scryptSync } from "node:crypto";
import { isSameSeal, isSealed, seal, sealPassword, unseal } from "../../provider/sealed";

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
    /^the value of secrets\["\/etc\/x"\] is not at hand: the state keeps only its digest\n {2}fix: /,
  );
});

test("the seal of a password that a person chose is slow to guess, and keeps its salt like any other", () => {
  const sealed = sealPassword("hunter2");
  const [version, salt = "", digest] = sealed.split(":");
  const scrypt = scryptSync("hunter2", Buffer.from(salt, "hex"), 32, { N: 2 ** 14, r: 8, p: 1 });
  expect([version, digest]).toEqual(["v2", scrypt.toString("hex")]);
  expect(sealPassword("hunter2", sealed)).toBe(sealed);
  expect(sealPassword("hunter3", sealed)).not.toBe(sealed);
  expect([isSealed(sealed), unseal(sealed, "x")]).toEqual([true, "hunter2"]);
});

test("a state with the older seal of the same password is no change of it; another password is", () => {
  const old = seal("hunter2");
  const now = sealPassword("hunter2", old);
  expect(now).toMatch(/^v2:/);
  expect(isSameSeal(old, now)).toBe(true);
  expect(isSameSeal(old, sealPassword("hunter3", old))).toBe(false);
  expect(isSameSeal(seal("hunter2"), now)).toBe(false);
});
