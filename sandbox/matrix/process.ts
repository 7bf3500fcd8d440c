// The process of the Matrix clients: matrix-js-sdk is an ES module with WebAssembly, keeps timers and logs a lot, so it
// runs separately from the programs that use it. Calls and replies travel over the IPC channel; the log goes to stderr.
import { Console } from "node:console";
import dns from "node:dns";
import fs from "node:fs";
import net from "node:net";
import tls from "node:tls";
import { Agent, install, setGlobalDispatcher } from "undici";
import type { Call, ClientSettings, Reply } from "./protocol";
import { Session } from "./session";

globalThis.console = new Console(process.stderr, process.stderr);

function useSettings({ resolve, caFile }: ClientSettings): void {
  const lookup: net.LookupFunction = (name, options, callback) => {
    const address = resolve[name];
    if (address === undefined) return dns.lookup(name, options, callback);
    const family = net.isIPv6(address) ? 6 : 4;
    if (options.all) callback(null, [{ address, family }]);
    else callback(null, address, family);
  };
  const ca = caFile ? [...tls.rootCertificates, fs.readFileSync(caFile, "utf8")] : undefined;
  install();
  setGlobalDispatcher(new Agent({ connect: { lookup, ca } }));
}

function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause === undefined ? error.message : `${error.message}: ${messageOf(error.cause)}`;
}

async function main(): Promise<void> {
  useSettings(JSON.parse(process.env.HEARTH_MATRIX_CLIENTS ?? "") as ClientSettings);
  const sdk = await import("matrix-js-sdk");
  const sessions = new Map<string, Session>();
  const perform = async (call: Call): Promise<unknown> => {
    const session = sessions.get(call.session) ?? new Session(sdk);
    sessions.set(call.session, session);
    const method: (argument: never) => Promise<unknown> = session[call.method];
    return method.call(session, call.argument as never);
  };
  process.on("message", (call: Call) => {
    const reply = (answer: Reply) => void process.send?.(answer);
    perform(call).then(
      (result) => reply({ id: call.id, result }),
      (error: unknown) => reply({ id: call.id, error: messageOf(error) }),
    );
  });
  // The parent program ended or closed the channel: sync loops and timers must not keep this process running.
  process.on("disconnect", () => process.exit(0));
}

void main();
