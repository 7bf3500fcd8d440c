/** An error that the user can fix; the command line prints only its message. */
export class CliError extends Error {
  override readonly name = "CliError";
}
