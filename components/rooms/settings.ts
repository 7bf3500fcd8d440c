import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import type * as pulumi from "@pulumi/pulumi";
import { resolveFile } from "../../config-schemas/files";
import {
  historyVisibilityOf,
  joinRuleOf,
  memberId,
  type Picture,
  type RoomConfig,
  type SpaceConfig,
} from "../../config-schemas/rooms/schema";
import type { HomeserverAccess, Inputs, RoomAvatar, RoomInputs, SpaceInputs } from "../../provider/sdk";

/** An account that a service of the stack needs in rooms. */
export interface ServiceMember {
  userId: string;
  power: number;
  /** Keys of Spaces and rooms; `all`: all of the stack. */
  rooms: "all" | readonly string[];
}

/** Values for a room's settings that its own section does not contain. */
export interface RoomContext {
  serverName: string;
  projectDirectory: string;
  service: readonly ServiceMember[];
}

type Settings<T extends HomeserverAccess> = Omit<Inputs<T>, keyof HomeserverAccess>;

/** A Space's inputs for the provider, except the access to the homeserver. */
export function spaceSettings(key: string, config: SpaceConfig, context: RoomContext): Settings<SpaceInputs> {
  return {
    ...commonSettings(key, config, context),
    joinRule: { rule: config.joinRule, spaceIds: [] },
    historyVisibility: config.historyVisibility,
  };
}

/**
 * A room's inputs for the provider, except the access to the homeserver.
 * @param spaceId the room ID of its Space, if the room is in one
 */
export function roomSettings(
  key: string,
  config: RoomConfig,
  context: RoomContext,
  spaceId: pulumi.Input<string> | undefined,
): Settings<RoomInputs> {
  const rule = joinRuleOf(config);
  const { suggested, order, encrypted } = config;
  return {
    ...commonSettings(key, config, context),
    joinRule: { rule, spaceIds: rule === "restricted" && spaceId !== undefined ? [spaceId] : [] },
    historyVisibility: historyVisibilityOf(config),
    encrypted,
    ...(spaceId !== undefined && {
      parent: { roomId: spaceId, suggested, ...(order !== undefined && { order }) },
    }),
  };
}

function commonSettings(key: string, config: RoomConfig | SpaceConfig, context: RoomContext) {
  const { name, topic, alias, avatar, roomVersion, federate } = config;
  const { serverName, projectDirectory, service } = context;
  const serving = service.filter(({ rooms }) => rooms === "all" || rooms.includes(key));
  const members = [
    ...config.members.map((member) => memberId(member, serverName)),
    ...serving.map(({ userId }) => userId),
  ];
  const { users, ...levels } = config.powerLevels;
  const named = Object.entries(users).map(([member, power]): [string, number] => [
    memberId(member, serverName),
    power,
  ]);
  return {
    ...{ key, name, federate, members: [...new Set(members)].sort() },
    powerLevels: {
      ...levels,
      // A power level in the stack file takes precedence over a service's own.
      users: Object.fromEntries([
        ...serving.map(({ userId, power }): [string, number] => [userId, power]),
        ...named,
      ]),
    },
    ...(topic !== undefined && { topic }),
    ...(alias !== undefined && { alias }),
    ...(avatar !== undefined && { avatar: pictureOf(avatar, projectDirectory) }),
    ...(roomVersion !== undefined && { roomVersion }),
  };
}

function pictureOf(picture: Picture, projectDirectory: string): RoomAvatar {
  const file = resolveFile(projectDirectory, picture.file);
  return { file, digest: createHash("sha256").update(readFileSync(file)).digest("hex"), type: picture.type };
}
