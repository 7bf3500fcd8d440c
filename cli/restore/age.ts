import { runProcess } from "../../provider/transport/process";
import { CliError } from "../errors";

/** Long enough for a person to type a passphrase or touch a key. */
const SECONDS = 300;

/** Decrypts with the operator's private key, which stays on this machine. */
export async function openWithAge(encrypted: Buffer, identity: string): Promise<string> {
  const argv = ["age", "--decrypt", "--identity", identity];
  const { signal } = new AbortController();
  const { status, stdout, stderr } = await runProcess(argv, {
    input: encrypted,
    signal,
    timeoutSeconds: SECONDS,
  });
  if (status === 0) return stdout;
  if (status === -1)
    throw new CliError("age is not installed on this machine\n  fix: apt-get install age (Debian)");
  const [line = ""] = stderr.trim().split("\n");
  throw new CliError(
    `${identity} does not open the copy of the backups' password (${line})\n  now: nothing was changed\n  fix: use the private key of hearth:backup.recipient`,
  );
}
