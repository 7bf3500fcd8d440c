import https from "node:https";

/** The address of a name that is not in DNS, the request, and the timeout in seconds. */
export interface Outside {
  address: string;
  host: string;
  /** Sent unchanged. */
  path: string;
  seconds: number;
}

/** The answer of a server to a client on the internet. The certificate is not checked. */
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

/** Only the status; 0 if nothing answers in time. */
export function statusFrom(question: Outside): Promise<number> {
  return answerFrom(question).then(
    ({ status }) => status,
    () => 0,
  );
}
