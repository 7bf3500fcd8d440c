import * as http from "node:http";
import * as https from "node:https";
import type { AddressInfo } from "node:net";

/** What a proxy can get wrong. All absent: it does everything right. */
export interface Faults {
  /** Passes `/_synapse/admin` too. */
  exposeAdmin?: boolean;
  /** Answers `/metrics` as Synapse's metrics listener would. */
  exposeMetrics?: boolean;
  /** Adds the client's address behind a forged one instead of overwriting it. */
  appendForwarded?: boolean;
  /** Decodes the path before it passes it on. */
  decodePaths?: boolean;
  /** Adds CORS headers to those of Synapse. */
  doubleCors?: boolean;
  /** Changes a key on the way. */
  changeKeys?: boolean;
  /** Serves federation paths on no port. */
  noFederation?: boolean;
  /** Answers over plain HTTP instead of redirecting. */
  plainMatrix?: boolean;
  /** Largest body, bytes, when it is not the homeserver's. */
  bodyLimit?: number;
  /** Other answers for the well-known documents. */
  wellKnown?: {
    [which in "server" | "client"]?: { status?: number; type?: string; cors?: string[]; body?: string };
  };
}

/** Where it takes plain HTTP, as from a tunnel that ends TLS. */
export const CLEAR_PORT = 8080;

export interface ProxyOptions {
  /** A loopback address of the test's own; ports 80, 443, 8448 and {@link CLEAR_PORT} are taken there. */
  address: string;
  upstream: string;
  publicHost: string;
  bodyLimit: number;
  tls: { cert: string; key: string };
}

/** A small reverse proxy in front of a homeserver, right by default, whose faults are planted one by one. */
export class FaultyProxy {
  faults: Faults = {};
  private readonly servers: (http.Server | https.Server)[];
  private readonly secure: https.Server[];

  constructor(private readonly options: ProxyOptions) {
    const handle = (request: http.IncomingMessage, response: http.ServerResponse) =>
      this.handle(request, response);
    this.secure = [443, 8448].map(() => https.createServer(options.tls, handle));
    for (const server of this.secure) {
      server.on("checkContinue", (request: http.IncomingMessage, response: http.ServerResponse) => {
        if (Number(request.headers["content-length"]) <= this.limit()) response.writeContinue();
        this.handle(request, response);
      });
    }
    const plain = http.createServer((request, response) => this.plain(request, response));
    this.servers = [...this.secure, plain, http.createServer(handle)];
  }

  async start(): Promise<void> {
    const ports = [443, 8448, 80, CLEAR_PORT];
    await Promise.all(
      this.servers.map(
        (server, index) =>
          new Promise<void>((resolve, reject) => {
            server.on("error", reject);
            server.listen(ports[index], this.options.address, resolve);
          }),
      ),
    );
  }

  useCertificate(tls: { cert: string; key: string }): void {
    for (const server of this.secure) server.setSecureContext(tls);
  }

  async stop(): Promise<void> {
    await Promise.all(
      this.servers.map((server) => {
        server.closeAllConnections();
        return new Promise((resolve) => server.close(resolve));
      }),
    );
  }

  private limit(): number {
    return this.faults.bodyLimit ?? this.options.bodyLimit;
  }

  private plain(request: http.IncomingMessage, response: http.ServerResponse): void {
    if (this.faults.plainMatrix) this.handle(request, response);
    else response.writeHead(301, { location: `https://${this.options.publicHost}${request.url}` }).end();
  }

  private handle(request: http.IncomingMessage, response: http.ServerResponse): void {
    const path = this.faults.decodePaths ? decodeURIComponent(request.url ?? "/") : (request.url ?? "/");
    const document = /^\/\.well-known\/matrix\/(server|client)$/.exec(path)?.[1];
    if (document === "server" || document === "client") {
      this.wellKnown(document, response);
      return;
    }
    if (path === "/metrics" && this.faults.exposeMetrics) {
      response
        .writeHead(200, { "content-type": "text/plain" })
        .end("# HELP python_info x\n# TYPE python_info gauge\n");
      return;
    }
    if (!this.allowed(path)) {
      response.writeHead(404, { "content-type": "text/html" }).end("<h1>404</h1>");
      return;
    }
    if (Number(request.headers["content-length"] ?? 0) > this.limit()) {
      response.writeHead(413, { "content-type": "text/html", connection: "close" }).end("<h1>413</h1>");
      return;
    }
    this.pass(path, request, response);
  }

  private allowed(path: string): boolean {
    if (this.faults.noFederation && /^\/_matrix\/(federation|key)\//.test(path)) return false;
    return (
      path.startsWith("/_matrix/") || (this.faults.exposeAdmin === true && path.startsWith("/_synapse/"))
    );
  }

  private wellKnown(which: "server" | "client", response: http.ServerResponse): void {
    const base = `https://${this.options.publicHost}`;
    const right =
      which === "server"
        ? { "m.server": `${this.options.publicHost}:443` }
        : { "m.homeserver": { base_url: base } };
    const {
      status = 200,
      type = "application/json",
      cors = ["*"],
      body = JSON.stringify(right),
    } = this.faults.wellKnown?.[which] ?? {};
    response.statusCode = status;
    response.setHeader("content-type", type);
    response.setHeader("access-control-allow-origin", cors);
    response.end(body);
  }

  private pass(path: string, request: http.IncomingMessage, response: http.ServerResponse): void {
    const address = (request.socket.address() as AddressInfo).address;
    const earlier = this.faults.appendForwarded ? request.headers["x-forwarded-for"] : undefined;
    const headers = {
      ...request.headers,
      "x-forwarded-for": earlier === undefined ? address : `${earlier}, ${address}`,
      "x-forwarded-proto": "https",
    };
    const upstream = new URL(this.options.upstream);
    const onward = http.request(
      { host: upstream.hostname, port: upstream.port, path, method: request.method, headers },
      (answer) => {
        for (const [name, value] of Object.entries(answer.headers))
          if (value !== undefined) response.setHeader(name, value);
        if (this.faults.doubleCors) response.setHeader("access-control-allow-origin", ["*", "*"]);
        response.statusCode = answer.statusCode ?? 502;
        if (this.faults.changeKeys && path.startsWith("/_matrix/key/")) this.changed(answer, response);
        else answer.pipe(response);
      },
    );
    onward.on("error", () => response.writeHead(502).end());
    request.pipe(onward);
  }

  private changed(answer: http.IncomingMessage, response: http.ServerResponse): void {
    let text = "";
    answer.on("data", (chunk) => {
      text += chunk;
    });
    answer.on("end", () => {
      response.removeHeader("content-length");
      response.end(
        text.replace(/"valid_until_ts":(\d+)/, (_all, digits) => `"valid_until_ts":${Number(digits) + 1000}`),
      );
    });
  }
}
