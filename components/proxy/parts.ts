import type { ReleaseInputs } from "../../provider/sdk";

export const SERVICE = "proxy";

/** What one kind of proxy puts on its host. */
export type ProxyParts = Pick<
  ReleaseInputs,
  "packages" | "directories" | "files" | "images" | "units" | "ports" | "preflights" | "validators" | "health"
>;

/** Name of the revision that says which certificate there is, where one is used. */
export const CERTIFICATE_REVISION = "certificates";
/** The same as subject of a unit's list. */
export const CERTIFICATE_CHANGED = `revision:${CERTIFICATE_REVISION}`;
