import fs from "node:fs/promises";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { VpsServer } from "../support/vps-server";

const PLANTED = "PlantedPassw0rd-given-to-alice-7f3a";

/** Every file below a directory with its text. */
async function textsBelow(directory: string): Promise<Map<string, string>> {
  const texts = new Map<string, string>();
  for (const entry of await fs.readdir(directory, { recursive: true, withFileTypes: true })) {
    const file = path.join(entry.parentPath, entry.name);
    if (entry.isFile()) texts.set(file, await fs.readFile(file, "latin1"));
  }
  return texts;
}

describe("secrets", () => {
  let server: VpsServer;
  const outputs: string[] = [];
  const seen = new Set<string>();

  beforeAll(async () => {
    server = await VpsServer.make("e2e-secrets");
    await server.edit({ "accounts.alice.password": "given" });
    await server.stack.cli([
      ...["config", "set", "--config-file", server.stack.configFile, "--stack", "e2e-secrets"],
      ...["--path", "--secret", "hearth:secrets.accounts.alice", PLANTED],
    ]);
    await server.stack.trust();
    // The public data of every process of this machine, including the host's, while the server is created.
    const watch = watchProcesses(seen);
    try {
      for (const args of [["--diff", "--debug"], ["--json"]])
        outputs.push((await server.stack.preview({ args })).output);
      outputs.push((await server.up(["--debug", "--diff"])).output);
      outputs.push((await server.up(["--json"])).output);
    } finally {
      await watch.stop();
    }
  });

  afterAll(async () => {
    await server?.remove();
  });

  /** The host's own secrets and the given one. */
  async function secrets(): Promise<string[]> {
    const text = await server.sh(
      "cat /etc/hearth/homeserver/secrets/* /var/lib/hearth/accounts/*; " +
        'python3 -c \'import json; d=json.load(open("/var/lib/hearth/admin.json")); print("\\n".join(str(v) for v in d.values()))\'; ' +
        "grep -v -e '-----' /etc/hearth/tls/privkey.pem",
    );
    const long = text.split(/\s+/).filter((word) => word.length >= 20 && !word.includes(":e2e-secrets.test"));
    return [PLANTED, ...new Set(long)];
  }

  function expectNone(where: string, text: string, values: readonly string[]): void {
    const found = values.filter((value) => text.includes(value)).map((value) => `${value.slice(0, 6)}…`);
    expect({ where, found }).toEqual({ where, found: [] });
  }

  test("[A9] the secrets to search for exist, and the given password logs in", async () => {
    expect((await secrets()).length).toBeGreaterThan(5);
    const body = JSON.stringify({
      type: "m.login.password",
      identifier: { type: "m.id.user", user: "alice" },
      password: PLANTED,
    });
    const login = await server.sh(
      `curl -s https://${server.publicHost}/_matrix/client/v3/login -d '${body}' -o /dev/null -w '%{http_code}'`,
    );
    expect(login).toBe("200");
  });

  test("[A9] none is in the state, its backups, its history or the stack file", async () => {
    const values = await secrets();
    const texts = await textsBelow(server.directory);
    for (const [file, text] of texts) {
      if (!file.endsWith("privkey.pem")) expectNone(path.relative(server.directory, file), text, values);
    }
    const exported = await server.stack.cli(["stack", "export", "--show-secrets", "--stack", "e2e-secrets"]);
    const withoutConfig = exported;
    expectNone("stack export --show-secrets", withoutConfig, values);
  });

  test("[A9] none is in what previews and updates print, debug lines included", async () => {
    const values = await secrets();
    outputs.forEach((output, index) => {
      expectNone(`output ${index}`, output, values);
    });
  });

  test("[A9] none was on a command line or in an environment while the server was created", async () => {
    expect(seen.size).toBeGreaterThan(20);
    expectNone("process list", [...seen].join("\n"), await secrets());
  });

  test("[A9] none is in a rendered file, a log or the journal of the host", async () => {
    const values = await secrets();
    const logs = await server.sh(
      "journalctl --no-pager -o cat; cat /var/log/matrix-synapse/*.log /var/log/nginx/*.log",
    );
    expectNone("logs", logs, values);
    const rendered = await server.sh(
      "find /etc/hearth /etc/nginx /etc/systemd/system /etc/postgresql /usr/local/lib/hearth /var/lib/hearth/releases /var/lib/hearth/apply -type f " +
        "! -path '*/secrets/*' ! -name privkey.pem -exec cat {} +",
    );
    expectNone("rendered files", rendered, values);
  });

  test("[A9] only root and their service can read secret files", async () => {
    const modes = await server.sh(
      "find /etc/hearth/homeserver/secrets /etc/hearth/tls/privkey.pem /var/lib/hearth/admin.json /var/lib/hearth/accounts -type f -perm /0137",
    );
    expect(modes).toBe("");
  });
});

/** Repeats a check, one at a time, until it is stopped. */
function watchProcesses(seen: Set<string>): { stop: () => Promise<void> } {
  let running = true;
  const loop = (async () => {
    while (running) {
      await collectProcesses(seen);
      await sleep(150);
    }
  })();
  return {
    stop: () => {
      running = false;
      return loop;
    },
  };
}

/** Adds the command lines and environments of every current process. */
async function collectProcesses(seen: Set<string>): Promise<void> {
  const pids = (await fs.readdir("/proc")).filter((name) => /^\d+$/.test(name));
  const read = (file: string) => fs.readFile(file, "latin1").catch(() => "");
  for (const pid of pids) {
    seen.add(await read(`/proc/${pid}/cmdline`));
    // The engine passes the program its configuration in PULUMI_CONFIG; that is Pulumi's design, readable only by its user.
    const environment = await read(`/proc/${pid}/environ`);
    seen.add(environment.replace(/PULUMI_CONFIG=[^\0]*/g, ""));
  }
}
