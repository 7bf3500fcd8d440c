import fs from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { readEvents, report, underWay } from "../../../sandbox/deploy/engine-events";

const urn = (name: string) => `urn:pulumi:one::hearth::hearth-host:index:Release::${name}`;
const step = (kind: string, op: string, name: string, more: object = {}) => ({
  [kind]: {
    metadata: { op, urn: urn(name), type: "hearth-host:index:Release", new: { custom: true }, ...more },
  },
});

async function written(lines: object[], unfinished = "") {
  const directory = await fs.mkdtemp(path.join(os.tmpdir(), "hearth-events-"));
  const file = path.join(directory, "events");
  await fs.writeFile(file, lines.map((line) => `${JSON.stringify(line)}\n`).join("") + unfinished);
  const events = await readEvents(file);
  await fs.rm(directory, { recursive: true });
  return events;
}

test("a report names each changed property, and omits unchanged ones", async () => {
  const detailedDiff = { 'files["/etc/a"]': { diffKind: "update", inputDiff: true } };
  const events = await written([
    step("resourcePreEvent", "same", "vps-postgres"),
    step("resourcePreEvent", "update", "vps-homeserver", { detailedDiff }),
    { diagnosticEvent: { severity: "error", message: "rolled back\n" } },
    { summaryEvent: { resourceChanges: { same: 1, update: 1 } } },
  ]);
  const { steps, counts, errors } = report(events);
  expect(steps.map(({ op, name, changes }) => ({ op, name, changes }))).toEqual([
    { op: "update", name: "vps-homeserver", changes: { 'files["/etc/a"]': "update" } },
  ]);
  expect({ counts, errors }).toEqual({ counts: { same: 1, update: 1 }, errors: ["rolled back"] });
});

test("progress reads a log that is still being written: it drops finished resources, hides components, and waits for an incomplete line", async () => {
  const events = await written(
    [
      step("resourcePreEvent", "create", "vps-component", { new: {} }),
      step("resourcePreEvent", "create", "vps-postgres"),
      step("resourcePreEvent", "create", "vps-homeserver"),
      step("resOutputsEvent", "create", "vps-postgres"),
    ],
    '{"resourcePre',
  );
  expect(underWay(events)).toEqual(["vps-homeserver"]);
});

test("before the engine has written anything there are no events", async () => {
  expect(await readEvents("/nonexistent/events")).toEqual([]);
});
