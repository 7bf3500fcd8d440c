/**
 * An error that the user can fix: its message says what, where and the fix.
 * The command line prints only the message; every other error is a bug and keeps its stack.
 */
export class SandboxError extends Error {
  override readonly name = "SandboxError";
}

/** Text of any thrown value, for use inside another message. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
