import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { HostFile } from "../provider/sdk";
import { publicFile } from "./ownership";

/** Where the helper programs of a service lie on its host. */
export function programFolder(service: string): string {
  return `/usr/local/lib/hearth/${service}`;
}

/**
 * The programs that a component brings along, from its folder `host/`, as files of its Release. They are static:
 * whatever they need to know reaches them as arguments.
 * @param service name of the component and of the folder on the host
 */
export function hostPrograms(service: string): Record<string, HostFile> {
  const source = join(__dirname, service, "host");
  const names = readdirSync(source).filter((name) => /\.(py|sh)$/.test(name));
  return Object.fromEntries(
    names.sort().map((name) => {
      return [`${programFolder(service)}/${name}`, publicFile(readFileSync(join(source, name), "utf8"))];
    }),
  );
}
