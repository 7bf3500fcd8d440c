import { type ChildProcess, execFile, spawn } from "node:child_process";
import { randomBytes, randomInt } from "node:crypto";
import * as fs from "node:fs/promises";
import * as net from "node:net";
import * as os from "node:os";
import * as path from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

const VERSION = "1.163.2";
export const HOST_PROGRAMS = path.resolve(__dirname, "../../../provider/matrix/programs");

/** A Synapse of this test's own on loopback, with SQLite: enough for whatever speaks its APIs. */
export interface Homeserver {
  serverName: string;
  /** For tests that are a client. */
  url: string;
  /** For Hearth's own programs. */
  socket: string;
  directory: string;
  registrationSecret: string;
  logFile: string;
  mediaPath: string;
  /** Its process stands still (and goes on): it takes connections and answers nobody. */
  hang(whether: boolean): void;
  stop(): Promise<void>;
}

/**
 * One that other such ones on this machine can federate with: its name is `localhost` and the port of a TLS listener, whose
 * certificate nobody checks.
 */
export async function startFederatingHomeserver(settings: object = {}): Promise<Homeserver> {
  const port = await freePort();
  const trusting = { federation_verify_certificates: false, ip_range_whitelist: ["127.0.0.0/8", "::1/128"] };
  return startHomeserver(`localhost:${port}`, { ...trusting, ...settings }, port);
}

/**
 * Starts one in a temporary directory; installs the pinned Synapse at first use (kept outside the checkout).
 * @param federationPort a port to listen on with TLS, for other servers
 */
export async function startHomeserver(
  serverName: string,
  settings: object = {},
  federationPort?: number,
): Promise<Homeserver> {
  const packages = await installed();
  const directory = await fs.mkdtemp(path.join(os.tmpdir(), "hearth-homeserver-"));
  const port = await freePort();
  const at = (name: string) => path.join(directory, name);
  const homeserver = {
    ...{ serverName, directory, url: `http://127.0.0.1:${port}`, socket: at("synapse.sock") },
    registrationSecret: at("registration.secret"),
    logFile: at("homeserver.log"),
    mediaPath: at("media"),
  };
  await fs.writeFile(homeserver.registrationSecret, `${randomBytes(24).toString("hex")}\n`, {
    mode: 0o600,
  });
  await fs.writeFile(at("log.yaml"), JSON.stringify(logging(homeserver.logFile)));
  const federation =
    federationPort === undefined ? {} : await federationSettings(homeserver, port, federationPort, at);
  await fs.writeFile(
    at("homeserver.yaml"),
    JSON.stringify({ ...configuration(homeserver, port, at), ...federation, ...settings }),
  );
  const argv = ["-m", "synapse.app.homeserver", "-c", at("homeserver.yaml")];
  const env = { ...process.env, PYTHONPATH: packages };
  await run("python3", [...argv, "--generate-keys"], { env });
  const errors = await fs.open(at("stderr"), "w");
  const child = spawn("python3", argv, { env, stdio: ["ignore", "ignore", errors.fd] });
  await errors.close();
  const stop = async () => {
    await ended(child);
    await fs.rm(directory, { recursive: true, force: true });
  };
  try {
    await answering(`${homeserver.url}/health`, child);
    await run("python3", ["-c", SETTLED, at("homeserver.db")]);
  } catch (error) {
    const said = await fs.readFile(at("stderr"), "utf8");
    await stop();
    throw new Error(`${error}\n${said.slice(-2000)}`);
  }
  return { ...homeserver, stop, hang: (whether) => child.kill(whether ? "SIGSTOP" : "SIGCONT") };
}

/**
 * Waits until a new database has all its indexes. Synapse makes some of them after its start, and until then a few requests,
 * the reactivation of an account among them, end with status 500 (no constraint for ON CONFLICT).
 */
const SETTLED = `
import sqlite3, sys, time
database = sqlite3.connect(f"file:{sys.argv[1]}?mode=ro", uri=True, timeout=30)
deadline = time.monotonic() + 300
while database.execute("SELECT count(*) FROM background_updates").fetchone()[0]:
    if time.monotonic() > deadline:
        sys.exit("the homeserver's background updates do not end")
    time.sleep(0.1)
`;

function configuration(
  homeserver: Omit<Homeserver, "stop" | "hang">,
  port: number,
  at: (name: string) => string,
) {
  return {
    server_name: homeserver.serverName,
    listeners: clientListeners(homeserver, port),
    database: { name: "sqlite3", args: { database: at("homeserver.db") } },
    media_store_path: homeserver.mediaPath,
    registration_shared_secret_path: homeserver.registrationSecret,
    signing_key_path: at("signing.key"),
    pid_file: at("pid"),
    log_config: at("log.yaml"),
    trusted_key_servers: [],
    report_stats: false,
    background_updates: { sleep_enabled: false },
  };
}

function clientListeners({ socket }: Pick<Homeserver, "socket">, port: number) {
  const http = { type: "http", x_forwarded: true, resources: [{ names: ["client", "federation"] }] };
  return [
    { port, bind_addresses: ["127.0.0.1"], ...http },
    { path: socket, ...http },
  ];
}

async function federationSettings(
  homeserver: Pick<Homeserver, "socket">,
  port: number,
  federationPort: number,
  at: (name: string) => string,
) {
  const [certificate, key] = [at("tls.crt"), at("tls.key")];
  const kind = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-noenc"];
  await run("openssl", [
    ...kind,
    "-days",
    "2",
    "-subj",
    "/CN=localhost",
    "-keyout",
    key,
    "-out",
    certificate,
  ]);
  return {
    listeners: [
      ...clientListeners(homeserver, port),
      {
        ...{ port: federationPort, type: "http", tls: true, bind_addresses: ["127.0.0.1"] },
        resources: [{ names: ["federation"] }],
      },
    ],
    tls_certificate_path: certificate,
    tls_private_key_path: key,
  };
}

function logging(file: string) {
  return {
    version: 1,
    disable_existing_loggers: false,
    formatters: {
      line: { format: "%(asctime)s - %(name)s - %(lineno)d - %(levelname)s - %(request)s - %(message)s" },
    },
    handlers: { file: { class: "logging.FileHandler", filename: file, formatter: "line" } },
    root: { level: "WARNING", handlers: ["file"] },
  };
}

/** The folder with Synapse and what it needs, filled once per machine; two workers at once make it only once. */
async function installed(): Promise<string> {
  const cache = path.join(process.env.XDG_CACHE_HOME ?? path.join(os.homedir(), ".cache"), "hearth", "tests");
  const packages = path.join(cache, `synapse-${VERSION}`);
  if (await fs.stat(packages).catch(() => undefined)) return packages;
  await fs.mkdir(cache, { recursive: true });
  const partial = await fs.mkdtemp(`${packages}.new-`);
  // A download that stalls is gone on with; a pip that does not know how passes over that.
  const env = { ...process.env, PIP_TIMEOUT: "60", PIP_RETRIES: "10", PIP_RESUME_RETRIES: "10" };
  const argv = ["-m", "pip", "install", "--quiet", "--target", partial, `matrix-synapse==${VERSION}`];
  await run("python3", argv, { env });
  await fs.rename(partial, packages).catch(() => fs.rm(partial, { recursive: true }));
  return packages;
}

/**
 * A port that nobody uses, below those that the kernel gives to outgoing connections: one of these could take it before Synapse
 * listens, some seconds later.
 */
async function freePort(): Promise<number> {
  const port = randomInt(20_000, 32_000);
  const free = await new Promise<boolean>((resolve) => {
    const server = net.createServer().on("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
  return free ? port : freePort();
}

async function answering(url: string, child: ChildProcess): Promise<void> {
  const deadline = Date.now() + 300_000;
  while (Date.now() < deadline) {
    if (child.exitCode !== null) throw new Error(`Synapse ended with status ${child.exitCode}`);
    const ok = await fetch(url).then(
      (response) => response.ok,
      () => false,
    );
    if (ok) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`${url} did not answer within 300 s`);
}

function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return Promise.resolve();
  return new Promise((resolve) => {
    child.on("exit", () => resolve());
    child.kill("SIGKILL");
  });
}

/** Runs one of the Python programs of provider/matrix/programs as the transport does: next to its request, with its answer as JSON. */
export async function runHostProgram<T>(program: `${string}.py`, request: object): Promise<T> {
  const directory = await fs.mkdtemp(path.join(os.tmpdir(), "hearth-call-"));
  try {
    await fs.writeFile(path.join(directory, "request.json"), JSON.stringify(request), { mode: 0o600 });
    const argv = ["-B", path.join(HOST_PROGRAMS, program), directory];
    return JSON.parse((await run("python3", argv)).stdout);
  } finally {
    await fs.rm(directory, { recursive: true });
  }
}
