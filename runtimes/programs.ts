import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { HostFile } from "../provider/sdk";
import { publicFile } from "./ownership";
import { type Places, SYSTEM_PLACES } from "./places";

/** Folder of a component for the programs it puts on a host. */
const FOLDER = "programs";

/** Where the helper programs of a service of root's lie on its host. */
export function programFolder(service: string): string {
  return SYSTEM_PLACES.programs(service);
}

/** The components' own folders; their programs are files, not modules. */
const COMPONENTS = join(__dirname, "../components");

/**
 * The programs that a component brings along, from its folder `programs/`, as files of its Release. They are static:
 * whatever they need to know reaches them as arguments.
 * @param service name of the component and of the folder on the host
 */
export function hostPrograms(service: string, places: Places = SYSTEM_PLACES): Record<string, HostFile> {
  const names = readdirSync(join(COMPONENTS, service, FOLDER)).filter((name) => /\.(py|sh)$/.test(name));
  return programsOf(service, names.sort(), service, places);
}

/** Some programs of one component, as files of another's Release. */
export function programsOf(
  component: string,
  names: readonly string[],
  service: string,
  places: Places,
): Record<string, HostFile> {
  return Object.fromEntries(
    names.map((name) => {
      const text = readFileSync(join(COMPONENTS, component, FOLDER, name), "utf8");
      return [`${places.programs(service)}/${name}`, publicFile(text, places)];
    }),
  );
}
