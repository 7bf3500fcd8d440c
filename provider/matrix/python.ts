import type { HomeserverAccess } from "../contract/matrix";
import { brokenAnswer, type HostCall, hostSession } from "../transport/session";

/**
 * Runs one of the Python programs of provider/matrix/programs on a host: the request travels as `request.json` next to the program
 * (passwords too, so they show in no process list), the answer is the JSON on its standard output. It runs as root or as the
 * login user, as the homeserver's scope says.
 */
export async function askPython<Answer>(
  { connection, scope }: Pick<HomeserverAccess, "connection" | "scope">,
  program: `${string}.py`,
  request: object,
  limits: Pick<HostCall, "signal" | "timeoutSeconds" | "stays">,
): Promise<Answer> {
  const answer = await hostSession(connection).run({
    interpreter: "python3",
    program: `matrix/programs/${program}`,
    asRoot: scope === "system",
    files: [{ name: "request.json", content: JSON.stringify(request) }],
    ...limits,
  });
  if (answer.status !== 0) throw brokenAnswer(connection, program, answer);
  try {
    return JSON.parse(answer.stdout);
  } catch {
    throw brokenAnswer(connection, program, answer);
  }
}
