import type { HostFile, Ownership } from "../provider/sdk";

/** A file of root's that everybody may read. */
export function publicFile(content: string): HostFile {
  return { content, mode: "0644", owner: "root", group: "root" };
}

/** A directory of root's that everybody may look into. */
export const PUBLIC_DIRECTORY: Ownership = { mode: "0755", owner: "root", group: "root" };
