import { domainToASCII } from "node:url";
import { stringify } from "yaml";
import type { z } from "zod";
import { synapseKeyAdvice } from "../homeserver/synapse-keys";
import { type Fault, keyOf, mayShow, type Path } from "./fault";
import { exampleAt, homesOf, keysAt, kindAt, nearest } from "./shape";

type Issue = z.core.$ZodIssue;

function valueAt(raw: unknown, path: Path): unknown {
  return path.reduce<unknown>((value, step) => {
    if (typeof value !== "object" || value === null) return undefined;
    return Object.entries(value).find(([key]) => key === String(step))?.[1];
  }, raw);
}

const FOUND: Readonly<Record<string, string>> = {
  string: "text",
  number: "a number",
  boolean: "true or false",
};

function kindOf(value: unknown): string {
  if (Array.isArray(value)) return "a list";
  return typeof value === "object" ? "a mapping" : (FOUND[typeof value] ?? typeof value);
}

const KINDS: Record<string, string> = {
  string: "text",
  number: "a number",
  int: "a whole number",
  boolean: "true or false",
  array: "a list",
  object: "a mapping",
  record: "a mapping",
};

function writtenAs(path: Path): string | undefined {
  const example = mayShow(path) ? exampleAt(path) : undefined;
  const last = path[path.length - 1];
  if (example === undefined || last === undefined || JSON.stringify(example) === "{}") return undefined;
  const value = typeof example === "string" ? plainOrQuoted(example) : JSON.stringify(example);
  return typeof last === "number" ? `- ${value}` : `${last}: ${value}`;
}

/** Text for a YAML file, quoted where YAML would read it as another type. */
function plainOrQuoted(text: string): string {
  return stringify(text, { lineWidth: 0 }).trimEnd();
}

function writeExample(path: Path): string | undefined {
  const text = writtenAs(path);
  return text === undefined ? undefined : `write for example \`${text}\``;
}

/** For a name with non-ASCII letters: the ASCII form that DNS, certificates and servers use. */
function writeAscii(text: unknown): string | undefined {
  const found =
    typeof text === "string" && /^(@[\x21-\x7e]*?:|https?:\/\/)?([^\s/@:]+\.[^\s/@:]+)(:\d+)?$/u.exec(text);
  if (!found || /^[\x20-\x7e]*$/.test(found[0])) return undefined;
  const [, before = "", name = "", port = ""] = found;
  const ascii = domainToASCII(name);
  return ascii === "" ? undefined : `write ${before}${ascii}${port}`;
}

function missing(path: Path): Fault {
  return { path, problem: "is missing and has no default", fix: writeExample(path) ?? "add it" };
}

function oneOf(path: Path, value: unknown, allowed: readonly string[]): Fault {
  const meant = typeof value === "string" ? nearest(value, allowed) : undefined;
  const list = allowed.join(", ");
  if (allowed.length === 1) return { path, value, problem: `can only be ${list}`, fix: `write ${list}` };
  return {
    path,
    value,
    problem: `is none of: ${list}`,
    fix: meant === undefined ? "choose one of them" : `did you mean ${meant}?`,
  };
}

/** The most paths that one message lists. */
const MOST_HOMES = 4;

/** Other paths where a key of this name is allowed: below the same mapping if possible, else in the same section, else anywhere. */
function homesNear(name: string, parent: Path): string[] {
  const all = homesOf(name);
  const within = (prefix: Path) => all.filter((home) => prefix.every((step, index) => home[index] === step));
  const near = [within(parent), within(parent.slice(0, 1)), all].find((homes) => homes.length > 0) ?? [];
  return near.length > MOST_HOMES ? [] : near.map((home) => keyOf(home));
}

function unknownKey(path: Path): Fault {
  const name = String(path[path.length - 1]);
  const parent = path.slice(0, -1);
  const problem = "is not a key of a stack file";
  const advice = path[0] === "homeserver" ? synapseKeyAdvice(name) : undefined;
  if (advice !== undefined) return { path, problem, fix: advice };
  const allowed = keysAt(parent);
  // Another mapping of a union has it.
  if (allowed.includes(name))
    return { path, problem: `is not a key of this kind of ${keyOf(parent)}`, fix: "remove it" };
  const meant = nearest(name, allowed);
  if (meant !== undefined) return { path, problem, fix: `did you mean ${keyOf([...parent, meant])}?` };
  const homes = homesNear(name, parent);
  const fix =
    homes.length > 0 ? `move it to ${homes.join(" or ")}` : `remove it; allowed here: ${allowed.join(", ")}`;
  return { path, problem, fix };
}

function wrongKind(path: Path, value: unknown, expected: string): Fault {
  if (value === undefined) return missing(path);
  if (value === null) return { path, problem: "is empty", fix: "remove it or give it content" };
  const title = kindAt(path);
  const wanted = title === undefined ? (KINDS[expected] ?? expected) : `a ${title}`;
  return { path, value, problem: `is ${kindOf(value)}, not ${wanted}`, fix: writeExample(path) };
}

function boundOf(issue: Issue): string {
  if (issue.code === "too_big")
    return `${issue.inclusive === false ? "less than" : "at most"} ${issue.maximum}`;
  if (issue.code === "too_small")
    return `${issue.inclusive === false ? "more than" : "at least"} ${issue.minimum}`;
  return "";
}

function outOfBounds(path: Path, value: unknown, issue: Issue): Fault {
  const unit = Array.isArray(value) ? " entries" : typeof value === "string" ? " characters" : "";
  return { path, value, problem: `is out of bounds: ${boundOf(issue)}${unit}`, fix: writeExample(path) };
}

function allowedValues(issue: Issue): string[] {
  if (issue.code === "invalid_value") return issue.values.map(String);
  // An absent key may stand for one of the options.
  if ("options" in issue && Array.isArray(issue.options))
    return issue.options.filter((option) => option !== undefined).map(String);
  return [];
}

function faultsOf(issue: Issue, raw: unknown, prefix: Path): Fault[] {
  const path = [...prefix, ...issue.path.map((step) => (typeof step === "symbol" ? String(step) : step))];
  const value = valueAt(raw, issue.path.map(String));
  switch (issue.code) {
    case "unrecognized_keys":
      return issue.keys.map((key) => unknownKey([...path, key]));
    case "invalid_type":
      if (issue.expected === "never") return [{ path, value, problem: issue.message, fix: "remove it" }];
      return [wrongKind(path, value, issue.expected)];
    case "invalid_key":
      return [
        {
          path,
          problem: `is not ${issue.issues[0]?.message ?? "an allowed name"}`,
          fix: writeAscii(path.at(-1)) ?? "rename it",
        },
      ];
    case "too_small":
    case "too_big":
      return [outOfBounds(path, value, issue)];
    case "invalid_format":
      return [
        { path, value, problem: `is not ${issue.message}`, fix: writeAscii(value) ?? writeExample(path) },
      ];
    case "custom":
      return [{ path, value, problem: issue.message }];
    default: {
      const allowed = allowedValues(issue);
      if (value === undefined) return [missing(path)];
      if (allowed.length > 0) return [oneOf(path, value, allowed)];
      return [{ path, value, problem: `is not ${issue.message}`, fix: writeExample(path) }];
    }
  }
}

/**
 * Converts the errors of a schema to faults in the user's terms.
 * @param prefix the path of `raw` in the stack
 */
export function shapeFaults(error: z.ZodError, raw: unknown, prefix: Path): Fault[] {
  return error.issues.flatMap((issue) => faultsOf(issue, raw, prefix));
}
