import type { Call } from "../protocol/resource";

const warned = new Set<string>();

/** Says once per host that it is not contacted. */
export async function warnOffline(call: Call, host: string): Promise<void> {
  if (warned.has(host)) return;
  warned.add(host);
  await call.log.warning(
    `${host} is not contacted (HEARTH_OFFLINE=1): the plan stands on the last known state`,
  );
}
