import { readFileSync } from "node:fs";
import https from "node:https";
import type { Tailnet } from "../../sandbox/tailnet";

/** What a request from the internet came to. */
export interface OutsideAnswer {
  status: number;
  body: string;
}

/** Asks for a URL whose name leads to the tailnet's host, as public DNS would say; the certificate is checked. */
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
