/** The start parameters of the Matrix clients' process. */
export interface ClientSettings {
  /** Maps host names to addresses, for names that are not in DNS; every other name is looked up as usual. */
  resolve: Record<string, string>;
  /** PEM file with authorities to trust in addition to the usual ones. */
  caFile?: string;
}

/** A password login. Without `baseUrl` the URL comes from the server name's well-known document, as in a client. */
export interface Credentials {
  serverName: string;
  user: string;
  password: string;
  baseUrl?: string;
}

export interface LoggedIn {
  userId: string;
  deviceId: string;
  baseUrl: string;
}

/** An event as the server stores it, before any decryption. */
export interface WireEvent {
  type: string;
  sender: string;
  content: Record<string, unknown>;
}

/** The actions of a session. All times are milliseconds. */
export interface SessionMethods {
  /** Logs in with a new device, uploads its keys and waits for the first sync. */
  login(credentials: Credentials): Promise<LoggedIn>;
  /** Creates a private room that encrypts from its first message; returns its id. */
  createEncryptedRoom(options: { name: string; alias?: string; invite: string[] }): Promise<string>;
  /** The room behind an alias of this server, when this user has joined it. */
  joinedRoom(options: { alias: string }): Promise<string | null>;
  invite(options: { roomId: string; userId: string }): Promise<void>;
  /** Waits for an invitation to the room and accepts it. */
  acceptInvite(options: { roomId: string; via: string[]; timeout: number }): Promise<void>;
  /** Joins a room without an invitation, as its join rule allows; fails with the server's message if it does not. */
  join(options: { roomId: string; via: string[]; timeout: number }): Promise<void>;
  /** A member's state in the room as this session sees it: `join`, `invite`, `leave`, or none. */
  membership(options: { roomId: string; userId: string }): Promise<string | null>;
  /** Waits until this session sees the member in the room, and so encrypts for its devices too. */
  waitForMember(options: { roomId: string; userId: string; timeout: number }): Promise<void>;
  /** Sends an encrypted text; returns the event's id. */
  send(options: { roomId: string; text: string }): Promise<string>;
  /** Waits until the event has arrived and is decrypted; returns its text. */
  read(options: { roomId: string; eventId: string; timeout: number }): Promise<string>;
  /** The event as the homeserver stores it. */
  wireEvent(options: { roomId: string; eventId: string }): Promise<WireEvent>;
  leave(options: { roomId: string }): Promise<void>;
  /** Ends the device on the server and drops its keys. */
  logout(): Promise<void>;
}

export type MethodName = keyof SessionMethods;

/** A call to one session; the first call creates the session. */
export interface Call {
  id: number;
  session: string;
  method: MethodName;
  argument: unknown;
}

export type Reply = { id: number; result: unknown } | { id: number; error: string };
