import fs from "node:fs/promises";
import { createConnection } from "node:net";
import path from "node:path";
import { type Container, isRunning } from "./container";
import { SandboxError } from "./errors";
import { type Finished, sleep, tryRun } from "./process";
import type { Progress } from "./state";

/** Milliseconds. A boot takes two or three seconds; on a busy machine it takes longer. */
const SSHD_WITHIN = 180_000;
const BOOT_WITHIN = 300_000;
/** While a host reboots there is a moment without any process of it. */
const GONE_AFTER = 2000;
/** Answers of ssh that do not change by waiting. */
const FINAL = /Permission denied|Host key verification failed|Bad owner or permissions/;

/** Waits until sshd accepts a login and systemd has finished booting; otherwise throws with the end of the console. */
export async function waitUntilReady(
  container: Container,
  address: string,
  sshConfig: string,
  progress: Progress,
): Promise<void> {
  const deadline = Date.now() + SSHD_WITHIN;
  const check = "systemctl is-system-running --wait; systemctl --failed --plain --no-legend";
  let seen = Date.now();
  for (;;) {
    if (await isRunning(container)) seen = Date.now();
    else if (Date.now() - seen > GONE_AFTER) throw await failure(container, "ended while booting");
    if (await accepts(address)) {
      const answer = await ssh(sshConfig, container.name, check, BOOT_WITHIN);
      if (answer.code !== 255) return report(container.name, answer, progress);
      if (FINAL.test(answer.stderr)) throw await failure(container, `refuses ssh: ${answer.stderr.trim()}`);
    }
    if (Date.now() > deadline)
      throw await failure(container, `did not answer to ssh within ${SSHD_WITHIN / 1000} s`);
    await sleep(30);
  }
}

/** Whether root can log in now. Uses a real login: sshd blocks clients that often connect without one. */
export async function canLogIn(name: string, sshConfig: string): Promise<boolean> {
  return (await ssh(sshConfig, name, "true", 5000)).code === 0;
}

function ssh(config: string, name: string, command: string, timeout: number): Promise<Finished> {
  return tryRun("ssh", ["-F", config, name, command], { timeout });
}

function report(name: string, answer: Finished, progress: Progress): void {
  const [systemState = "", ...failed] = answer.stdout.trim().split("\n");
  if (systemState === "running") return;
  progress(`${name}: systemd says "${systemState}"${failed.map((line) => `\n  ${line}`).join("")}`);
}

/** Whether port 22 accepts a connection. The short limit matters: an address that is not up yet drops packets. */
function accepts(address: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection({ host: address, port: 22 });
    const finish = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(150, () => finish(false));
    socket.once("connect", () => finish(true));
    socket.once("error", () => finish(false));
  });
}

async function failure(container: Container, what: string): Promise<SandboxError> {
  const log = path.join(container.directory, "console.log");
  const tail = (await fs.readFile(log, "utf8").catch(() => "")).trimEnd().split("\n").slice(-15).join("\n  ");
  return new SandboxError(`the host ${container.name} ${what}. The end of ${log}:\n  ${tail}`);
}
