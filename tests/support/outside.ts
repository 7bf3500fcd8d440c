import https from "node:https";

/** Where a name leads that is in no DNS, what is asked there, and for how many seconds an answer is waited for. */
export interface Outside {
  address: string;
  host: string;
  /** Sent as it is. */
  path: string;
  seconds: number;
}

/** What a server answers to somebody on the internet. The certificate is not judged. */
export function answerFrom({
  address,
  host,
  path,
  seconds,
}: Outside): Promise<{ status: number; body: string }> {
  const signal = AbortSignal.timeout(seconds * 1000);
  return new Promise((resolve, reject) => {
    const request = https.request(
      {
        ...{ host: address, servername: host, path, headers: { host } },
        ...{ rejectUnauthorized: false, agent: false, signal },
      },
      (response) => {
        let body = "";
        response.setEncoding("utf8").on("data", (chunk: string) => {
          body += chunk;
        });
        response.on("error", reject);
        response.on("end", () => resolve({ status: response.statusCode ?? 0, body }));
      },
    );
    request.on("error", reject).end();
  });
}

/** Only the status; 0 when nothing answers in time. */
export function statusFrom(question: Outside): Promise<number> {
  return answerFrom(question).then(
    ({ status }) => status,
    () => 0,
  );
}
