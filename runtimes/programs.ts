import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { CHECKOUT } from "../config-schemas/checkout";
import type { HostFile } from "../provider/sdk";
import { publicFile } from "./ownership";
import { type Places, SYSTEM_PLACES } from "./places";
import type { ServiceSpec } from "./service";

/** Folder of a component with its programs for a host. */
const FOLDER = "programs";
/** Folder of the components; their programs are files, not modules. */
const COMPONENTS = join(CHECKOUT, "components");

/** Names of the programs in a component's folder `programs/`. */
export function programsOf(component: string): string[] {
  const folder = join(COMPONENTS, component, FOLDER);
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => /\.(py|sh)$/.test(name))
    .sort();
}

/** The text of one program. Programs are static: they get all values as arguments. */
export function programText(component: string, name: string): string {
  return readFileSync(join(COMPONENTS, component, FOLDER, name), "utf8");
}

/** The files of a service's program folder on its host, by name. */
export function programFilesOf({ name: service, programFiles }: ServiceSpec): Record<string, string> {
  const own = programsOf(service).map((name) => [name, programText(service, name)] as const);
  return { ...Object.fromEntries(own), ...programFiles };
}

/** The programs of a component that is not a service, as files of a Release. */
export function hostPrograms(component: string, places: Places = SYSTEM_PLACES): Record<string, HostFile> {
  return Object.fromEntries(
    programsOf(component).map((name) => [
      `${places.programs(component)}/${name}`,
      publicFile(programText(component, name), places),
    ]),
  );
}
