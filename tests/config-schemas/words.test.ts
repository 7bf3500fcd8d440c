import type { z } from "zod";
import {
  dnsName,
  duration,
  hostName,
  localpart,
  remoteServerName,
  size,
} from "../../config-schemas/language/common";
import { stackSchema } from "../../config-schemas/stack";

/** The words of a shape, written again without a pattern. */
type Says = (text: string) => boolean;

const only = (text: string, letters: string) => [...text].every((letter) => letters.includes(letter));
const [LETTERS, DIGITS] = ["abcdefghijklmnopqrstuvwxyz", "0123456789"];
const within = (text: string, least: number, most: number) => text.length >= least && text.length <= most;
const starts = (text: string, letters: string) => letters.includes(text[0] ?? " ");
const count = (text: string, most: number) =>
  only(text, DIGITS) && text !== "" && !text.startsWith("0") && Number(text) <= most;

const isDnsName: Says = (text) => {
  const parts = text.split(".");
  const last = parts.at(-1) ?? "";
  const good = (part: string) =>
    within(part, 1, 63) && only(part, `${LETTERS}${DIGITS}-`) && !part.startsWith("-") && !part.endsWith("-");
  return text.length <= 253 && parts.length > 1 && parts.every(good) && !only(last, `${DIGITS}-`);
};
const named =
  (most: number, first: string, more: string): Says =>
  (text) =>
    within(text, 1, most) && starts(text, first) && only(text, more);

const section = (name: keyof typeof stackSchema.shape): z.ZodType => stackSchema.shape[name];
/** The shape of a key below a section: a value with only that key; its other faults do not count. */
const keyOf = (name: keyof typeof stackSchema.shape, wrap: (key: string) => unknown) => (key: string) => {
  const parsed = section(name).safeParse(wrap(key));
  return parsed.success || !parsed.error.issues.some(({ code }) => code === "invalid_key");
};
const takes = (shape: z.ZodType) => (text: string) => shape.safeParse(text).success;

const SHAPES: [string, (text: string) => boolean, Says][] = [
  [
    "duration",
    takes(duration),
    (text) => "smhdwy".includes(text.at(-1) ?? " ") && count(text.slice(0, -1), 999_999_999),
  ],
  [
    "size",
    takes(size),
    (text) => "KMGT".includes(text.at(-1) ?? " ") && count(text.slice(0, -1), 999_999_999),
  ],
  ["host of the stack", takes(hostName), named(31, LETTERS, `${LETTERS}${DIGITS}-`)],
  ["host name", takes(dnsName), isDnsName],
  [
    "server name with a port",
    takes(remoteServerName),
    (text) => {
      const [name = "", port, ...more] = text.split(":");
      return more.length === 0 && isDnsName(name) && (port === undefined || count(port, 65_535));
    },
  ],
  [
    "local part",
    takes(localpart),
    (text) => named(201, LETTERS + DIGITS, `${LETTERS}${DIGITS}._=+-`)(text) && !only(text, DIGITS),
  ],
  [
    "account",
    keyOf("accounts", (key) => ({ [key]: {} })),
    (text) => named(201, LETTERS + DIGITS, `${LETTERS}${DIGITS}._=+-`)(text) && !only(text, DIGITS),
  ],
  [
    "key of a room",
    keyOf("rooms", (key) => ({ rooms: { [key]: {} } })),
    named(41, LETTERS, `${LETTERS}${DIGITS}-`),
  ],
];

/** Texts near the limits of every shape, also cut, doubled and joined; the same texts in every run. */
function texts(): string[] {
  const seeds = [
    ..."a b.c vps 9lives 42 _x -a a- a_b a.b=c+d-e A É ü . .. : @ a:1 0d 1d 01d 999999999w 1000000000s 14 12K 0M 5mb".split(
      " ",
    ),
    ..."example.org example.org:8448 a.b:0 a.b:65535 a.b:65536 a.b:1:2 müllers.example xn--a.example 1.2.3.4 a.1 a.1b -a.b a-.b a..b a.b.".split(
      " ",
    ),
    "",
    "a b",
    "a\n",
    "\n",
    ...[30, 31, 32, 40, 41, 42, 63, 64, 200, 201, 202].flatMap((length) =>
      ["a", "9"].map((one) => one.repeat(length)),
    ),
    `${"a".repeat(63)}.${"b".repeat(63)}.${"c".repeat(63)}.${"d".repeat(61)}`,
    `${"a".repeat(63)}.${"b".repeat(63)}.${"c".repeat(63)}.${"d".repeat(62)}`,
    `${"a".repeat(64)}.example`,
  ];
  const ends = ["", "-", "_", ".", "1", "a", "Z", " ", "é"];
  return seeds.flatMap((seed) => ends.flatMap((end) => [seed + end, end + seed, `a${seed}`, seed.slice(1)]));
}

test.each(SHAPES)("%s: accepts exactly what its words allow", (_name, accepts, says) => {
  const differing = [...new Set(texts())].filter((text) => accepts(text) !== says(text));
  expect(differing).toEqual([]);
});
