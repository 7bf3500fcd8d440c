/** A fault the user can do something about; the command line prints its message alone. */
export class CliError extends Error {
  override readonly name = "CliError";
}
