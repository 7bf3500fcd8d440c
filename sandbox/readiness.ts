import fs from "node:fs/promises";
import { createConnection } from "node:net";
import path from "node:path";
import { type Container, isRunning } from "./container";
import { SandboxError } from "./errors";
import { sleep, tryRun } from "./process";
import type { Progress } from "./state";

const SSHD_WITHIN = 60_000;
const BOOT_WITHIN = 90_000;

/** Waits until sshd answers and systemd has finished booting; throws with the console's end when it does not. */
export async function waitUntilReady(
  container: Container,
  address: string,
  sshConfig: string,
  progress: Progress,
): Promise<void> {
  const deadline = Date.now() + SSHD_WITHIN;
  while (!(await answersSsh(address))) {
    if (!(await isRunning(container))) throw await failure(container, "ended while booting");
    if (Date.now() > deadline)
      throw await failure(container, `did not answer on port 22 within ${SSHD_WITHIN / 1000} s`);
    await sleep(40);
  }
  const command = [
    "-F",
    sshConfig,
    container.name,
    "systemctl is-system-running --wait; systemctl --failed --plain --no-legend",
  ];
  const answer = await tryRun("ssh", command, { timeout: BOOT_WITHIN });
  if (answer.code === 255)
    throw await failure(container, `refuses the sandbox's key: ${answer.stderr.trim()}`);
  const [systemState = "", ...failed] = answer.stdout.trim().split("\n");
  if (systemState !== "running") {
    progress(
      `${container.name}: systemd says "${systemState}"${failed.map((line) => `\n  ${line}`).join("")}`,
    );
  }
}

/** Whether an ssh server introduces itself at the address, within a second. */
export function answersSsh(address: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection({ host: address, port: 22 });
    const finish = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(1000, () => finish(false));
    socket.once("data", (data) => finish(data.toString().startsWith("SSH-")));
    socket.once("error", () => finish(false));
    socket.once("close", () => finish(false));
  });
}

async function failure(container: Container, what: string): Promise<SandboxError> {
  const log = path.join(container.directory, "console.log");
  const tail = (await fs.readFile(log, "utf8").catch(() => "")).trimEnd().split("\n").slice(-15).join("\n  ");
  return new SandboxError(`the host ${container.name} ${what}. The end of ${log}:\n  ${tail}`);
}
