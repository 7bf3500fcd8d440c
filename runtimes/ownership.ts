import type { HostFile, Ownership } from "../provider/sdk";
import { owned, type Places, SYSTEM_PLACES } from "./places";

/** A file of the places' owner that everybody may read. */
export function publicFile(content: string, places: Places = SYSTEM_PLACES): HostFile {
  return { content, ...owned(places, "0644") };
}

/** A directory of root's that everybody may look into. */
export const PUBLIC_DIRECTORY: Ownership = owned(SYSTEM_PLACES, "0755");
