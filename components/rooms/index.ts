import * as pulumi from "@pulumi/pulumi";
import type { RoomsConfig } from "../../config-schemas/rooms/schema";
import { Room, Space } from "../../provider/sdk";
import type { Homeserver } from "../homeserver";
import type { Machine } from "../hosts";
import { roomSettings, type ServiceMember, spaceSettings } from "./settings";

export type { ServiceMember } from "./settings";

export interface RoomsArgs {
  config: RoomsConfig;
  machine: Pick<Machine, "name">;
  homeserver: Pick<Homeserver, "access" | "release" | "serverName">;
  /** Members that the stack's own services need. */
  service: readonly ServiceMember[];
  projectDirectory: string;
  /** Resources that must exist first: the accounts of members. */
  after: pulumi.Resource[];
}

/**
 * The Spaces and rooms that this stack manages. Stateful on the homeserver: a room that is removed from the stack file stays
 * there unchanged, with all its members.
 */
export class Rooms extends pulumi.ComponentResource {
  /** Room IDs of Spaces and rooms, by their keys. */
  readonly roomIds: Record<string, pulumi.Output<string>> = {};
  /** Invite links for people who may join, by key. */
  readonly inviteLinks: Record<string, pulumi.Output<string>> = {};

  constructor(name: string, args: RoomsArgs, opts?: pulumi.ComponentResourceOptions) {
    super("hearth:rooms:Rooms", name, {}, opts);
    const { homeserver, machine, config } = args;
    const { access, serverName } = homeserver;
    const context = { ...args, serverName };
    const options = { parent: this, dependsOn: [homeserver.release, ...args.after] };
    for (const [key, space] of Object.entries(config.spaces)) {
      const inputs = { ...access, ...spaceSettings(key, space, context) };
      this.keep(key, new Space(`${machine.name}-space-${key}`, inputs, options));
    }
    for (const [key, room] of Object.entries(config.rooms)) {
      const spaceId = room.space === undefined ? undefined : this.roomIds[room.space];
      const inputs = { ...access, ...roomSettings(key, room, context, spaceId) };
      this.keep(key, new Room(`${machine.name}-room-${key}`, inputs, options));
    }
    this.registerOutputs({ roomIds: this.roomIds, inviteLinks: this.inviteLinks });
  }

  private keep(key: string, { roomId, inviteLink }: Space | Room): void {
    this.roomIds[key] = roomId;
    this.inviteLinks[key] = inviteLink;
  }
}
