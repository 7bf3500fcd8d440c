import { execFile, execFileSync } from "node:child_process";
import { createHmac } from "node:crypto";
import * as fs from "node:fs/promises";
import * as net from "node:net";
import * as os from "node:os";
import * as path from "node:path";
import * as tls from "node:tls";
import { promisify } from "node:util";
import { spending } from "../../sandbox/spent";
import { type Homeserver, startHomeserver } from "../provider/matrix/homeserver";

const run = promisify(execFile);

const COMPONENTS = path.resolve(__dirname, "../../components");
const GENEROUS = { per_second: 1000, burst_count: 1000 };

/** Settings for fast tests: Synapse's limits allow only five logins and invitations in a test. */
const QUICK = {
  bcrypt_rounds: 4,
  rc_login: { address: GENEROUS, account: GENEROUS, failed_attempts: GENEROUS },
  rc_message: GENEROUS,
  rc_joins: { local: GENEROUS, remote: GENEROUS },
  rc_invites: { per_room: GENEROUS, per_user: GENEROUS, per_issuer: GENEROUS },
  presence: { enabled: false },
};

/** The answer of a homeserver. */
export interface Answer {
  status: number;
  // biome-ignore lint/suspicious/noExplicitAny: the homeserver decides the type; the tests check parts of it.
  body: any;
}

/** A user of the test's homeserver. */
export class User {
  constructor(
    readonly url: string,
    readonly id: string,
    readonly password: string,
    readonly accessToken: string,
  ) {}

  async call(method: string, target: string, body?: object): Promise<Answer> {
    const response = await fetch(`${this.url}${target}`, {
      method,
      headers: { Authorization: `Bearer ${this.accessToken}` },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return { status: response.status, body: await response.json() };
  }

  /** A request that must succeed. */
  async must(method: string, target: string, body?: object): Promise<Answer["body"]> {
    const answer = await this.call(method, target, body);
    if (answer.status !== 200)
      throw new Error(`${method} ${target}: ${answer.status} ${JSON.stringify(answer.body)}`);
    return answer.body;
  }

  async createRoom(settings: object = {}): Promise<string> {
    return (await this.must("POST", "/_matrix/client/v3/createRoom", settings)).room_id;
  }

  join(room: string, via?: string): Promise<unknown> {
    const query = via === undefined ? "" : `?via=${encodeURIComponent(via)}`;
    return this.must("POST", `/_matrix/client/v3/join/${encodeURIComponent(room)}${query}`, {});
  }

  async send(room: string, text: string): Promise<string> {
    const target = `/_matrix/client/v3/rooms/${encodeURIComponent(room)}/send/m.room.message/${Math.random()}`;
    return (await this.must("PUT", target, { msgtype: "m.text", body: text })).event_id;
  }

  setState(room: string, type: string, content: object): Promise<unknown> {
    return this.must("PUT", `/_matrix/client/v3/rooms/${encodeURIComponent(room)}/state/${type}/`, content);
  }

  readUpTo(room: string, event: string): Promise<unknown> {
    const target = `/_matrix/client/v3/rooms/${encodeURIComponent(room)}/receipt/m.read/${encodeURIComponent(event)}`;
    return this.must("POST", target, {});
  }

  /** The members of a room, as this user sees them. */
  async members(room: string): Promise<string[]> {
    const target = `/_matrix/client/v3/rooms/${encodeURIComponent(room)}/joined_members`;
    return Object.keys((await this.must("GET", target)).joined).sort();
  }
}

/** Registers a user with the homeserver's shared secret. */
export async function makeUser(homeserver: Homeserver, localpart: string, admin = false): Promise<User> {
  const endpoint = `${homeserver.url}/_synapse/admin/v1/register`;
  const { nonce } = (await (await fetch(endpoint)).json()) as { nonce: string };
  const secret = (await fs.readFile(homeserver.registrationSecret, "utf8")).trim();
  const password = `password of ${localpart}`;
  const mac = createHmac("sha1", secret)
    .update([nonce, localpart, password, admin ? "admin" : "notadmin"].join("\0"))
    .digest("hex");
  const response = await fetch(endpoint, {
    method: "POST",
    body: JSON.stringify({ nonce, username: localpart, password, admin, mac }),
  });
  const answer = (await response.json()) as { user_id: string; access_token: string };
  if (!response.ok) throw new Error(JSON.stringify(answer));
  return new User(homeserver.url, answer.user_id, password, answer.access_token);
}

/** A Synapse that others reach over TLS on loopback, until its connection is cut. */
export interface Reachable {
  homeserver: Homeserver;
  cut(): Promise<void>;
  reconnect(): Promise<void>;
  stop(): Promise<void>;
}

/** For `federation`: the server gives up soon; by default it retries for ten minutes, at most a minute apart. */
export const IMPATIENT = {
  max_long_retries: 1,
  max_long_retry_delay: "1s",
  max_short_retries: 1,
  max_short_retry_delay: "1s",
};

/** Starts a homeserver whose name is an address of loopback, so that others on this machine can federate with it. */
export async function startReachable(settings: object = {}): Promise<Reachable> {
  const way = await WayIn.open();
  const homeserver = await startHomeserver(`127.0.0.1:${way.port}`, {
    ...QUICK,
    federation_verify_certificates: false,
    ip_range_blacklist: [],
    ...settings,
  });
  way.target = Number(new URL(homeserver.url).port);
  return {
    homeserver,
    cut: () => way.close(),
    reconnect: () => way.listen(),
    stop: async () => {
      await way.close();
      await homeserver.stop();
    },
  };
}

/** Replaces the reverse proxy: ends TLS and forwards everything. */
class WayIn {
  target = 0;
  port = 0;
  private readonly sockets = new Set<net.Socket>();
  private server: tls.Server;

  private constructor(private readonly certificate: { key: string; cert: string }) {
    this.server = this.make();
  }

  static async open(): Promise<WayIn> {
    const way = new WayIn(await selfSigned());
    await way.listen();
    return way;
  }

  async listen(): Promise<void> {
    this.server = this.make();
    await new Promise<void>((resolve, reject) => {
      this.server.once("error", reject).listen(this.port, "127.0.0.1", resolve);
    });
    const address = this.server.address();
    if (typeof address === "object" && address !== null) this.port = address.port;
  }

  async close(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    await new Promise<void>((resolve) => this.server.close(() => resolve()));
  }

  private make(): tls.Server {
    const server = tls.createServer(this.certificate, (outer) => {
      const inner = net.connect(this.target, "127.0.0.1");
      for (const socket of [outer, inner]) this.keep(socket);
      outer.pipe(inner).pipe(outer);
    });
    // A connection during its handshake would also keep the server from closing.
    return server.on("connection", (socket: net.Socket) => this.keep(socket));
  }

  private keep(socket: net.Socket): void {
    this.sockets.add(socket);
    socket.on("close", () => this.sockets.delete(socket)).on("error", () => socket.destroy());
  }
}

async function selfSigned(): Promise<{ key: string; cert: string }> {
  const folder = await fs.mkdtemp(path.join(os.tmpdir(), "hearth-way-in-"));
  const [key, cert] = [path.join(folder, "key.pem"), path.join(folder, "cert.pem")];
  try {
    const algorithm = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-noenc", "-days", "2"];
    execFileSync(
      "openssl",
      ["req", "-x509", ...algorithm, "-subj", "/CN=127.0.0.1", "-keyout", key, "-out", cert],
      { stdio: "ignore" },
    );
    return { key: await fs.readFile(key, "utf8"), cert: await fs.readFile(cert, "utf8") };
  } finally {
    await fs.rm(folder, { recursive: true });
  }
}

/** The result of a program. */
export interface Ended {
  status: number;
  output: string;
}

/** Runs a job like its container: `maintenance/retention.py` with arguments, with the shared modules next to it. */
export async function runJob(program: string, args: readonly string[]): Promise<Ended> {
  const [component = "", file = ""] = program.split("/");
  const argv = ["-B", path.join(COMPONENTS, component, "programs", file), ...args];
  const env = { ...process.env, PYTHONPATH: path.join(COMPONENTS, "maintenance", "programs") };
  return run("python3", argv, { env }).then(
    ({ stdout }) => ({ status: 0, output: stdout }),
    ({ code, stdout, stderr }) => ({ status: code, output: `${stdout}${stderr}` }),
  );
}

/** An account of a job: its user, its password in the file that the job reads, and a folder for the job's records. */
export async function jobAccount(homeserver: Homeserver, localpart: string, admin: boolean) {
  const user = await makeUser(homeserver, localpart, admin);
  const folder = await fs.mkdtemp(path.join(homeserver.directory, `${localpart}-`));
  const passwordFile = path.join(folder, "password");
  await fs.writeFile(passwordFile, `${user.password}\n`, { mode: 0o600 });
  const args = ["--socket", homeserver.socket, "--user", localpart, "--password-file", passwordFile];
  return { user, folder, args: [...args, "--folder", folder] };
}

/** Waits until a condition holds; returns whether it did. */
export function eventually(what: () => Promise<boolean>, seconds = 60): Promise<boolean> {
  return spending("waiting", async () => {
    const deadline = performance.now() + seconds * 1000;
    while (performance.now() < deadline) {
      if (await what()) return true;
      await pause(0.2);
    }
    return false;
  });
}

export function pause(seconds: number): Promise<void> {
  return spending("waiting", () => new Promise((resolve) => setTimeout(resolve, seconds * 1000)));
}
