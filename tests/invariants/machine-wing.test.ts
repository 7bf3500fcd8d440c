import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

// The wing `machine/` is about hosts: files, units, packages, containers. What runs there is the program's to know.
const WING = join(__dirname, "../../provider/machine");
const SERVICES =
  /nginx|caddy|apache|postgres|psql|pg_|synapse|matrix|element|tailscale|funnel|dynu|livekit|coturn|certbot|acme/i;

const files = readdirSync(WING, { recursive: true, encoding: "utf8" }).filter((name) =>
  /\.(ts|sh|py)$/.test(name),
);

it("there are programs and modules in the wing", () => {
  expect(files.length).toBeGreaterThan(50);
});

it.each(files)("%s names no service", (file) => {
  const lines = readFileSync(join(WING, file), "utf8").split("\n");
  expect(lines.filter((line) => SERVICES.test(line))).toEqual([]);
});

it("neither do the facts of a host in the contract", () => {
  const lines = readFileSync(join(WING, "../contract/host.ts"), "utf8").split("\n");
  expect(lines.filter((line) => SERVICES.test(line))).toEqual([]);
});
