import { readFileSync } from "node:fs";
import https from "node:https";
import type { Tailnet } from "../../sandbox/tailnet";

/** The result of a request from the internet. */
export interface OutsideAnswer {
  status: number;
  body: string;
}

/** Requests a URL; its name resolves to the tailnet's host, like in public DNS, and the certificate is verified. */
export function fromOutside(
  tailnet: Tailnet,
  url: string,
  headers: Record<string, string> = {},
): Promise<OutsideAnswer> {
  const { hostname, pathname, search } = new URL(url);
  const options = {
    host: tailnet.host.address,
    servername: hostname,
    path: pathname + search,
    headers: { host: hostname, ...headers },
    ca: readFileSync(tailnet.host.caFile),
    agent: false as const,
    timeout: 20_000,
  };
  return new Promise((resolve, reject) => {
    const request = https.get(options, (response) => {
      let body = "";
      response.setEncoding("utf8").on("data", (chunk: string) => {
        body += chunk;
      });
      response.on("end", () => resolve({ status: response.statusCode ?? 0, body }));
    });
    request.on("error", reject);
    request.on("timeout", () => request.destroy(new Error(`${url}: no answer in 20 s`)));
  });
}
