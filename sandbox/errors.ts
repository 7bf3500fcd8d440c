/**
 * A fault the user can do something about: its message says what, where and how to go on.
 * The command line prints the message alone; every other error is a bug and keeps its stack.
 */
export class SandboxError extends Error {
  override readonly name = "SandboxError";
}

/** Text of any thrown value, for use inside another message. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
