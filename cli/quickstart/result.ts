import fs from "node:fs/promises";
import path from "node:path";
import { isDeepStrictEqual } from "node:util";
import { shellWord } from "../../provider/text";
import { onHost } from "../../sandbox/remote";
import { writeFileAtomically } from "../../sandbox/state";
import { CliError } from "../errors";
import type { Layout } from "./layout";
import type { Pair, Server } from "./servers";

export interface Account {
  /** Local part of the user ID. */
  user: string;
  password: string;
}

/** A running server in the result file. */
export interface RunningServer {
  serverName: string;
  baseUrl: string;
  address: string;
  /** Sandbox host, for `npm run sandbox -- shell HOST`. */
  host: string;
  caFile: string;
  /** The user of this server first, then the admin. */
  accounts: [Account, Account];
}

/** The content of `.hearth/quickstart.json`. */
export interface Result {
  servers: RunningServer[];
  /** Seconds per step. */
  timings: Record<string, number>;
}

const ADMIN = "admin";

/** The server with its accounts; the passwords were created on the host and are read from its root-only files. */
export async function running(server: Server): Promise<RunningServer> {
  const { serverName, baseUrl, host, sandboxHost, person } = server;
  const account = async (user: string): Promise<Account> => {
    const file = passwordFile(user);
    const read = await onHost(sandboxHost, ["cat", file]);
    if (read.code === 0) return { user, password: read.stdout.trim() };
    throw new CliError(`cannot read the account's password in ${file} on ${host}: ${read.stderr.trim()}`);
  };
  const accounts: [Account, Account] = [await account(person.user), await account(ADMIN)];
  return {
    ...{ serverName, baseUrl, host, accounts },
    address: sandboxHost.address,
    caFile: sandboxHost.caFile,
  };
}

/** Writes the result file; a file with the same servers and accounts stays, with the times of the run that created them. */
export async function writeResult(layout: Layout, result: Result): Promise<void> {
  const present = await fs.readFile(layout.resultFile, "utf8").catch(() => "{}");
  const { servers } = JSON.parse(present) as Partial<Result>;
  if (isDeepStrictEqual(servers, result.servers)) return;
  await writeFileAtomically(layout.resultFile, `${JSON.stringify(result, null, 2)}\n`, 0o600);
}

/** The text at the end for the user: servers, addresses, login, suggestions. */
export function summary(layout: Layout, pair: Pair, result: Result): string {
  const relative = (file: string) => path.relative(process.cwd(), file) || ".";
  const [one] = pair;
  const config = shellWord(relative(one.deployment.configFile));
  const pulumi = shellWord(relative(path.join(layout.root, "toolchain/pulumi")));
  const caFile = shellWord(one.sandboxHost.caFile);
  const name = layout.name === "quickstart" ? "" : ` --name ${layout.name}`;
  return `
Two Matrix homeservers are running and federate:
${result.servers.map(serverLines).join("\n")}

Log in
  Passwords: ${relative(layout.resultFile)} (created on the hosts, in /var/lib/hearth/accounts/)
  With curl, for example:
    curl --cacert ${caFile} --resolve ${one.publicHost}:443:${one.sandboxHost.address} ${one.baseUrl}/_matrix/client/versions
  With a Matrix client on this machine: add these lines to /etc/hosts, let the client trust the certificate authority
  ${one.sandboxHost.caFile}, and sign in with the user IDs above.
${pair.map((server) => `    ${server.sandboxHost.address} ${server.serverName} ${server.publicHost}`).join("\n")}

Try next
  export PULUMI_BACKEND_URL=${shellWord(one.deployment.backendUrl)} HEARTH_TRUSTED=${shellWord(one.deployment.confirmedFile)}
  Keep other servers' media for 30 days instead of 90: preview the change, then deploy it:
    sed -i 's/remoteLifetime: 90d/remoteLifetime: 30d/' ${config}
    ${pulumi} preview --diff -s ${one.stack} --config-file ${config}
    ${pulumi} up -s ${one.stack} --config-file ${config}
  Check the server from outside again:
    npx hearth verify -s ${one.stack}
  Look around on the host:  npm run sandbox -- shell ${one.host}
  Change a file there by hand; the next preview shows it.
  Remove it all:            npm run quickstart -- --down${name}
`;
}

/** The file in which the provider keeps a generated password of an account. */
function passwordFile(user: string): string {
  return `/var/lib/hearth/accounts/${user}.password`;
}

function serverLines(server: RunningServer): string {
  const ids = server.accounts.map(({ user }) => `@${user}:${server.serverName}`).join(", ");
  return `  ${server.serverName}  ${server.baseUrl}  at ${server.address}  (sandbox host ${server.host})\n    accounts: ${ids}`;
}
