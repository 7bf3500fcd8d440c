import { setTimeout as sleep } from "node:timers/promises";
import type { MatrixClient, MatrixEvent, Room } from "matrix-js-sdk";
import type { Credentials, LoggedIn, SessionMethods, WireEvent } from "./protocol";

type Sdk = typeof import("matrix-js-sdk");

const POLL = 50;
/** Milliseconds for a step that takes a second on an idle machine. */
const PATIENCE = 120_000;
const LOGIN_PATIENCE = 60_000;

/** One logged-in device; its keys are in memory only and are lost with the process. */
export class Session implements SessionMethods {
  private connected?: MatrixClient;

  constructor(private readonly sdk: Sdk) {}

  async login(credentials: Credentials): Promise<LoggedIn> {
    const baseUrl = credentials.baseUrl ?? (await this.discover(credentials.serverName));
    const anonymous = this.sdk.createClient({ baseUrl });
    const answer = await this.patiently(() =>
      anonymous.loginRequest({
        type: "m.login.password",
        identifier: { type: "m.id.user", user: credentials.user },
        password: credentials.password,
        initial_device_display_name: "Hearth journey",
      }),
    );
    const { user_id: userId, device_id: deviceId, access_token: accessToken } = answer;
    const client = this.sdk.createClient({ baseUrl, userId, deviceId, accessToken });
    this.connected = client;
    await client.initRustCrypto({ useIndexedDB: false });
    await client.startClient({ initialSyncLimit: 20 });
    await until(`the first sync of ${userId}`, PATIENCE, () => client.isInitialSyncComplete());
    await until(`the device keys of ${userId}`, PATIENCE, () => this.keysAreUploaded(userId, deviceId));
    return { userId, deviceId, baseUrl };
  }

  async createEncryptedRoom(options: { name: string; alias?: string; invite: string[] }): Promise<string> {
    const { room_id: roomId } = await this.client.createRoom({
      name: options.name,
      ...(options.alias && { room_alias_name: options.alias }),
      invite: options.invite,
      preset: this.sdk.Preset.PrivateChat,
      initial_state: [
        { type: "m.room.encryption", state_key: "", content: { algorithm: "m.megolm.v1.aes-sha2" } },
      ],
    });
    await until(
      "the new room to encrypt",
      PATIENCE,
      () => this.room(roomId)?.hasEncryptionStateEvent() === true,
    );
    return roomId;
  }

  async joinedRoom({ alias }: { alias: string }): Promise<string | null> {
    const full = `#${alias}:${this.client.getDomain()}`;
    try {
      const { room_id: roomId } = await this.client.getRoomIdForAlias(full);
      return this.room(roomId)?.getMyMembership() === "join" ? roomId : null;
    } catch (error) {
      if (error instanceof this.sdk.MatrixError && error.errcode === "M_NOT_FOUND") return null;
      throw error;
    }
  }

  async invite({ roomId, userId }: { roomId: string; userId: string }): Promise<void> {
    await this.client.invite(roomId, userId);
  }

  async acceptInvite({
    roomId,
    via,
    timeout,
  }: {
    roomId: string;
    via: string[];
    timeout: number;
  }): Promise<void> {
    const invited = () => ["invite", "join"].includes(this.room(roomId)?.getMyMembership() ?? "");
    await until(`an invitation to ${roomId}`, timeout, invited);
    await this.join({ roomId, via, timeout });
  }

  async join({ roomId, via, timeout }: { roomId: string; via: string[]; timeout: number }): Promise<void> {
    await this.client.joinRoom(roomId, { viaServers: via });
    await until(`${roomId} after joining`, timeout, () => this.room(roomId)?.getMyMembership() === "join");
  }

  async membership({ roomId, userId }: { roomId: string; userId: string }): Promise<string | null> {
    return this.room(roomId)?.getMember(userId)?.membership ?? null;
  }

  async waitForMember({
    roomId,
    userId,
    timeout,
  }: {
    roomId: string;
    userId: string;
    timeout: number;
  }): Promise<void> {
    const joined = () => this.room(roomId)?.getMember(userId)?.membership === "join";
    await until(`${userId} in ${roomId}`, timeout, joined);
  }

  async send({ roomId, text }: { roomId: string; text: string }): Promise<string> {
    const { event_id: eventId } = await this.client.sendTextMessage(roomId, text);
    return eventId;
  }

  async read({
    roomId,
    eventId,
    timeout,
  }: {
    roomId: string;
    eventId: string;
    timeout: number;
  }): Promise<string> {
    let event: MatrixEvent | undefined;
    const arrived = () => {
      event = this.room(roomId)?.findEventById(eventId);
      return (
        event !== undefined &&
        !event.isBeingDecrypted() &&
        !event.isDecryptionFailure() &&
        event.getType() === "m.room.message"
      );
    };
    const why = () =>
      event ? `it arrived, and ${event.decryptionFailureReason ?? "is not decrypted"}` : "it has not arrived";
    await until(`event ${eventId} for ${this.client.getUserId()}`, timeout, arrived, why);
    return String(event?.getContent().body);
  }

  async wireEvent({ roomId, eventId }: { roomId: string; eventId: string }): Promise<WireEvent> {
    const { type, sender, content } = await this.client.fetchRoomEvent(roomId, eventId);
    return { type: String(type), sender: String(sender), content: content ?? {} };
  }

  async leave({ roomId }: { roomId: string }): Promise<void> {
    await this.client.leave(roomId);
    await this.client.forget(roomId);
  }

  async logout(): Promise<void> {
    const client = this.connected;
    this.connected = undefined;
    await client?.logout(true);
  }

  private get client(): MatrixClient {
    if (!this.connected) throw new Error("this session is not logged in");
    return this.connected;
  }

  private room(roomId: string): Room | null {
    return this.client.getRoom(roomId);
  }

  private async discover(serverName: string): Promise<string> {
    const found = (await this.sdk.AutoDiscovery.findClientConfig(serverName))["m.homeserver"];
    if (found?.base_url && found.state === this.sdk.AutoDiscoveryAction.SUCCESS) return found.base_url;
    throw new Error(
      `https://${serverName}/.well-known/matrix/client leads to no homeserver: ${found?.error ?? found?.state}`,
    );
  }

  /** Others can encrypt for this device only when the server returns its keys. */
  private async keysAreUploaded(userId: string, deviceId: string): Promise<boolean> {
    const { device_keys: keys } = await this.client.downloadKeysForUsers([userId]);
    return keys[userId]?.[deviceId] !== undefined;
  }

  /** Homeservers allow few logins per address and say how long to wait; this waits up to a limit. */
  private async patiently<T>(request: () => Promise<T>): Promise<T> {
    const deadline = Date.now() + LOGIN_PATIENCE;
    for (;;) {
      try {
        return await request();
      } catch (error) {
        if (!(error instanceof this.sdk.MatrixError) || error.errcode !== "M_LIMIT_EXCEEDED") throw error;
        const wait = error.getRetryAfterMs() ?? 1000;
        if (Date.now() + wait > deadline) {
          const seconds = Math.ceil(wait / 1000);
          throw new Error(
            `the homeserver limits logins per address and accepts the next one in ${seconds} s`,
          );
        }
        await sleep(wait);
      }
    }
  }
}

/** Polls until `holds`; after `timeout` ms throws an error that contains `what` and `why`. */
async function until(
  what: string,
  timeout: number,
  holds: () => boolean | Promise<boolean>,
  why: () => string = () => "nothing arrived",
): Promise<void> {
  const deadline = Date.now() + timeout;
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error(`waited ${timeout / 1000} s for ${what}: ${why()}`);
    await sleep(POLL);
  }
}
