import { parseObservation } from "../../../../provider/machine/release/answer";
import { requireUnoccupied } from "../../../../provider/machine/release/obstacles";
import { requireFree, requireSameScope } from "../../../../provider/machine/release/ownership";
import { sample } from "./sample";

const urnOf = (name: string, stack = "vps", parent = "") =>
  `urn:pulumi:${stack}::hearth::${parent}hearth-host:index:Release::${name}`;

/** What the resource `vps-web` is told on a host whose release `web` belongs to that owner. */
function told(owner: string, urn = urnOf("vps-web")): string[] {
  try {
    requireFree(sample(), parseObservation([["release", "0123", "4", owner]]), urn);
  } catch (error) {
    if (error instanceof Error) return error.message.split("\n");
    throw error;
  }
  return [];
}

test("a resource's own release is free to it", () => {
  expect(told(urnOf("vps-web"))).toEqual([]);
});

test("a renamed resource gets the alias to paste, and what to do when no state knows the old one any more", () => {
  expect(told(urnOf("old"))).toEqual([
    `release "web" on vps belongs to another resource: ${urnOf("old")}`,
    "  now: nothing was changed on vps",
    '  fix: if the resource was renamed, add to its options: aliases: [{ name: "old" }]',
    "  if it is another one, give one of them another release name",
    "  if the state that knew old is gone for good: remove /var/lib/hearth/releases/web/meta on vps; what is there is then taken over",
  ]);
});

test("a resource that moved below another parent gets its whole URN as alias", () => {
  const owner = urnOf("vps-web", "vps", "hearth:web:Web$");
  expect(told(owner)[2]).toContain(`aliases: ["${owner}"]`);
});

test("a renamed host is told to take its old name again: no alias can help, its name is part of everything on it", () => {
  const [, , ...ways] = told(urnOf("home-web"));
  expect(ways.slice(0, 2)).toEqual([
    "  fix: if it is the same machine, call it home again in hearth:hosts: what is on a host belongs to its name there permanently, while its address may change",
    "  if it is another machine, its address in hearth:hosts is that of home: correct it",
  ]);
  expect(ways.join()).not.toContain("alias");
});

test("another stack's release is to be removed there, or another host to be used", () => {
  expect(told(urnOf("vps-web", "other"))[2]).toBe(
    "  fix: remove it there first (pulumi destroy in that stack), or use another host",
  );
});

test.each([
  ["system", "user", "native", "quadlet"],
  ["user", "system", "quadlet", "native"],
])("[A1] scope %s does not become %s: its data would stay behind", (before, after, held, wanted) => {
  const change = () => requireSameScope({ scope: before }, { scope: after }, "vps");
  expect(change).toThrow(
    `vps was set up with runtime ${held} and cannot change to ${wanted}: database, media`,
  );
  expect(change).toThrow(`fix: write runtime: ${held} in hearth:hosts.vps again, or use a fresh host`);
  expect(() => requireSameScope({ scope: before }, { scope: before }, "vps")).not.toThrow();
});

describe("[W1] [W2] [W11] a preview of a host on which something serves that no release made", () => {
  const obstacle = ["obstacle", "nginx serves another site", "link it"];
  const refusal = (...rows: string[][]) => {
    try {
      requireUnoccupied(sample(), parseObservation(rows));
    } catch (error) {
      if (error instanceof Error) return error.message.split("\n");
      throw error;
    }
    return [];
  };

  test("is refused in the words of the change itself", () => {
    expect(refusal(obstacle)).toEqual([
      'release "web" on vps was refused (occupied): what Hearth did not make is in the way',
      "  - nginx serves another site",
      "  now: nothing was changed on vps",
      "  fix: link it",
    ]);
    expect(refusal()).toEqual([]);
  });

  test("is not while a change runs or was cut off: what it has put there is its own", () => {
    expect(refusal(obstacle, ["lock", "carol@desk", "3"])).toEqual([]);
    expect(refusal(obstacle, ["journal", "swapping", "a1", "60"])).toEqual([]);
  });
});
