import { execFile } from "node:child_process";
import { lchownSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { HOST_PROGRAMS } from "../homeserver";

/** What provider/matrix/programs/federation_log.py makes of a log at noon on 21 November. */
async function read(lines: string[]): Promise<{ warnings: object; errors: string[]; errorCount: number }> {
  const program = `
import datetime, json, sys
from federation_log import read_federation_log
print(json.dumps(read_federation_log(json.load(sys.stdin), datetime.datetime(2026, 11, 21, 12, 0, 0))))
`;
  const options = { env: { ...process.env, PYTHONPATH: HOST_PROGRAMS } };
  const running = promisify(execFile)("python3", ["-B", "-c", program], options);
  running.child.stdin?.end(JSON.stringify(lines));
  return JSON.parse((await running).stdout);
}

const line = (time: string, logger: string, level: string, message: string) =>
  `2026-11-21 ${time},123 - ${logger} - 318 - ${level} - GET-80 - ${message}`;

test("[V13] warnings are counted by the server they are about, errors kept with their text", async () => {
  const sending = "synapse.http.matrixfederationclient";
  const seen = await read([
    line(
      "11:30:00",
      sending,
      "WARNING",
      "{PUT-O-1} [dead.example] Request failed: PUT matrix-federation://dead.example/…",
    ),
    line(
      "11:31:00",
      sending,
      "WARNING",
      "{PUT-O-2} [dead.example] Request failed: PUT matrix-federation://dead.example/…",
    ),
    line("11:32:00", "synapse.crypto.keyring", "WARNING", "Unable to fetch keys"),
    line("11:33:00", "synapse.federation.sender.transaction_manager", "ERROR", "TX broke"),
  ]);
  expect(seen).toEqual({
    warnings: { "dead.example": 2, "synapse.crypto.keyring": 1 },
    errors: ["synapse.federation.sender.transaction_manager: TX broke"],
    errorCount: 1,
  });
});

test("[V13] what is older than an hour, of other parts, below a warning, or anybody's unsigned request does not count", async () => {
  const seen = await read([
    line("10:59:59", "synapse.federation.sender", "ERROR", "long ago"),
    line("11:30:00", "synapse.storage.txn", "ERROR", "not federation"),
    line("11:30:00", "synapse.federation.sender", "INFO", "all is well"),
    line(
      "11:30:00",
      "synapse.federation.transport.server._base",
      "WARNING",
      "authenticate_request failed: missing authentication",
    ),
    "Traceback (most recent call last):",
  ]);
  expect(seen).toEqual({ warnings: {}, errors: [], errorCount: 0 });
});

test("[R1] a log that the service replaced by a link, or by a pipe that nobody writes into, is not read", async () => {
  const folder = mkdtempSync(join(tmpdir(), "hearth-log-"));
  const path = (name: string) => join(folder, name);
  writeFileSync(path("log"), "");
  symlinkSync("log", path("link"));
  symlinkSync(".", path("here"));
  await promisify(execFile)("mkfifo", [path("pipe")]);
  const program = `
import json, sys
from federation_log import observe_log
print(json.dumps([observe_log({"logFile": path}) for path in sys.argv[1:]]))
`;
  const files = ["log", "link", "pipe", "here/log"].map(path);
  if (process.getuid?.() === 0) lchownSync(path("here"), 65_534, 65_534);
  const { stdout } = await promisify(execFile)("python3", ["-B", "-c", program, ...files], {
    env: { ...process.env, PYTHONPATH: HOST_PROGRAMS },
  });
  rmSync(folder, { recursive: true });
  expect(JSON.parse(stdout)).toEqual([
    { warnings: {}, errors: [], errorCount: 0 },
    { error: `${path("link")}: Too many levels of symbolic links` },
    { error: `${path("pipe")}: is no file` },
    { error: `${path("here/log")}: Not a directory` },
  ]);
});
