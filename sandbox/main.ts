import { type Call, parseArguments, usage } from "./arguments";
import {
  downAll,
  downHost,
  findHost,
  type Host,
  issueCertificate,
  listHosts,
  powerCutHost,
  rebootHost,
  SandboxError,
  sshConfig,
  upHost,
} from "./index";
import { runOnTerminal } from "./process";
import { remoteCommand } from "./remote";

/** Results go to stdout; progress goes to stderr, so that output can be piped. */
const progress = (message: string): void => void process.stderr.write(`sandbox: ${message}\n`);

async function perform(call: Call): Promise<number> {
  switch (call.verb) {
    case "help":
      process.stdout.write(usage(call.about));
      return 0;
    case "up":
      print([await upHost({ ...call, progress })]);
      return 0;
    case "down":
      await downHost(call.name, { progress });
      return 0;
    case "down-all":
      await downAll({ progress });
      return 0;
    case "list": {
      const hosts = await listHosts();
      if (call.json) process.stdout.write(`${JSON.stringify(hosts, null, 2)}\n`);
      else print(hosts);
      return 0;
    }
    case "shell": {
      const host = await findHost(call.name);
      if (!host.running) throw new SandboxError(`the host ${host.name} is off; start it: up ${host.name}`);
      const command = call.command.length > 0 ? ["--", remoteCommand(call.command)] : ["-t"];
      return runOnTerminal("ssh", ["-F", host.sshConfigFile, host.name, ...command]);
    }
    case "reboot":
      print([await rebootHost(call.name, { progress })]);
      return 0;
    case "power-cut":
      await powerCutHost(call.name, { progress });
      return 0;
    case "cert": {
      const issued = await issueCertificate(call.names, call.out, { progress });
      progress(`${call.out}: ${issued ? "issued a certificate" : "the certificate there is still good"}`);
      return 0;
    }
    case "ssh-config":
      process.stdout.write(`${await sshConfig({ progress })}\n`);
      return 0;
  }
}

function print(hosts: readonly Host[]): void {
  for (const host of hosts) {
    const state = host.running ? "running" : "off";
    process.stdout.write(`${[host.name, host.address, host.suite, state, ...host.dnsNames].join("  ")}\n`);
  }
}

async function main(): Promise<void> {
  try {
    process.exitCode = await perform(parseArguments(process.argv.slice(2)));
  } catch (error) {
    if (!(error instanceof SandboxError)) throw error;
    process.stderr.write(`sandbox: ${error.message}\n`);
    process.exitCode = 1;
  }
}

void main();
