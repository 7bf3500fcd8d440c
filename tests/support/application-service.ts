import { onHost } from "../../sandbox";
import type { DeployedServer } from "./deployed-server";
import { FROM_HERE } from "./synapse-socket";

const TOKEN = "application-service-of-a-test";

/**
 * An application service for tests on one server: it acts for any of the server's users, and may give events its own
 * time (`ts`, part of the Matrix specification), so that a test can create old events.
 */
export class ApplicationService {
  private transactions = 0;

  /** @param socket where Synapse listens on that server's host */
  constructor(
    private readonly server: DeployedServer & { serverName: string },
    private readonly socket: string,
  ) {}

  /** Its registration, for a file that Synapse's setting `app_service_config_files` names. */
  static registration(serverName: string): string {
    return JSON.stringify({
      ...{ id: "test", url: null, as_token: TOKEN, hs_token: "not-used", sender_localpart: "test" },
      rate_limited: false,
      namespaces: { users: [{ exclusive: false, regex: `@[^:]*:${serverName.replaceAll(".", "\\.")}` }] },
    });
  }

  /** A request as `localpart`, past the proxy; the answer must not be an error. */
  async call<T extends object>(
    localpart: string,
    method: string,
    path: string,
    body?: object,
    time?: Date,
  ): Promise<T> {
    const url = new URL(`http://localhost/_matrix${path}`);
    url.searchParams.set("user_id", `@${localpart}:${this.server.serverName}`);
    if (time !== undefined) url.searchParams.set("ts", String(time.getTime()));
    const { code, stdout, stderr } = await onHost(this.server.host, [
      ...["curl", "--silent", "--show-error", "--max-time", "300", "--request", method],
      ...["--unix-socket", this.socket, ...FROM_HERE],
      ...["--header", `Authorization: Bearer ${TOKEN}`],
      ...(body === undefined ? [] : ["--data", JSON.stringify(body)]),
      url.href,
    ]);
    if (code !== 0) throw new Error(`${method} ${path}: ${stderr}`);
    const answer = JSON.parse(stdout) as T & { errcode?: string };
    if (answer.errcode !== undefined) throw new Error(`${method} ${path} as ${localpart}: ${stdout}`);
    return answer;
  }

  invite(localpart: string, roomId: string, userId: string): Promise<object> {
    return this.call(localpart, "POST", `/client/v3/rooms/${encodeURIComponent(roomId)}/invite`, {
      user_id: userId,
    });
  }

  join(localpart: string, roomId: string, via: string): Promise<object> {
    return this.call(localpart, "POST", `/client/v3/join/${encodeURIComponent(roomId)}?via=${via}`, {});
  }

  async send(localpart: string, roomId: string, text: string): Promise<string> {
    this.transactions += 1;
    const path = `/client/v3/rooms/${encodeURIComponent(roomId)}/send/m.room.message/${this.transactions}-${Date.now()}`;
    const content = { msgtype: "m.text", body: text };
    return (await this.call<{ event_id: string }>(localpart, "PUT", path, content)).event_id;
  }

  /** A member changes the name shown in the room, at a time in the past; it is then the member's last event. */
  renamed(localpart: string, roomId: string, time: Date): Promise<object> {
    const member = encodeURIComponent(`@${localpart}:${this.server.serverName}`);
    const path = `/client/v3/rooms/${encodeURIComponent(roomId)}/state/m.room.member/${member}`;
    const content = { membership: "join", displayname: `${localpart}, long ago` };
    return this.call(localpart, "PUT", path, content, time);
  }

  /** User IDs of the members, as seen by `localpart`. */
  async members(localpart: string, roomId: string): Promise<string[]> {
    const path = `/client/v3/rooms/${encodeURIComponent(roomId)}/joined_members`;
    return Object.keys((await this.call<{ joined: object }>(localpart, "GET", path)).joined).sort();
  }

  /** Uploads a small file; the ID of the medium. */
  async upload(localpart: string, name: string): Promise<string> {
    const path = `/media/v3/upload?filename=${name}`;
    const { content_uri: uri } = await this.call<{ content_uri: string }>(localpart, "POST", path, { name });
    return uri.replace(/^.*\//, "");
  }
}
