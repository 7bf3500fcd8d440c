import * as pb from "@pulumi/pulumi/proto/provider_pb";
import { visibleLines } from "../text";
import { type Detail, topLevel } from "./diff";
import type { Checked, Difference } from "./resource";
import { toStruct } from "./values";

const { Kind } = pb.PropertyDiff;
const KINDS = {
  add: [Kind.ADD, Kind.ADD_REPLACE],
  delete: [Kind.DELETE, Kind.DELETE_REPLACE],
  update: [Kind.UPDATE, Kind.UPDATE_REPLACE],
} as const;

/**
 * Faults name no property: the engine would print the property's value, secrets in clear. The path is in the reason.
 */
export function checkResponse({ inputs, faults }: Checked): pb.CheckResponse {
  const failures = faults.map((fault) =>
    new pb.CheckFailure().setProperty("").setReason(visibleLines(fault)),
  );
  return new pb.CheckResponse().setInputs(toStruct(inputs)).setFailuresList(failures);
}

/** Without any detail the engine would print every input there is; a path that is no property is one line of words. */
const IN_WORDS: [string, Detail] = ['["told in words"]', { kind: "add", replace: false }];

export function diffResponse({ details: shown, silent = false }: Difference): pb.DiffResponse {
  const details = shown.size === 0 && silent ? new Map([IN_WORDS]) : shown;
  const response = new pb.DiffResponse().setHasdetaileddiff(true);
  const { DIFF_SOME, DIFF_NONE } = pb.DiffResponse.DiffChanges;
  response.setChanges(details.size > 0 ? DIFF_SOME : DIFF_NONE);
  for (const [path, detail] of details) response.getDetaileddiffMap().set(path, propertyDiff(detail));
  const paths = [...details.keys()];
  response.setDiffsList([...new Set(paths.map(topLevel))]);
  response.setReplacesList(paths.filter((path) => details.get(path)?.replace));
  return response;
}

/** `inputDiff`: paths are read from inputs, so outputs need not repeat file contents. */
function propertyDiff({ kind, replace }: Detail): pb.PropertyDiff {
  return new pb.PropertyDiff().setKind(KINDS[kind][replace ? 1 : 0]).setInputdiff(true);
}
