import { z } from "zod";
import { stackSchema } from "../stack";
import type { Path } from "./fault";

type Node = z.core.JSONSchema.BaseSchema;

/** The stack schema as JSON Schema, for lookups; built only when there is a fault to explain. */
let stackNode: Node | undefined;

function root(): Node {
  stackNode ??= z.toJSONSchema(stackSchema, { io: "input" });
  return stackNode;
}

function isNode(value: unknown): value is Node {
  return typeof value === "object" && value !== null;
}

/** A node and, for a union, its branches. */
function branches(node: Node): Node[] {
  return [node, ...(node.oneOf ?? []), ...(node.anyOf ?? [])];
}

function children(node: Node, step: string | number): Node[] {
  return branches(node)
    .flatMap((branch) => [
      typeof step === "string" ? branch.properties?.[step] : undefined,
      typeof step === "number"
        ? Array.isArray(branch.items)
          ? undefined
          : branch.items
        : branch.additionalProperties,
    ])
    .filter(isNode);
}

/** The schemas that apply at a path: none, one, or the branches of a union. */
function nodesAt(path: Path): Node[] {
  return path
    .reduce<Node[]>((nodes, step) => nodes.flatMap((node) => children(node, step)), [root()])
    .flatMap(branches);
}

/** Names of the keys that a mapping may have; empty when any name will do. */
export function keysAt(path: Path): string[] {
  return [...new Set(nodesAt(path).flatMap((node) => Object.keys(node.properties ?? {})))];
}

/** An example of an allowed value at a path. */
export function exampleAt(path: Path): unknown {
  const nodes = nodesAt(path);
  return (
    nodes.flatMap((node) => node.examples ?? [])[0] ??
    nodes.find((node) => node.default !== undefined)?.default
  );
}

/** The kind of value at a path, in the words of the reference. */
export function kindAt(path: Path): string | undefined {
  return nodesAt(path).find((node) => node.title !== undefined)?.title;
}

/** A name in a form that ignores case, `_` and `-`. */
function plainName(name: string): string {
  return name.toLowerCase().replaceAll(/[_-]/g, "");
}

/** Other paths where a key of this name is allowed. */
export function homesOf(name: string): Path[] {
  const wanted = plainName(name);
  const found: Path[] = [];
  const walk = (node: Node, path: Path): void => {
    for (const branch of branches(node)) {
      for (const [key, child] of Object.entries(branch.properties ?? {})) {
        const here = [...path, key];
        if (plainName(key) === wanted) found.push(here);
        if (isNode(child)) walk(child, here);
      }
    }
  };
  walk(root(), []);
  return found;
}

/** The number of edits (insert, delete, replace, swap of neighbours) that turn one word into the other. */
function distance(a: string, b: string): number {
  const rows: number[][] = [Array.from({ length: b.length + 1 }, (_, j) => j)];
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const cost = a[i - 1] === b[j - 1] ? 0 : 1;
      const swap = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      row[j] = Math.min(
        (rows[i - 1]?.[j] ?? 0) + 1,
        (row[j - 1] ?? 0) + 1,
        (rows[i - 1]?.[j - 1] ?? 0) + cost,
        swap ? (rows[i - 2]?.[j - 2] ?? 0) + 1 : Number.POSITIVE_INFINITY,
      );
    }
    rows.push(row);
  }
  return rows[a.length]?.[b.length] ?? 0;
}

/** Shorter prefixes of a name are ambiguous. */
const SHORTEST_BEGINNING = 3;

function editsBetween(a: string, b: string): number {
  const [short = "", long = ""] = [a, b].sort((x, y) => x.length - y.length);
  return short.length >= SHORTEST_BEGINNING && long.startsWith(short)
    ? Math.min(1, long.length - short.length)
    : distance(a, b);
}

/** The name that the user probably meant; undefined when none is close. */
export function nearest(name: string, names: readonly string[]): string | undefined {
  const ranked = names
    .map((candidate) => ({ candidate, edits: editsBetween(plainName(name), plainName(candidate)) }))
    .sort((a, b) => a.edits - b.edits);
  const best = ranked[0];
  return best && best.edits <= Math.max(1, Math.floor(name.length / 3)) ? best.candidate : undefined;
}
