import { release } from "../../provider/machine/release";
import { toProperties } from "../../provider/protocol/values";

/** The answer of a {@link main} run. */
export interface LocalAnswer {
  faults: string[];
  generation?: unknown;
  /** Paths that differ between the wanted state and a read right after the apply. */
  differences?: string[];
}

/** Applies the release from standard input (JSON), reads it again, and prints a {@link LocalAnswer}. */
async function main(): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin) chunks.push(Buffer.from(chunk));
  const wanted = toProperties(JSON.parse(Buffer.concat(chunks).toString("utf8")));
  const urn = "urn:pulumi:test::hearth::hearth-host:index:Release::here-mini";
  const silent = async () => undefined;
  const log = { step: silent, info: silent, warning: silent, debug: silent };
  const signal = new AbortController().signal;
  const call = { urn, name: "here-mini", preview: false, offline: false, log, signal, timeoutSeconds: 60 };
  const { inputs, faults } = release.check({}, wanted);
  if (faults.length > 0) return answer({ faults });
  const { id, outputs } = await release.create(call, inputs);
  const found = await release.read(call, { id, inputs, outputs });
  if (!found) throw new Error("the release that was just applied is gone");
  const differences = [...release.diff(found.inputs, inputs).details.keys()];
  answer({ faults, generation: found.outputs.generation, differences });
}

function answer(found: LocalAnswer): void {
  process.stdout.write(JSON.stringify(found));
}

main().catch((error: Error) => {
  process.stderr.write(`${error.message}\n`);
  process.exit(1);
});
