import { readFileSync, realpathSync } from "node:fs";
import { join, sep } from "node:path";
import { UserError } from "../../config-schemas/load";
import { publicKeyFault } from "../../config-schemas/public-files";

/**
 * The key of a vendor's archive, base64: the operator puts it into the checkout, the host checks its fingerprint.
 * @param file its place in the checkout
 * @returns undefined when it is not there
 * @throws UserError when it is something else: it stands in previews, in the state and on the host for everybody to read
 */
export function archiveKey(projectDirectory: string, file: string): string | undefined {
  const place = join(projectDirectory, file);
  let real: string;
  try {
    real = realpathSync(place);
  } catch {
    return undefined;
  }
  if (!real.startsWith(`${realpathSync(projectDirectory)}${sep}`))
    throw new UserError(`${place} is a link that leads out of the checkout; put the key itself there.`);
  const key = readFileSync(real);
  const fault = publicKeyFault(key);
  if (fault === undefined) return key.toString("base64");
  throw new UserError(
    `${place} ${fault}, and would become public. Download the vendor's key to there again.`,
  );
}
