import { parseObservation } from "../../../../provider/machine/release/answer";
import {
  announcedElsewhere,
  broughtLines,
  withoutPackages,
} from "../../../../provider/machine/release/packages";

const NONE: ReadonlySet<string> = new Set();
const lines = (rows: string[][], elsewhere = NONE) => broughtLines(parseObservation(rows), elsewhere);

test("[F9] what apt brings along is counted and named, upgrades and removals apart", () => {
  const many = Array.from({ length: 14 }, (_, index) => ["brings", `lib${index}`, "-", "1.0"]);
  expect(
    lines([...many, ["brings", "openssl", "3.5.1-1", "3.5.2-1"], ["brings", "exim4", "4.98", "-"]]),
  ).toEqual([
    "apt installs 14 more, with the users and groups that they bring: lib0, lib1, lib2, lib3, lib4, lib5, lib6, lib7, lib8, lib9, lib10, lib11 and 2 more",
    "apt changes what is installed: openssl from 3.5.1-1 to 3.5.2-1",
    "apt REMOVES: exim4 4.98",
  ]);
});

test("[F9] where apt cannot tell, the plan says so instead of nothing", () => {
  expect(lines([["brings", "-"]])[0]).toMatch(/^apt cannot tell yet/);
  expect(lines([])).toEqual([]);
});

test("[F9] a package that two releases need is announced once, by the same one however often it is asked", () => {
  expect(announcedElsewhere("vps", "urn:a", ["curl", "nginx"])).toEqual(NONE);
  expect(announcedElsewhere("vps", "urn:a", ["curl"])).toEqual(NONE);
  expect(announcedElsewhere("other", "urn:b", ["curl"])).toEqual(NONE);
  const elsewhere = announcedElsewhere("vps", "urn:b", ["curl", "python3"]);
  expect([...elsewhere]).toEqual(["curl"]);
  expect(withoutPackages({ packages: { curl: "any", python3: "any" } }, elsewhere)).toEqual({
    packages: { python3: "any" },
  });
  expect(lines([["brings", "curl", "-", "8"]], elsewhere)).toEqual([]);
});
