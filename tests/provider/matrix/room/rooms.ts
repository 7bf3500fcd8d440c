import * as fs from "node:fs/promises";
import * as os from "node:os";
import * as path from "node:path";
import { type Homeserver, runHostProgram } from "../homeserver";

/** A room as provider/matrix/programs/room.py answers about it; what the tests look at. */
export interface Seen {
  key: string;
  exists: boolean;
  existed?: boolean;
  roomId: string;
  name: string;
  did?: string[];
  notes: string[];
  refusals: string[];
  lost: string | null;
  members: Record<string, string>;
  [member: string]: unknown;
}
export type Answer = { status: string; message?: string; rooms?: Seen[] };

export const LEVELS = {
  users: {},
  ...{ usersDefault: 0, invite: 50, kick: 50, ban: 50, redact: 50, stateDefault: 50, eventsDefault: 0 },
};

/** A room as the stack may ask for it, with everything left out that can be. */
export function wanted(key: string, change: object = {}) {
  return {
    ...{ key, space: false, name: key, topic: null, joinRule: { rule: "invite", spaceIds: [] } },
    ...{ historyVisibility: "invited", encrypted: true, powerLevels: LEVELS, members: [], alias: null },
    ...{ avatar: null, parent: null, roomVersion: null, federate: true, ...change },
  };
}

export function wantedSpace(key: string, change: object = {}) {
  return wanted(key, { space: true, encrypted: false, historyVisibility: "shared", ...change });
}

/** A homeserver whose rooms are kept by the program, as it runs on a host. */
export class Rooms {
  constructor(
    readonly homeserver: Homeserver,
    readonly state: string,
  ) {}

  static async of(homeserver: Homeserver): Promise<Rooms> {
    return new Rooms(homeserver, await fs.mkdtemp(path.join(os.tmpdir(), "hearth-state-")));
  }

  async end(): Promise<void> {
    await this.homeserver.stop();
    await fs.rm(this.state, { recursive: true, force: true });
  }

  ask(action: "observe" | "apply", rooms: object[], program: `${string}.py` = "room.py"): Promise<Answer> {
    const { socket, serverName, registrationSecret } = this.homeserver;
    const access = { scope: "system", homeserverUrl: `unix:${socket}`, serverName, registrationSecret };
    const subject = program === "room.py" ? { rooms } : { accounts: rooms };
    return runHostProgram<Answer>(program, { ...access, stateDirectory: this.state, action, ...subject });
  }

  async apply(room: object): Promise<Seen> {
    return first(await this.ask("apply", [room]));
  }

  async observe(room: object): Promise<Seen> {
    return first(await this.ask("observe", [room]));
  }

  /** An account with a token. */
  async person(localpart: string, admin = false): Promise<Person> {
    const account = { localpart, admin, displayName: null, deactivated: false };
    await this.ask(
      "apply",
      [{ ...account, password: { kind: "given", value: "x", change: false } }],
      "account.py",
    );
    const user = `@${localpart}:${this.homeserver.serverName}`;
    const identifier = { type: "m.id.user", user };
    const login = await ask(this.homeserver.url, "", "POST", "/_matrix/client/v3/login", {
      ...{ type: "m.login.password", identifier, password: "x" },
    });
    return new Person(this.homeserver.url, user, String(login.body.access_token));
  }

  /** Hearth's own account, as its credential on the host lets one be. */
  async hearth(): Promise<Person> {
    const credential: { userId: string; accessToken: string } = JSON.parse(
      await fs.readFile(path.join(this.state, "admin.json"), "utf8"),
    );
    return new Person(this.homeserver.url, credential.userId, credential.accessToken);
  }

  /** Every room that Hearth's account has made. */
  async made(): Promise<string[]> {
    const { body } = await (await this.hearth()).ask("GET", "/_synapse/admin/v1/rooms");
    const rooms = body.rooms as { room_id: string; creator: string }[];
    return rooms.filter(({ creator }) => creator.startsWith("@hearth:")).map((room) => room.room_id);
  }
}

function first(answer: Answer): Seen {
  const seen = answer.rooms?.[0];
  if (seen === undefined) throw new Error(JSON.stringify(answer));
  return seen;
}

type Reply = { status: number; body: Record<string, unknown> };

/** Somebody with an access token. */
export class Person {
  constructor(
    private readonly url: string,
    readonly user: string,
    private readonly token: string,
  ) {}

  ask(method: string, pathname: string, body?: object): Promise<Reply> {
    return ask(this.url, this.token, method, pathname, body);
  }

  /** Status of a change of the room's state. */
  async put(roomId: string, type: string, content: object, stateKey = ""): Promise<number> {
    const place = [roomId, "state", type, stateKey].map(encodeURIComponent).join("/");
    return (await this.ask("PUT", `/_matrix/client/v3/rooms/${place}`, content)).status;
  }

  async get(roomId: string, type: string, stateKey = ""): Promise<Record<string, unknown>> {
    const place = [roomId, "state", type, stateKey].map(encodeURIComponent).join("/");
    return (await this.ask("GET", `/_matrix/client/v3/rooms/${place}`)).body;
  }

  /** Status of `join`, `leave`, `kick` … */
  async act(roomId: string, action: string, body: object = {}, via?: string): Promise<number> {
    const room = encodeURIComponent(roomId);
    const pathname = action === "join" ? `join/${room}` : `rooms/${room}/${action}`;
    const query = via === undefined ? "" : `?via=${encodeURIComponent(via)}`;
    return (await this.ask("POST", `/_matrix/client/v3/${pathname}${query}`, body)).status;
  }
}

async function ask(
  url: string,
  token: string,
  method: string,
  pathname: string,
  body?: object,
): Promise<Reply> {
  const headers = token === "" ? undefined : { authorization: `Bearer ${token}` };
  const init = { method, ...(headers && { headers }), ...(body && { body: JSON.stringify(body) }) };
  const response = await fetch(url + pathname, init);
  return { status: response.status, body: JSON.parse(await response.text()) };
}
