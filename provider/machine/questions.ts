import type { HostInputs } from "../contract/host";
import type { CallFile } from "../transport/bootstrap";

/** What goes to facts.sh, a row for each item. */
export function questionFiles({ rootless, distributions, ask }: HostInputs): CallFile[] {
  const known = Object.entries(distributions);
  const programs = Object.entries(ask.programs);
  return [
    table(
      "distributions",
      known.map(([key, { title, refused }]) => [key, title, refused === "" ? "-" : refused]),
    ),
    table(
      "offers",
      known.flatMap(([key, { offers }]) => Object.entries(offers).map((offer) => [key, ...offer])),
    ),
    table(
      "containers",
      rootless ? known.flatMap(([key, { containers }]) => containers.map((name) => [key, name])) : [],
    ),
    table(
      "packages",
      ask.packages.map((name) => [name]),
    ),
    table(
      "installed",
      ask.installed.map((name) => [name]),
    ),
    table(
      "programs",
      programs.map(([name], index) => [String(index), name]),
    ),
    ...(rootless ? [{ name: "request/rootless", content: "" }] : []),
    ...programs.flatMap(([, { content, arguments: words }], index) => [
      { name: `request/program/${index}`, content },
      table(
        `argv/program.${index}`,
        words.map((word) => [word]),
      ),
    ]),
  ];
}

function table(name: string, rows: string[][]): CallFile {
  return { name: `request/${name}`, content: rows.map((row) => `${row.join("\t")}\n`).join("") };
}
