import { list, type Shape, text } from "../../../protocol/shape";

// Shapes that several nouns are made of.

export const line = (write: string, pattern?: RegExp) => text({ write, pattern });

/** The host's own rule: absolute, below a top directory, spelt in one way only. */
export const path = text({
  write:
    "an absolute path below a top directory, such as /etc/example/example.conf, without ., .., //, backslash or a / at its end",
  refuse: (value) =>
    /^\/[^/]+\/./.test(value) && !/\/$|\/\/|\\|(^|\/)\.\.?(\/|$)/.test(value)
      ? undefined
      : "is not such a path",
});

export const account = line("the name of a user or group", /^([a-z_][a-z0-9_.-]*\$?|[0-9]+)$/);
/** Whatever a host may report for an owner: names of other directories (`DOMAIN\user`), numbers for accounts that are gone. */
const owner = line("the name of a user or group", /^[^\s:,/-][^\s:,/]*$/);
export const word = line("a name of letters, digits, '.', '_' and '-'", /^[A-Za-z0-9][A-Za-z0-9_.-]*$/);
/** Program and arguments; one argument a line on the way to the host. */
export const argv = list(text({ write: "one program argument" }), { least: 1 });

/** `644`, `0644` and `0o644` are one mode. */
const mode = text({
  write: 'four octal digits as text, such as "0640"',
  normalise: (value) => value.replace(/^0o/, "").padStart(4, "0"),
  pattern: /^[0-7]{4}$/,
});

export const ownership = { mode, owner, group: owner };

export const unitName = line(
  "a unit name, such as example.service",
  /^[A-Za-z0-9][\w:.@\\-]*\.(service|socket|timer|path|target|mount|slice)$/,
);

/** A list that states of earlier versions do not have. */
export function absentIsEmpty<T>(shape: Shape<T[]>): Shape<T[]> {
  return { check: (value, path, faults) => shape.check(value ?? [], path, faults) };
}
