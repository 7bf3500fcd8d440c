import * as pulumi from "@pulumi/pulumi";
import type { RoomsConfig } from "../../config-schemas/rooms/schema";
import { Room, Space } from "../../provider/sdk";
import type { Homeserver } from "../homeserver";
import { formerNames } from "../homeserver/names";
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
    const { homeserver, machine, config } = args;
    super("hearth:rooms:Rooms", name, {}, { aliases: formerNames(machine, name), ...opts });
    const { access, serverName } = homeserver;
    const context = { ...args, serverName };
    const dependsOn = [homeserver.release, ...args.after];
    const options = (resource: string) => ({
      ...{ parent: this, dependsOn, aliases: formerNames(machine, resource) },
    });
    for (const [key, space] of Object.entries(config.spaces)) {
      const inputs = { ...access, ...spaceSettings(key, space, context) };
      const resource = `space-${key}`;
      this.keep(key, new Space(resource, inputs, options(resource)));
    }
    for (const [key, room] of Object.entries(config.rooms)) {
      const spaceId = room.space === undefined ? undefined : this.roomIds[room.space];
      const inputs = { ...access, ...roomSettings(key, room, context, spaceId) };
      const resource = `room-${key}`;
      this.keep(key, new Room(resource, inputs, options(resource)));
    }
    this.registerOutputs({ roomIds: this.roomIds, inviteLinks: this.inviteLinks });
  }

  private keep(key: string, { roomId, inviteLink }: Space | Room): void {
    this.roomIds[key] = roomId;
    this.inviteLinks[key] = inviteLink;
  }
}
