import type { Connection } from "../../provider/contract/connection";
import { withoutHeader } from "../../provider/machine/release/header";
import { connectionShape } from "../../provider/protocol/connection";
import { parse } from "../../provider/protocol/shape";
import { isObject, type Properties, type Value } from "../../provider/protocol/values";
import { CliError } from "../errors";
import { inputsOf, type StateResource } from "../resources";

const TYPE = "hearth-host:index:Release";

/** The release of backups, as far as the commands need it. */
export interface BackupRelease {
  connection: Connection;
  /** Texts of its files by path. */
  files: ReadonlyMap<string, string>;
}

/** The release of backups among a stack's resources; undefined: the stack has none. */
export function backupIn(resources: StateResource[]): BackupRelease | undefined {
  const all = resources.filter((one) => one.type === TYPE && one.delete !== true).map(inputsOf);
  const inputs = all.find((one) => one?.release === "backup");
  if (inputs === undefined) return undefined;
  const files = isObject(inputs.files ?? null) ? Object.entries(inputs.files as Record<string, Value>) : [];
  return {
    connection: parse(
      connectionShape,
      { ...inputs }.connection as Properties,
      "the connection of the backups",
    ),
    files: new Map(
      files.map(([path, file]) => [path, isObject(file) ? withoutHeader(path, String(file.content)) : ""]),
    ),
  };
}

/** The path of the file with this name. */
export function pathOf({ files }: BackupRelease, name: string): string {
  const path = [...files.keys()].find((one) => one.endsWith(`/${name}`));
  if (path === undefined)
    throw new CliError(`the release of backups has no ${name}\n  fix: run pulumi up first`);
  return path;
}
