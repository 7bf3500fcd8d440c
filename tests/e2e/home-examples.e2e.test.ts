import fs from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { downHost, type Host, issueCertificate, onHost, upHost } from "../../sandbox";
import type { RunResult } from "../../sandbox/deploy/stack";
import { type Tailnet, upTailnet } from "../../sandbox/tailnet";
import { DynuAccount } from "../../stand-ins/dynu";
import { HomeServer } from "../support/home-server";
import { eventually } from "../support/jobs";
import { answerFrom } from "../support/outside";

const [NET, WEB, OWN, PORTS] = ["e2e-examples-net", "e2e-examples-web", "e2e-own", "e2e-ports"];
const TAILNET = "tail4e05.ts.net";
/** The domain whose web server is on another host. */
const DOMAIN = "e2e-own.example.test";
const DYNU_NAMES = ["api.dynu.com", "checkip.dynu.com"];

let tailnet: Tailnet;
let own: HomeServer;
let ports: HomeServer;
let web: Host;
let dynu: DynuAccount;
/** The first `up` under a domain whose documents do not exist yet. */
let withoutDocuments: RunResult;

beforeAll(async () => {
  [tailnet, web] = await Promise.all([
    upTailnet({ name: NET, domain: TAILNET, nodes: [OWN] }),
    upWebServer(),
  ]);
  const domain = { serverName: DOMAIN, address: web.address };
  [own, ports] = await Promise.all([
    HomeServer.make(OWN, { file: "examples/own-domain.yaml", tailnet, domain }),
    HomeServer.make(PORTS, { file: "examples/home-ports.yaml" }),
  ]);
  dynu = await upDynu();
  await ports.giveSecret("dynu.apiKey", dynu.key);
  await routePort443(ports);
  for (const server of [own, ports]) await server.edit({ "verification.enabled": true });
  [withoutDocuments] = await Promise.all([own.stack.up({ args: ["--skip-preview"] }), ports.up()]);
});

afterAll(async () => {
  await dynu?.stop();
  await Promise.all([own?.remove(), ports?.remove(), downHost(WEB), downHost(NET)]);
});

/** A normal homepage: TLS, static files, and a separate path with the two headers that Matrix requires. */
const SITE = `server {
  listen 443 ssl default_server;
  ssl_certificate /etc/nginx/tls/fullchain.pem;
  ssl_certificate_key /etc/nginx/tls/privkey.pem;
  root /var/www/html;
  location /.well-known/matrix/ { default_type application/json; add_header Access-Control-Allow-Origin "*"; }
}
`;

async function upWebServer(): Promise<Host> {
  await downHost(WEB);
  const host = await upHost({ name: WEB, dnsNames: [DOMAIN] });
  await root(
    host,
    `export DEBIAN_FRONTEND=noninteractive
     apt-get -q update && apt-get -qy install --no-install-recommends nginx-light
     mkdir -p /var/www/html/.well-known/matrix`,
  );
  await issueCertificate([DOMAIN], path.join(host.root, "etc/nginx/tls"));
  await root(host, "cat >/etc/nginx/sites-enabled/default && systemctl restart nginx", SITE);
  return host;
}

/** Dynu's stand-in on this machine; the host reaches it under Dynu's own names. */
async function upDynu(): Promise<DynuAccount> {
  const address = (await ports.sh("ip -4 route show default | awk '{ print $3 }'")).trim();
  await ports.sh(`echo '${address} ${DYNU_NAMES.join(" ")}' >>/etc/hosts`);
  const folder = await fs.mkdtemp(path.join(os.tmpdir(), "hearth-e2e-dynu-"));
  try {
    await issueCertificate(DYNU_NAMES, folder);
    const [cert, key] = await Promise.all(
      ["fullchain.pem", "privkey.pem"].map((file) => fs.readFile(path.join(folder, file), "utf8")),
    );
    const account = await DynuAccount.start(address, { port: 443, cert: cert ?? "", key: key ?? "" });
    account.addDomain(ports.publicHost);
    return account;
  } finally {
    await fs.rm(folder, { recursive: true });
  }
}

/** Stand-in for the router at home, which forwards its port 443 to 8443 of the host. */
function routePort443(server: HomeServer): Promise<string> {
  return server.sh(
    `export DEBIAN_FRONTEND=noninteractive
     apt-get -q update && apt-get -qy install --no-install-recommends nftables
     nft add table inet router
     nft add chain inet router forwarding '{ type nat hook prerouting priority dstnat; }'
     nft add rule inet router forwarding tcp dport 443 redirect to :8443`,
  );
}

async function root(host: Host, text: string, input?: string): Promise<string> {
  const { code, stdout, stderr } = await onHost(host, [text], { input });
  if (code !== 0) throw new Error(`on ${host.name}: ${text}\n${stdout}\n${stderr}`);
  return stdout;
}

async function outputsOf(server: HomeServer): Promise<Record<string, unknown>> {
  return JSON.parse(await server.stack.cli(["stack", "output", "--json", "--stack", server.host.name]));
}

/** The profile of a user on another server, by a signed request to the address in the documents. */
async function profileSeenByPorts(userId: string): Promise<unknown> {
  const { publicHost: host } = ports;
  const path = `/_matrix/client/v3/profile/${userId}`;
  return JSON.parse((await answerFrom({ address: ports.host.address, host, path, seconds: 120 })).body);
}

describe("examples/own-domain.yaml", () => {
  /** A document as the failed `up` printed it. */
  const printed = (which: string) =>
    new RegExp(`serve (\\S+) at https://${DOMAIN}/.well-known/matrix/${which} with`).exec(
      withoutDocuments.output,
    )?.[1] ?? "";

  test("[H6] without the documents the checks name the missing documents and the URLs to serve them", () => {
    expect(withoutDocuments.ok).toBe(false);
    const { output } = withoutDocuments;
    expect(output).toMatch(/checks failed: well-known server, well-known client$/m);
    for (const which of ["server", "client"]) {
      expect(output).toContain(`well-known ${which}: status 404 instead of 200`);
      expect(output).toContain(`at https://${DOMAIN}/.well-known/matrix/${which} with status 200`);
    }
  });

  test("[H6] with the two printed documents every check passes, also another server's request", async () => {
    const documents = { server: printed("server"), client: printed("client") };
    const folder = path.join(web.root, "var/www/html/.well-known/matrix");
    for (const [which, text] of Object.entries(documents)) await fs.writeFile(path.join(folder, which), text);
    await own.edit({
      "verification.partner": { serverName: ports.serverName, url: `https://${ports.publicHost}` },
      "verification.resolve": {
        ...{ [DOMAIN]: web.address, [own.publicHost]: tailnet.host.address },
        [ports.publicHost]: ports.host.address,
      },
    });
    await own.up();
    const { verification, wellKnown } = await outputsOf(own);
    expect(wellKnown).toEqual(documents);
    // Names in `resolve` are not in DNS, and only the tunnel knows a client's address.
    expect(verification).toMatch(
      /^\d+ passed; not checked: DNS e2e-own\S+, DNS e2e-own\S+, forged X-Forwarded-For$/,
    );
    expect(await profileSeenByPorts(`@alice:${DOMAIN}`)).toMatchObject({ displayname: "Alice" });
    expect((await own.up()).steps.filter(({ op }) => op !== "refresh")).toEqual([]);
  });
});

describe("examples/home-ports.yaml", () => {
  const record = () => dynu.domains[0]?.ipv4Address;
  /** Otherwise systemd would treat a run that the timer has just started as the requested one. */
  const idle = () =>
    ports.asUser(
      'until [ "$(systemctl --user is-active hearth-dns.service)" != activating ]; do sleep 0.2; done',
    );
  const run = async () => {
    await idle();
    await ports.asUser("systemctl --user start hearth-dns.service");
  };

  test("[H4] [H6] Caddy ends TLS on the port that the router sends 443 to, and the checks passed", async () => {
    const { verification } = await outputsOf(ports);
    expect(verification).toMatch(/^\d+ passed; not checked: DNS e2e-ports\S+, signed request$/);
    expect(await ports.status()).toBe(200);
    expect(await ports.status("/_synapse/admin/v1/server_version")).toBe(404);
    const listening = await ports.sh("ss -H -l -n -t");
    expect(listening).toMatch(/\*:8443 /);
    expect(listening).not.toMatch(/:(443|8448) /);
  });

  test("[H6] the name at Dynu gets the home's address automatically, and follows its changes", async () => {
    expect(await eventually(async () => record() === dynu.address, 180)).toBe(true);
    await idle();
    const changes = dynu.changes.length;
    dynu.address = "93.184.216.35";
    await run();
    expect(record()).toBe("93.184.216.35");
    expect(dynu.changes).toHaveLength(changes + 1);
    await run();
    expect(dynu.changes).toHaveLength(changes + 1);
  });

  test("[A1] the second up changes nothing and restarts nothing", async () => {
    const before = await ports.lives();
    const { steps } = await ports.up();
    expect(steps.filter(({ op }) => op !== "refresh")).toEqual([]);
    expect(await ports.lives()).toBe(before);
  });

  test("[H6] [A9] Dynu's key is in no process, log or file of the host", async () => {
    const processes = await ports.asUser(
      `systemctl --user start hearth-dns.service & job=$!
       while kill -0 $job 2>/dev/null; do cat /proc/[0-9]*/cmdline /proc/[0-9]*/environ 2>/dev/null; done | tr '\\0' ' '`,
    );
    expect(processes).toContain("dynamic.py --api https://api.dynu.com/v2");
    expect(processes).not.toContain(dynu.key);
    const journal = await ports.sh("journalctl --no-pager --output=export");
    expect(journal).toContain(`${ports.publicHost} A 93.184.216.35`);
    expect(journal).not.toContain(dynu.key);
    const files = await ports.sh(
      `grep -rlF -- '${dynu.key}' /etc /home/debian /root /run /tmp /var/lib /var/log /var/tmp 2>/dev/null || true`,
    );
    expect(files).toBe("");
  });

  test("[H6] [A9] nor in state, stack file or the engine's output", async () => {
    const files = await fs.readdir(ports.directory, { recursive: true, withFileTypes: true });
    const texts = await Promise.all(
      files
        .filter((file) => file.isFile())
        .map((file) => fs.readFile(path.join(file.parentPath, file.name), "utf8")),
    );
    expect(texts.some((text) => text.includes("hearth-dynu-key"))).toBe(true);
    expect(texts.filter((text) => text.includes(dynu.key))).toEqual([]);
  });
});
