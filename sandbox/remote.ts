import { type Finished, type RunOptions, tryRun } from "./process";

/** One word for a POSIX shell that expands to exactly `text`. */
export function quote(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

/** The command for ssh: one word is shell text, as with ssh itself; several are a program and its arguments. */
export function remoteCommand(words: readonly string[]): string {
  return words.length === 1 ? (words[0] ?? "") : words.map(quote).join(" ");
}

export interface OnHostOptions extends Pick<RunOptions, "input" | "timeout" | "onLine"> {
  /** Account in the host; default: root. `debian` has sudo without a password. */
  user?: string;
}

/**
 * Runs a command in a host through ssh and returns its result, whatever the exit code (255: ssh itself failed).
 * One word is shell text; several are a program and its arguments, taken literally.
 */
export function onHost(
  host: { name: string; sshConfigFile: string },
  command: readonly string[],
  options: OnHostOptions = {},
): Promise<Finished> {
  const login = ["-F", host.sshConfigFile, "-l", options.user ?? "root", host.name];
  return tryRun("ssh", [...login, "--", remoteCommand(command)], options);
}
