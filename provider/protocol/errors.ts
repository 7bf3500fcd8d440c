/** gRPC status codes the engine takes as a clean failure, and the two that say "state may be wrong". */
export const Code = {
  CANCELLED: 1,
  INVALID_ARGUMENT: 3,
  DEADLINE_EXCEEDED: 4,
  FAILED_PRECONDITION: 9,
  ABORTED: 10,
  INTERNAL: 13,
  UNAVAILABLE: 14,
} as const;

/**
 * A failure with one clear message: the first line is the whole verdict, the indented lines say where, what holds now and
 * what to do. `FAILED_PRECONDITION`: refused, nothing touched. `ABORTED`: undone or stopped. `UNAVAILABLE`: host not reached.
 * `INTERNAL` only when a host was left in neither the old nor the new state, or for a bug of ours.
 */
export class ProviderError extends Error {
  constructor(
    readonly code: keyof typeof Code,
    message: string,
  ) {
    super(message);
    this.name = "ProviderError";
  }
}
