import { NO_SHELL } from "./failures";
import type { ProcessResult } from "./process";
import { said } from "./said";

/** Whether sshd hung up before it showed its host key. A jump host's `UNKNOWN port` has reasons of its own. */
export function isDropped(words: string): boolean {
  return /^kex_exchange_identification: /m.test(words) && !words.includes("UNKNOWN port");
}

/** How ssh says that sshd opens no more sessions on the shared connection. */
const REFUSED = /Session open refused by peer/;
/** Words of ssh from before it has handed its program to the shared connection. */
const NEVER_STARTED =
  /kex_exchange_identification|closed by UNKNOWN port|session request failed|Control socket connect|mux_client_(hello_exchange|request_alive)|mux_client_request_session: write packet/;

/** Whether sshd refused one more session on the shared connection: the program never ran. */
export function isRefused(result: ProcessResult): boolean {
  return result.status === 255 && result.came === "nothing" && !result.ended && REFUSED.test(result.stderr);
}

/**
 * Whether ssh found no shared connection, or a dying one, and its forbidden direct one failed: the program never ran. Of one that
 * died without a word the program may have begun: a look (`again`) is tried again then too.
 */
export function neverStarted(result: ProcessResult, again: boolean): boolean {
  if (result.status !== 255 || result.came !== "nothing" || result.ended || isRefused(result)) return false;
  return NEVER_STARTED.test(result.stderr) || (again && result.stderr.trim() === "");
}

/** What a login said whose shell did not run the command. */
export function failureOf(result: ProcessResult): string | undefined {
  const { status, stderr, outside, came, ended } = result;
  if (came === "whole") return undefined;
  const words = said(outside, stderr);
  if (ended)
    return words.length === 0 ? "Connection timed out" : `${NO_SHELL} (it did not end)\n${words.join("\n")}`;
  if (status === -1) return `ssh could not be started: ${stderr}`;
  if (status === 255 && said(outside).length === 0) return stderr;
  return [`${NO_SHELL} (status ${status}: ${words.at(-1) ?? "it said nothing"})`, ...words].join("\n");
}
