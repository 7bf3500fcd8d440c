import fs from "node:fs/promises";
import path from "node:path";
import { Stack } from "../../sandbox/deploy/stack";
import { placeStack } from "../../sandbox/deploy/stack-file";
import { type Host, issueCertificate, listHosts, sandboxNetwork, upHost } from "../../sandbox/index";
import { CliError } from "../errors";
import type { Layout, ServerPlan } from "./layout";

type Note = (part: string, text?: string) => void;

/** One of the two servers on its host. */
export interface Server extends ServerPlan {
  sandboxHost: Host;
  deployment: Stack;
}

export type Pair = [Server, Server];

/** Boots the two hosts and issues their certificates; returns whether either host is new. */
export async function raiseHosts(
  layout: Layout,
  note: Note,
  signal: AbortSignal,
): Promise<{ pair: Pair; fresh: boolean }> {
  const before = new Set((await listHosts()).map((host) => host.name));
  const raise = async (plan: ServerPlan): Promise<Server> => {
    const names = [plan.serverName, plan.publicHost];
    const progress = (text: string) => note(plan.key, text);
    const sandboxHost = await upHost({ name: plan.host, dnsNames: names, progress });
    await issueCertificate(names, certificateDirectory(layout, plan), { progress });
    const backend = path.join(layout.directory, "state");
    const deployment = new Stack({ name: plan.stack, directory: layout.directory, backend, signal });
    return { ...plan, sandboxHost, deployment };
  };
  const pair: Pair = await both(layout.servers, raise);
  return { pair, fresh: pair.some((server) => !before.has(server.host)) };
}

/**
 * Deploys the stack file to both hosts at once. An existing configuration is kept with the user's edits;
 * only paths, names and keys are set again. Returns the number of resources that changed.
 */
export async function deployPair(layout: Layout, pair: Pair, verify: boolean, note: Note): Promise<number> {
  const network = await sandboxNetwork();
  const resolve = addressesOf(pair);
  const changes = await both(pair, async (server) => {
    const partner = server === pair[0] ? pair[1] : pair[0];
    const certificates = certificateDirectory(layout, server);
    const config = placeStack(await stackFile(layout, server), {
      ...{ serverName: server.serverName, publicHost: server.publicHost, network, resolve, verify },
      address: server.sandboxHost.address,
      sshConfigFile: server.sandboxHost.sshConfigFile,
      certificateFile: path.join(certificates, "fullchain.pem"),
      privateKeyFile: path.join(certificates, "privkey.pem"),
      partner: { serverName: partner.serverName, url: partner.baseUrl },
      caFile: server.sandboxHost.caFile,
      people: { [server.person.user]: server.person.displayName },
    });
    await server.deployment.prepare(config);
    return update(server, note);
  });
  return changes[0] + changes[1];
}

/** Whether an earlier run deployed both stacks and passed the checks from outside. */
export async function wasVerified(pair: Pair): Promise<boolean> {
  const states = await both(pair, async (server) => {
    const listed = await server.deployment.resources();
    return listed.some((resource) => resource.endsWith("-verification"));
  });
  return states[0] && states[1];
}

/** Maps the host names of both servers to their addresses. */
export function addressesOf(pair: Pair): Record<string, string> {
  const entries = pair.flatMap(({ serverName, publicHost, sandboxHost }) => [
    [serverName, sandboxHost.address] as const,
    [publicHost, sandboxHost.address] as const,
  ]);
  return Object.fromEntries(entries);
}

async function update(server: Server, note: Note): Promise<number> {
  const progress = (resources: string[]) => note(server.key, resources.join(", ") || undefined);
  const result = await server.deployment.up({ progress, args: ["--skip-preview"] });
  note(server.key);
  if (!result.ok) {
    const reasons =
      result.errors.length > 0
        ? result.errors.join("\n")
        : result.output.trim().split("\n").slice(-15).join("\n");
    throw new CliError(
      `deploying ${server.serverName} to the sandbox host ${server.host} failed:\n${reasons.replaceAll(/^/gm, "  ")}\n` +
        `Full output: ${result.logFile}\nfix: run it again to continue, or remove everything: npm run quickstart -- --down`,
    );
  }
  const { same: _, ...changed } = result.counts;
  return Object.values(changed).reduce((sum, count) => sum + count, 0);
}

function certificateDirectory(layout: Layout, plan: ServerPlan): string {
  return path.join(layout.directory, "tls", plan.key);
}

async function stackFile(layout: Layout, server: Server): Promise<string> {
  const present = await fs.readFile(server.deployment.configFile, "utf8").catch(() => undefined);
  return present ?? fs.readFile(path.join(layout.root, "Pulumi.vps.yaml"), "utf8");
}

/** Runs `work` for both items at once; waits for both before it fails with the first error. */
export async function both<In, Out>(items: [In, In], work: (item: In) => Promise<Out>): Promise<[Out, Out]> {
  const [one, two] = await Promise.allSettled([work(items[0]), work(items[1])]);
  if (one.status === "rejected") throw one.reason;
  if (two.status === "rejected") throw two.reason;
  return [one.value, two.value];
}
