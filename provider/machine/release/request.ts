import { createHash } from "node:crypto";
import { hostname, userInfo } from "node:os";
import type { ReleaseInputs } from "../../contract/release";
import type { CallFile } from "../../transport/bootstrap";
import { NOUNS } from "./nouns";
import { table } from "./tables";

/** One id for all changes of this process, so that they wait for each other on a host instead of refusing. */
const RUN = createHash("sha256")
  .update(`${process.pid} ${Date.now()} ${hostname()}`)
  .digest("hex")
  .slice(0, 16);

/** What a request says besides the inputs. */
export interface RequestMeta {
  urn: string;
  /** Of the state; absent on create. */
  instance?: string;
  /** Id of one transaction. */
  apply?: string;
  /** First log line wanted (result.sh). */
  line?: number;
}

/** `request/meta` alone, for programs that need no more (result, cancel, delete). */
export function metaFile(inputs: Pick<ReleaseInputs, "release" | "scope">, meta: RequestMeta): CallFile {
  return table("meta", [
    ["release", inputs.release],
    ["scope", inputs.scope],
    ["urn", meta.urn],
    ["instance", meta.instance ?? "-"],
    ["operator", `${userInfo().username}@${hostname()}`],
    ["run", RUN],
    ["apply", meta.apply ?? "-"],
    ["line", String(meta.line ?? 1)],
  ]);
}

/** What observe.sh needs: everything but contents. `fingerprints` are those of the state, as outputs hold them. */
export function observeFiles(
  inputs: ReleaseInputs,
  meta: RequestMeta,
  fingerprints: Record<string, string>,
): CallFile[] {
  return [metaFile(inputs, meta), ...NOUNS.flatMap((noun) => noun.request?.(inputs, fingerprints) ?? [])];
}

/** What apply.sh needs on top: file contents and given secrets. */
export function contentFiles(inputs: ReleaseInputs): CallFile[] {
  return NOUNS.flatMap((noun) => noun.contents?.(inputs) ?? []);
}
