import { randomBytes } from "node:crypto";
import { MatrixClients } from "./clients";
import type { Credentials, SessionMethods } from "./protocol";

export interface JourneyOptions {
  /** Two accounts on two servers; the first creates the room and invites the second. */
  accounts: [Credentials, Credentials];
  /** Maps host names to addresses, for names that are not in DNS. */
  resolve: Record<string, string>;
  caFile?: string;
  /** Local part of the room's alias on the first server: an existing room is used again, so that runs do not accumulate rooms. */
  alias: string;
  /** Leave the room permanently at the end. Default: stay, like real users. */
  leave?: boolean;
  logFile?: string;
  /** Receives each step when it starts. Default: none. */
  progress?: (step: string) => void;
}

export interface JourneyResult {
  roomId: string;
  userIds: [string, string];
  /** The texts that were read, in order: the first account's message, the second's answer. */
  messages: [string, string];
}

const PATIENCE = 120_000;

/**
 * Two users on two servers: both log in, share an encrypted room across federation, one writes, the other reads and
 * answers. Fails unless both servers store only ciphertext. Both devices are always logged out at the end.
 */
export async function journey(options: JourneyOptions): Promise<JourneyResult> {
  const { resolve, caFile, logFile, progress = () => undefined } = options;
  const clients = new MatrixClients({ resolve, logFile, ...(caFile && { caFile }) });
  const [one, two] = [clients.session("one"), clients.session("two")];
  try {
    progress("logging in on both servers");
    const [first, second] = await Promise.all([
      one.login(options.accounts[0]),
      two.login(options.accounts[1]),
    ]);
    progress(`inviting ${second.userId} to an encrypted room`);
    const via = [options.accounts[0].serverName];
    const roomId = await sharedRoom({ one, two, invitee: second.userId, alias: options.alias, via });
    await one.waitForMember({ roomId, userId: second.userId, timeout: PATIENCE });
    await two.waitForMember({ roomId, userId: first.userId, timeout: PATIENCE });
    progress(`sending from ${first.userId} to ${second.userId}`);
    const sent = await pass(one, two, roomId, "Hello from the other side of federation");
    progress(`answering from ${second.userId} to ${first.userId}`);
    const answered = await pass(two, one, roomId, "Read you loud and clear");
    if (options.leave) await Promise.all([one.leave({ roomId }), two.leave({ roomId })]);
    return { roomId, userIds: [first.userId, second.userId], messages: [sent.text, answered.text] };
  } finally {
    await Promise.allSettled([one.logout(), two.logout()]);
    await clients.close();
  }
}

interface Meeting {
  one: SessionMethods;
  two: SessionMethods;
  invitee: string;
  alias: string;
  via: string[];
}

/** The room that both are in: the existing one, or a new one. */
async function sharedRoom({ one, two, invitee, alias, via }: Meeting): Promise<string> {
  const present = await one.joinedRoom({ alias });
  if (present === null) {
    const made = await one.createEncryptedRoom({ name: "Hearth journey", alias, invite: [invitee] });
    await two.acceptInvite({ roomId: made, via, timeout: PATIENCE });
    return made;
  }
  if ((await one.membership({ roomId: present, userId: invitee })) === "join") return present;
  if ((await one.membership({ roomId: present, userId: invitee })) !== "invite") {
    await one.invite({ roomId: present, userId: invitee });
  }
  await two.acceptInvite({ roomId: present, via, timeout: PATIENCE });
  return present;
}

/** Sends a unique text, waits until the other user read it, and checks that both servers store only ciphertext. */
export async function pass(
  from: SessionMethods,
  to: SessionMethods,
  roomId: string,
  words: string,
): Promise<{ eventId: string; text: string }> {
  const text = `${words} (${randomBytes(8).toString("hex")})`;
  const eventId = await from.send({ roomId, text });
  const read = await to.read({ roomId, eventId, timeout: PATIENCE });
  if (read !== text) throw new Error(`read ${JSON.stringify(read)}, but ${JSON.stringify(text)} was sent`);
  for (const session of [from, to]) {
    const event = await session.wireEvent({ roomId, eventId });
    if (event.type !== "m.room.encrypted" || JSON.stringify(event).includes(text)) {
      throw new Error(`a homeserver holds ${eventId} as ${event.type}, which is not encrypted`);
    }
  }
  return { eventId, text };
}
