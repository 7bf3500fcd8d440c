import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { HostFile } from "../provider/sdk";
import { publicFile } from "./ownership";
import { type Places, SYSTEM_PLACES } from "./places";

/** Where the helper programs of a service of root's lie on its host. */
export function programFolder(service: string): string {
  return SYSTEM_PLACES.programs(service);
}

/**
 * The programs that a component brings along, from its folder `host/`, as files of its Release. They are static:
 * whatever they need to know reaches them as arguments.
 * @param service name of the component and of the folder on the host
 */
export function hostPrograms(service: string, places: Places = SYSTEM_PLACES): Record<string, HostFile> {
  const source = join(__dirname, service, "host");
  const names = readdirSync(source).filter((name) => /\.(py|sh)$/.test(name));
  return Object.fromEntries(
    names.sort().map((name) => {
      return [
        `${places.programs(service)}/${name}`,
        publicFile(readFileSync(join(source, name), "utf8"), places),
      ];
    }),
  );
}
