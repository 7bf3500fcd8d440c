import { readFileSync, realpathSync } from "node:fs";
import { join, sep } from "node:path";
import { UserError } from "../../config-schemas/load";
import { publicKeyFault } from "../../config-schemas/public-files";

/**
 * Reads the key of a vendor's package archive, base64. The operator puts it into the checkout; the host checks its fingerprint.
 * @param file its path in the checkout
 * @returns undefined if there is no such file
 * @throws UserError if the file is not a public key: everybody can read it in previews, in the state and on the host
 */
export function archiveKey(projectDirectory: string, file: string): string | undefined {
  const path = join(projectDirectory, file);
  let real: string;
  try {
    real = realpathSync(path);
  } catch {
    return undefined;
  }
  if (!real.startsWith(`${realpathSync(projectDirectory)}${sep}`))
    throw new UserError(
      `${path} is a link to a file outside the checkout; fix: replace the link with the key itself`,
    );
  const key = readFileSync(real);
  const fault = publicKeyFault(key);
  if (fault === undefined) return key.toString("base64");
  throw new UserError(
    `${path} ${fault}, and would become public; fix: download the vendor's key to this path again`,
  );
}
