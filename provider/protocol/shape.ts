import { hasUnknown, isObject, join, type Properties, UNKNOWN, type Value } from "./values";

/**
 * Describes what a property may be. `check` returns the value as it is stored (defaults filled in, spelling normalised)
 * and adds one message per fault: path, value, what is allowed. Unknown values pass. The values given to it are revealed.
 */
export interface Shape<T> {
  check(value: Value | undefined, path: string, faults: string[]): Value | undefined;
  /** Carries the type; never set. */
  readonly type?: T;
}

/** Inputs or outputs that the engine kept for us, as typed value; throws when they are not of the shape. */
export function parse<T>(shape: Shape<T>, properties: Properties, what: string): T {
  const faults: string[] = [];
  const value: unknown = shape.check(properties, "", faults);
  if (hasUnknown(properties)) faults.push("a value is not known yet");
  if (accepted(shape, value, faults)) return value;
  throw new Error(`${what} cannot be used: ${faults.join("; ")}`);
}

/** A value that its shape found no fault with is of its type. */
function accepted<T>(_shape: Shape<T>, _value: unknown, faults: string[]): _value is T {
  return faults.length === 0;
}

/** `"value"` for a message, cut when it is long. */
export function quote(value: Value | undefined): string {
  const text = JSON.stringify(value === undefined ? null : value);
  return text.length > 90 ? `${text.slice(0, 87)}…` : text;
}

export interface TextRules {
  /** The whole text must match. */
  pattern?: RegExp;
  /** What is allowed, completing "write …". */
  write: string;
  /** Brings different spellings of the same to one, before the pattern is asked. */
  normalise?: (text: string) => string;
  /** Refuses what the pattern cannot say: returns the complaint. */
  refuse?: (text: string) => string | undefined;
  /** Never shown in messages. */
  sensitive?: boolean;
  /** Tab and newline are allowed (default: refused, they separate rows and columns on the way to the host). */
  multiline?: boolean;
}

export function text(rules: TextRules): Shape<string> {
  return {
    check(value, path, faults) {
      if (value === UNKNOWN) return value;
      const shown = rules.sensitive ? "the value" : quote(value);
      if (typeof value !== "string")
        return fault(faults, path, `${shown} is not text; write ${rules.write}`, value);
      const normal = rules.normalise ? rules.normalise(value) : value;
      const complaint =
        (!rules.multiline && controlComplaint(normal)) ||
        rules.refuse?.(normal) ||
        (rules.pattern && !rules.pattern.test(normal) ? "is not allowed" : undefined);
      return complaint ? fault(faults, path, `${shown} ${complaint}; write ${rules.write}`, value) : normal;
    },
  };
}

/** Rows on the way to the host are lines, their columns are separated by tabs. */
function controlComplaint(value: string): string | undefined {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is refused here
  return /[\u0000-\u001f\u007f]/.test(value) ? "contains a tab, newline or control character" : undefined;
}

export const flag: Shape<boolean> = {
  check(value, path, faults) {
    if (value === UNKNOWN || typeof value === "boolean") return value;
    return fault(faults, path, `${quote(value)} is neither true nor false`, value);
  },
};

export function integer(least: number, most: number): Shape<number> {
  return {
    check(value, path, faults) {
      if (value === UNKNOWN) return value;
      if (typeof value === "number" && Number.isInteger(value) && value >= least && value <= most)
        return value;
      return fault(faults, path, `${quote(value)} is not a whole number from ${least} to ${most}`, value);
    },
  };
}

export function oneOf<T extends string>(...choices: T[]): Shape<T> {
  return {
    check(value, path, faults) {
      if (value === UNKNOWN || choices.some((choice) => choice === value)) return value;
      return fault(faults, path, `${quote(value)} is none of ${choices.join(", ")}`, value);
    },
  };
}

export function list<T>(item: Shape<T>, rules: { least?: number; sorted?: boolean } = {}): Shape<T[]> {
  return {
    check(value, path, faults) {
      if (value === UNKNOWN) return value;
      if (!Array.isArray(value)) return fault(faults, path, `${quote(value)} is not a list`, value);
      if (value.length < (rules.least ?? 0)) faults.push(`${path}: the list is empty`);
      const checked = value.map((entry, index) => item.check(entry, `${path}[${index}]`, faults) ?? null);
      return rules.sorted ? checked.sort() : checked;
    },
  };
}

/** A map; an absent one is empty. `key` describes its keys. */
export function record<T>(key: Shape<string>, item: Shape<T>): Shape<Record<string, T>> {
  return {
    check(value, path, faults) {
      if (value === UNKNOWN) return value;
      if (value === undefined || value === null) return {};
      if (!isObject(value)) return fault(faults, path, `${quote(value)} is not a map`, value);
      const entries = Object.entries(value)
        .filter(([, entry]) => entry !== null)
        .map(([name, entry]): [string, Value] => {
          key.check(name, join(path, name), faults);
          return [name, item.check(entry, join(path, name), faults) ?? null];
        });
      return Object.fromEntries(entries);
    },
  };
}

/** An object with exactly these members. */
export function object<T extends object>(members: { [K in keyof T]-?: Shape<T[K]> }): Shape<T> {
  const shapes = new Map<string, Shape<unknown>>(Object.entries<Shape<unknown>>(members));
  return {
    check(value, path, faults) {
      if (value === UNKNOWN) return value;
      if (!isObject(value)) {
        return fault(
          faults,
          path,
          value === undefined ? "is missing" : `${quote(value)} is not an object`,
          value,
        );
      }
      for (const key of Object.keys(value)) {
        if (shapes.has(key)) continue;
        faults.push(`${join(path, key)}: is not a key here; the keys are ${[...shapes.keys()].join(", ")}`);
      }
      const result: Properties = {};
      for (const [key, shape] of shapes) {
        const member = value[key] === null ? undefined : value[key];
        const checked = shape.check(member, join(path, key), faults);
        if (checked !== undefined) result[key] = checked;
      }
      return result;
    },
  };
}

export function optional<T>(shape: Shape<T>): Shape<T | undefined> {
  return {
    check: (value, path, faults) => (value === undefined ? undefined : shape.check(value, path, faults)),
  };
}

/** One of several objects, told apart by their `kind`. */
export function kinds<T extends { kind: string }>(
  variants: { [K in T["kind"]]: Shape<Extract<T, { kind: K }>> },
): Shape<T> {
  const shapes = new Map<string, Shape<unknown>>(Object.entries<Shape<unknown>>(variants));
  return {
    check(value, path, faults) {
      if (value === UNKNOWN) return value;
      const kind = isObject(value) ? value.kind : undefined;
      if (kind === UNKNOWN) return value;
      const shape = typeof kind === "string" ? shapes.get(kind) : undefined;
      if (shape) return shape.check(value, path, faults);
      return fault(faults, path, `kind ${quote(kind)} is none of ${[...shapes.keys()].join(", ")}`, value);
    },
  };
}

function fault(
  faults: string[],
  path: string,
  complaint: string,
  value: Value | undefined,
): Value | undefined {
  faults.push(value === undefined ? `${path}: is missing` : `${path}: ${complaint}`);
  return value;
}
