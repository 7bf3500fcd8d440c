import path from "node:path";
import { stringify } from "yaml";
import { type RunResult, Stack } from "../sandbox/deploy/stack";
import type { Contender, Field } from "./contender";

/** Hearth with the same state through one Release. Only the edition changes. */
export interface HearthContender extends Contender {
  /** `pulumi up --skip-preview`: the next step for a user who has just seen the preview. */
  applySeen(): Promise<number>;
}

export function hearth({ host, directory }: Field): HearthContender {
  const project = path.join(__dirname, "program");
  const stack = new Stack({ name: "bench", directory, project });
  return {
    name: "Hearth",
    async write(state) {
      const first = state.files.find(({ path: file }) => file === Object.values(state.units)[0]);
      const edition = first?.content.trim().split(" ")[1] ?? "";
      const values = { edition, address: host.address, sshConfigFile: host.sshConfigFile };
      const config = Object.entries(values).map(([key, value]) => [`hearth-bench:${key}`, value]);
      await stack.prepare(stringify({ config: Object.fromEntries(config) }));
    },
    preview: async () => changesOf(await stack.preview()),
    apply: async () => changesOf(await stack.up()),
    applySeen: async () => changesOf(await stack.up({ args: ["--skip-preview"] })),
  };
}

/** Number of changed resources; throws with the engine's message if the run failed. */
export function changesOf(result: RunResult): number {
  if (!result.ok)
    throw new Error(`${result.errors.join("\n") || result.output}\nFull output: ${result.logFile}`);
  const { same: _, ...changed } = result.counts;
  return Object.values(changed).reduce((sum, count) => sum + count, 0);
}
