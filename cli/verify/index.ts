import { existsSync } from "node:fs";
import type { CheckResult } from "../../provider/contract/matrix";
import { observeHost } from "../../provider/matrix/verification/observe";
import { verify as runChecks } from "../../provider/matrix/verification/run";
import { ProviderError } from "../../provider/protocol/errors";
import { visibleLines } from "../../provider/text";
import { CliError } from "../errors";
import { ROOT } from "../pulumi";
import { readOptions, type Verb } from "../verb";
import { findInputs } from "./inputs";
import { table } from "./table";

const USAGE = `npx hearth verify [-s STACK] [--json] [--config-file FILE]

Checks a deployed stack, live: from outside, as anybody on the internet sees it (from this machine), and on its
host (over ssh). Changes nothing; an uploaded test file is removed again.

  names and TLS     DNS, certificate chains, names and expiry on 443 and 8448
  discovery         both well-known documents: status, type, CORS, content
  interfaces        client and federation API, server keys with their signatures, a signed request from a partner
  the proxy         encoded paths, upload at and above the limit, a forged X-Forwarded-For
  closed            admin API, metrics, other ports, plain HTTP
  on the host       Postgres connections (and no SQLite), media disk use, federation errors in the log

  -s, --stack STACK   the stack (default: the selected one)
  --config-file FILE  its configuration, if it is not Pulumi.STACK.yaml
  --json              results as JSON: [{check, result: "pass" | "fail" | "not checked", seen, fix}]
  -h, --help          this text

The inputs of the checks come from the stack's last deployment, else from its configuration (pulumi preview).
Exit status: 0 nothing failed, 1 a check failed, 2 the command could not run.
`;

const OPTIONS = {
  stack: { type: "string", short: "s" },
  "config-file": { type: "string" },
  json: { type: "boolean", default: false },
} as const;

async function run(argv: string[]): Promise<number> {
  const options = readOptions("verify", argv, OPTIONS);
  const configFile = options["config-file"];
  // The engine treats a missing file as an empty configuration, and creates it.
  if (configFile !== undefined && !existsSync(configFile)) {
    throw new CliError(`verify: --config-file ${configFile}: there is no such file`);
  }
  const inputs = await findInputs({ stack: options.stack, configFile });
  // The provider also runs there: relative paths of a stack start at the checkout.
  process.chdir(ROOT);
  process.env.HEARTH_PROVIDER_DIR ??= `${ROOT}/provider`;
  const stopping = new AbortController();
  process.once("SIGINT", () => stopping.abort());
  const results = await runChecks(inputs, {
    observe: () => observeHost(inputs, stopping.signal),
    signal: stopping.signal,
  }).catch((error: unknown) => {
    if (error instanceof ProviderError) throw new CliError(error.message);
    throw error;
  });
  if (stopping.signal.aborted) throw new CliError("stopped");
  process.stdout.write(
    options.json
      ? `${visibleLines(JSON.stringify(results, null, 2))}\n`
      : table(inputs.serverName, results, style()),
  );
  return status(results);
}

export function status(results: CheckResult[]): number {
  return results.some((result) => result.result === "fail") ? 1 : 0;
}

function style() {
  const terminal = process.stdout.isTTY === true;
  return { colour: terminal && !process.env.NO_COLOR, width: terminal ? process.stdout.columns : undefined };
}

export const verify: Verb = {
  summary: "check a deployed stack from outside and on its host",
  usage: USAGE,
  run,
};
