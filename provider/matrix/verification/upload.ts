import { summary } from "./api";
import { bytes, type Finding, fail, firstLine, notChecked, pass } from "./finding";
import type { Observations } from "./host";
import type { Answer, Question } from "./network";

/**
 * Announces an upload one byte larger than the limit and sends none of it: a proxy with the right limit refuses on the
 * headers alone, before anybody has to log in.
 */
export async function checkAboveLimit(
  ask: (question: Omit<Question, "host" | "port">) => Promise<Answer>,
  limit: number,
): Promise<Finding> {
  const question: Omit<Question, "host" | "port"> = {
    path: "/_matrix/media/v3/upload",
    method: "POST",
    headers: {
      "content-length": limit + 1,
      "content-type": "application/octet-stream",
      expect: "100-continue",
    },
    headersOnly: true,
  };
  try {
    return judgeAboveLimit(limit, await ask(question));
  } catch (error) {
    return judgeAboveLimit(limit, undefined, firstLine(error));
  }
}

const FIX = "make the proxy's body limit (nginx: client_max_body_size) equal to max_upload_size";

export function judgeAboveLimit(limit: number, answer: Answer | undefined, error = ""): Finding {
  const size = `${bytes(limit)} + 1 byte`;
  if (answer?.status === 413) return pass(`${size} refused with 413`);
  if (answer?.status === 100) return fail(`the proxy was ready to take ${size}`, FIX);
  if (answer === undefined) return fail(`${size}: ${error}, instead of a refusal with 413`, FIX);
  return fail(`${size} was answered with ${summary(answer)} instead of 413`, FIX);
}

/** The same, where the host itself has sent the body to the proxy behind a tunnel. */
export function judgeAboveLimitBehind(limit: number, seen: Observations["aboveLimit"]): Finding {
  const size = `${bytes(limit)} + 1 byte`;
  if (seen === undefined || seen.error !== undefined) {
    return notChecked(seen?.error ?? "the host gave no answer", "see that the proxy runs on the host");
  }
  if (seen.status === 413) return pass(`${size} refused with 413`);
  return fail(`${size} was answered with ${seen.hungUp ?? seen.status} instead of 413`, FIX);
}
