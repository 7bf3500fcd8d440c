import fs from "node:fs/promises";
import type { EngineEvent } from "@pulumi/pulumi/automation";

/** One resource in a plan or an update, as the engine reported it. */
export interface ResourceStep {
  /** `same`, `create`, `update`, `delete`, `refresh` … */
  op: string;
  /** Last part of its URN, e.g. `vps-homeserver`. */
  name: string;
  type: string;
  urn: string;
  /** The changed property paths, each with its kind of change: `add`, `update`, `delete` (with `-replace`). */
  changes: Record<string, string>;
}

/** What one run of the engine reported. */
export interface EngineReport {
  /** Every resource that was not the same. */
  steps: ResourceStep[];
  /** Numbers of resources by operation, e.g. `{ same: 12, update: 1 }`. */
  counts: Record<string, number>;
  errors: string[];
  warnings: string[];
}

/** Reads an event log (one JSON object per line) from the start; ignores an incomplete last line. */
export async function readEvents(file: string): Promise<EngineEvent[]> {
  const text = await fs.readFile(file, "utf8").catch(() => "");
  const lines = text.split("\n").slice(0, -1);
  return lines.map((line) => JSON.parse(line) as EngineEvent);
}

export function report(events: readonly EngineEvent[]): EngineReport {
  const steps: ResourceStep[] = [];
  const messages = { errors: [] as string[], warnings: [] as string[] };
  let counts: Record<string, number> = {};
  for (const { resourcePreEvent, diagnosticEvent, summaryEvent } of events) {
    if (resourcePreEvent && resourcePreEvent.metadata.op !== "same")
      steps.push(stepOf(resourcePreEvent.metadata));
    if (diagnosticEvent?.severity === "error") messages.errors.push(diagnosticEvent.message.trim());
    if (diagnosticEvent?.severity === "warning") messages.warnings.push(diagnosticEvent.message.trim());
    if (summaryEvent) counts = { ...summaryEvent.resourceChanges } as Record<string, number>;
  }
  return { steps, counts, ...messages };
}

/** The names of resources that are being changed now, for a progress display. */
export function underWay(events: readonly EngineEvent[]): string[] {
  const names = new Set<string>();
  for (const { resourcePreEvent, resOutputsEvent, resOpFailedEvent } of events) {
    const begun = resourcePreEvent?.metadata;
    const changes =
      begun?.new?.custom && !begun.type.startsWith("pulumi:") && !["same", "refresh"].includes(begun.op);
    if (changes) names.add(nameOf(begun.urn));
    const ended = resOutputsEvent ?? resOpFailedEvent;
    if (ended) names.delete(nameOf(ended.metadata.urn));
  }
  return [...names];
}

type Metadata = NonNullable<EngineEvent["resourcePreEvent"]>["metadata"];

function stepOf({ op, urn, type, detailedDiff }: Metadata): ResourceStep {
  const changes = Object.entries(detailedDiff ?? {}).map(([path, diff]) => [path, String(diff.diffKind)]);
  return { op, name: nameOf(urn), type, urn, changes: Object.fromEntries(changes) as Record<string, string> };
}

/** The last part of a URN: the resource's own name. */
export function nameOf(urn: string): string {
  return urn.slice(urn.lastIndexOf("::") + 2);
}
