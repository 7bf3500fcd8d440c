import { setMaxListeners } from "node:events";
import { types } from "node:util";
import type { CheckResult, VerificationInputs } from "../../contract/matrix";
import { judgeBackup, judgeDrill } from "./backup";
import { type Check, type Finding, firstLine, notChecked } from "./finding";
import * as host from "./host";
import { Outside } from "./outside";
import { checkRenewal } from "./renewal";
import { judgeAboveLimitBehind } from "./upload";

/** What the checks need besides their inputs. */
export interface Environment {
  /** Runs verify.py on the host; rejects when the host cannot be asked. */
  observe: () => Promise<host.Observations>;
  signal?: AbortSignal;
}

/** All checks at the same time; the list is in reading order. Never rejects for what a check finds. */
export async function verify(inputs: VerificationInputs, environment: Environment): Promise<CheckResult[]> {
  // Every request listens on the one signal; that is no leak.
  if (environment.signal !== undefined) setMaxListeners(0, environment.signal);
  const observed = environment.observe().then(
    (observations) => ({ observations }),
    (error: unknown) => ({ error: types.isNativeError(error) ? error : new Error(String(error)) }),
  );
  const outside = new Outside(inputs, environment.signal);
  const checks: Check[] = [
    ...outside.discovery(),
    ...outside.interfaces(observed),
    ...outside.exposed(),
    ...onHost(inputs, observed, environment.signal),
  ];
  return Promise.all(checks.map(async ([check, finding]) => ({ check, ...(await finding) })));
}

type Judge = (decide: (seen: host.Observations) => Finding) => Promise<Finding>;

function backups({ backup }: VerificationInputs, judge: Judge): Check[] {
  if (backup === undefined) return [];
  return [
    ["backup", judge((seen) => judgeBackup(backup, seen, Date.now()))],
    ...(backup.drill
      ? [["drill of a restore", judge((seen) => judgeDrill(seen, Date.now()))] satisfies Check]
      : []),
  ];
}

type Observed = Promise<{ observations: host.Observations } | { error: Error }>;

function onHost(inputs: VerificationInputs, observed: Observed, signal: AbortSignal | undefined): Check[] {
  const judge: Judge = async (decide) => {
    const seen = await observed;
    if ("observations" in seen) return decide(seen.observations);
    return notChecked(firstLine(seen.error), `make ${inputs.connection.name} reachable, then run again`);
  };
  // From outside, the tunnel's own end asks for a body before the proxy has seen it.
  const behindTunnel = inputs.proxyUrl.startsWith("http://");
  const aboveLimit = judge((seen) => judgeAboveLimitBehind(inputs.maxUploadBytes, seen.aboveLimit));
  return [
    ["upload at the limit", judge(host.judgeUpload)],
    ...(behindTunnel ? [["upload above the limit", aboveLimit] satisfies Check] : []),
    ["forged X-Forwarded-For", judge(host.judgeForwardedAddress)],
    ["Postgres connections", judge((seen) => host.judgeDatabase(inputs, seen))],
    ...(inputs.renewal === undefined
      ? []
      : [["certificate renewal", checkRenewal(inputs.renewal, signal)] satisfies Check]),
    ...backups(inputs, judge),
    ["media disk use", judge((seen) => host.judgeMedia(inputs, seen))],
    ["federation log", judge((seen) => host.judgeLog(inputs, seen))],
  ];
}
