import type { HostFile, Ownership } from "../provider/sdk";
import { owned, type Places, SYSTEM_PLACES } from "./places";

/** A file that belongs to the owner of `places` and that everybody may read. */
export function publicFile(content: string, places: Places = SYSTEM_PLACES): HostFile {
  return { content, ...owned(places, "0644") };
}

/** A directory that belongs to root and that everybody may list. */
export const PUBLIC_DIRECTORY: Ownership = owned(SYSTEM_PLACES, "0755");
