import * as crypto from "node:crypto";
import type { VerificationInputs } from "../../contract/matrix";
import * as api from "./api";
import { checkCertificate, trust } from "./certificate";
import * as exposure from "./exposure";
import { type Check, type Finding, fail, firstLine, notChecked, together } from "./finding";
import { judgeKeys } from "./keys";
import { checkName } from "./names";
import { type Answer, ask, jsonObject, knock, lookup, type Question } from "./network";
import { checkAboveLimit } from "./upload";
import { delegated, type Endpoint, fetchWellKnown, judgeClient, judgeServer } from "./wellknown";

/** The checks that anybody on the internet could make. */
export class Outside {
  private readonly names: string[];
  private readonly ports: number[];
  private readonly documents: { server: Promise<Answer>; client: Promise<Answer> };

  constructor(
    private readonly inputs: VerificationInputs,
    private readonly signal: AbortSignal | undefined,
  ) {
    this.names = [...new Set([inputs.serverName, inputs.publicHost])];
    this.ports = inputs.federationPort ? [443, 8448] : [443];
    this.documents = {
      server: fetchWellKnown(inputs.serverName, "server", inputs.resolve),
      client: fetchWellKnown(inputs.serverName, "client", inputs.resolve),
    };
    // Each is awaited by more than one check; an unheard rejection would end the process.
    this.documents.server.catch(() => undefined);
    this.documents.client.catch(() => undefined);
  }

  discovery(): Check[] {
    const { inputs } = this;
    const context = trust(inputs.caFile);
    const certificate = (name: string, port: number): Check => [
      `certificate ${name}:${port}`,
      checkCertificate(name, port, inputs.resolve, context),
    ];
    return [
      ...this.names.map((name): Check => [`DNS ${name}`, checkName(name, inputs.resolve)]),
      ...this.names.map((name) => certificate(name, 443)),
      ...(inputs.federationPort ? [certificate(inputs.publicHost, 8448)] : []),
      ["well-known server", this.judged(this.documents.server, (answer) => judgeServer(inputs, answer))],
      ["well-known client", this.judged(this.documents.client, (answer) => judgeClient(inputs, answer))],
    ];
  }

  interfaces(hostAsked: Promise<unknown>): Check[] {
    const { serverName, maxUploadBytes } = this.inputs;
    const alias = crypto.randomBytes(4).toString("hex");
    const clientPath = api.encodedClientPath(serverName, alias);
    return [
      ["client API", this.judged(this.get(443, "/_matrix/client/versions"), api.judgeVersions)],
      [
        "federation API",
        this.federation(async (endpoint) => {
          const version = this.getFrom(endpoint, "/_matrix/federation/v1/version");
          return this.judged(version, api.judgeFederationVersion);
        }),
      ],
      [
        "server keys",
        this.federation(async (endpoint) => {
          const keys = this.getFrom(endpoint, "/_matrix/key/v2/server");
          return this.judged(keys, (answer) => judgeKeys(serverName, answer, new Date()));
        }),
      ],
      ["signed request", this.signedRequest(hostAsked)],
      [
        "encoded paths, client",
        this.judged(this.get(443, clientPath), (answer) =>
          api.judgeClientPath(api.encodedAlias(serverName, alias), answer),
        ),
      ],
      [
        "encoded paths, federation",
        this.federation(async (endpoint) =>
          this.judged(this.getFrom(endpoint, api.ENCODED_FEDERATION_PATH), api.judgeFederationPath),
        ),
      ],
      ...(this.inputs.proxyUrl.startsWith("https://")
        ? [
            [
              "upload above the limit",
              checkAboveLimit((question) => this.ask(question), maxUploadBytes),
            ] satisfies Check,
          ]
        : []),
    ];
  }

  exposed(): Check[] {
    const places = this.ports.flatMap((port) => this.names.map((name) => ({ host: name, port })));
    const probe = (paths: string[]) =>
      Promise.all(
        places.flatMap((place) =>
          paths.map(async (path): Promise<exposure.Probe> => {
            const answer = await this.getFrom(place, path).catch(() => undefined);
            return { where: `${place.host}:${place.port}${path}`, answer };
          }),
        ),
      );
    const { publicHost } = this.inputs;
    const plain = ask(this.inputs.resolve, {
      host: publicHost,
      port: 80,
      path: "/_matrix/client/versions",
      plain: true,
    });
    return [
      ["admin API closed", probe(exposure.ADMIN_PATHS).then(exposure.judgeAdmin)],
      ["metrics closed", probe(exposure.METRICS_PATHS).then(exposure.judgeMetrics)],
      ["other ports closed", this.closedPorts()],
      ["plain HTTP", plain.catch(() => undefined).then(exposure.judgePlain)],
    ];
  }

  private async closedPorts(): Promise<Finding> {
    const { publicHost, resolve, closedPorts } = this.inputs;
    if (await isLoopback(publicHost, resolve)) {
      return notChecked(`${publicHost} is this machine, so this is not a view from outside`);
    }
    const knocks = Object.entries(closedPorts).map(async ([text, what]) => {
      const port = Number(text);
      return { port, what, state: await knock(resolve, publicHost, port) };
    });
    return exposure.judgePorts(publicHost, await Promise.all(knocks));
  }

  private async signedRequest(hostAsked: Promise<unknown>): Promise<Finding> {
    const { partner, serverName, resolve } = this.inputs;
    if (partner === undefined) return notChecked("no partner is named", "name one in verification.partner");
    // The account that the partner looks up exists once the host has been asked.
    await hostAsked;
    const url = new URL(partner);
    const user = encodeURIComponent(`@hearth:${serverName}`);
    const question = {
      host: url.hostname,
      port: Number(url.port || 443),
      path: `/_matrix/client/v3/profile/${user}`,
    };
    try {
      return api.judgePartner(url.hostname, await ask(resolve, question, this.signal));
    } catch (error) {
      return notChecked(`${url.hostname} does not answer: ${firstLine(error)}`, "see that the partner runs");
    }
  }

  /** The same question to every endpoint that other servers use: the delegated one, and 8448 where it is open. */
  private async federation(check: (endpoint: Endpoint) => Promise<Finding>): Promise<Finding> {
    const { publicHost } = this.inputs;
    const endpoints = new Map<string, Endpoint>();
    const add = (endpoint: Endpoint) => endpoints.set(`${endpoint.host}:${endpoint.port}`, endpoint);
    const document = await this.documents.server.catch(() => undefined);
    const target = document === undefined ? undefined : jsonObject(document)?.["m.server"];
    const named = typeof target === "string" ? delegated(target) : undefined;
    if (named?.host === publicHost) add(named);
    if (this.inputs.federationPort) add({ host: publicHost, port: 8448 });
    if (endpoints.size === 0) add({ host: publicHost, port: 443 });
    const findings = [...endpoints].map(async ([name, endpoint]) => ({
      name,
      finding: await check(endpoint),
    }));
    return together(labelled(await Promise.all(findings)));
  }

  private get(port: number, path: string): Promise<Answer> {
    return this.getFrom({ host: this.inputs.publicHost, port }, path);
  }

  private getFrom(endpoint: Endpoint, path: string): Promise<Answer> {
    return ask(
      this.inputs.resolve,
      { ...endpoint, path, headers: { origin: "https://client.invalid" } },
      this.signal,
    );
  }

  private ask(question: Omit<Question, "host" | "port">): Promise<Answer> {
    return ask(this.inputs.resolve, { ...question, host: this.inputs.publicHost, port: 443 }, this.signal);
  }

  private async judged(answer: Promise<Answer>, judge: (answer: Answer) => Finding): Promise<Finding> {
    try {
      return judge(await answer);
    } catch (error) {
      return fail(`no answer: ${firstLine(error)}`, "see that the proxy runs and its ports are open");
    }
  }
}

/** Findings with the endpoints they are about in front; what was seen on several is said once. */
function labelled(found: { name: string; finding: Finding }[]): Finding[] {
  const groups = new Map<string, { names: string[]; finding: Finding }>();
  for (const { name, finding } of found) {
    const key = JSON.stringify(finding);
    const group = groups.get(key) ?? { names: [], finding };
    group.names.push(name);
    groups.set(key, group);
  }
  return [...groups.values()].map(({ names, finding }) => ({
    ...finding,
    seen: `${names.join(", ")}: ${finding.seen}`,
  }));
}

function isLoopback(name: string, resolve: VerificationInputs["resolve"]): Promise<boolean> {
  return new Promise((settle) => {
    const find = lookup(resolve);
    const done = (_error: unknown, address: unknown) => settle(/^(127\.|::1$)/.test(String(address)));
    if (find === undefined) import("node:dns").then((dns) => dns.lookup(name, done));
    else find(name, {}, done);
  });
}
