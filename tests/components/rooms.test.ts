import { createHash } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ServiceMember } from "../../components/rooms";
import { roomSettings, spaceSettings } from "../../components/rooms/settings";
import { roomsSchema } from "../../config-schemas/rooms/schema";
import { changed, fixture, runProgram } from "../support/program";

const SPACE = "!space";

function settings(section: object, service: ServiceMember[] = [], projectDirectory = "/nowhere") {
  const config = roomsSchema.parse(section);
  const context = { serverName: "example.org", projectDirectory, service };
  return {
    spaces: Object.entries(config.spaces).map(([key, one]) => spaceSettings(key, one, context)),
    rooms: Object.entries(config.rooms).map(([key, one]) =>
      roomSettings(key, one, context, one.space === undefined ? undefined : SPACE),
    ),
  };
}

const LEVELS = { usersDefault: 0, invite: 50, kick: 50, ban: 50, redact: 50, stateDefault: 50 };

it("[H12] the smallest Space is invite-only, the smallest room in it encrypted and open to its members", () => {
  const { spaces, rooms } = settings({
    spaces: { home: { name: "Home" } },
    rooms: { main: { name: "Main", space: "home" }, alone: { name: "Alone" } },
  });
  expect(spaces).toEqual([
    {
      ...{ key: "home", name: "Home", federate: true, members: [], historyVisibility: "shared" },
      joinRule: { rule: "invite", spaceIds: [] },
      powerLevels: { users: {}, ...LEVELS, eventsDefault: 100 },
    },
  ]);
  expect(rooms).toEqual([
    {
      ...{ key: "main", name: "Main", federate: true, members: [], historyVisibility: "invited" },
      joinRule: { rule: "restricted", spaceIds: [SPACE] },
      powerLevels: { users: {}, ...LEVELS, eventsDefault: 0 },
      ...{ encrypted: true, parent: { roomId: SPACE, suggested: true } },
    },
    expect.objectContaining({ key: "alone", joinRule: { rule: "invite", spaceIds: [] }, encrypted: true }),
  ]);
});

it("[H12] members and power levels are full user IDs, and members are sorted", () => {
  const { rooms } = settings({
    rooms: {
      main: {
        ...{ name: "Main", members: ["zoe", "@bob:example.net", "alice"], joinRule: "knock" },
        powerLevels: { users: { alice: 100, "@bob:example.net": 50 }, invite: 0 },
      },
    },
  });
  expect(rooms[0]).toMatchObject({
    members: ["@alice:example.org", "@bob:example.net", "@zoe:example.org"],
    powerLevels: { users: { "@alice:example.org": 100, "@bob:example.net": 50 }, invite: 0, kick: 50 },
    joinRule: { rule: "knock", spaceIds: [] },
  });
});

it("[H11] a service's account is a member, with its power, of the rooms that need it; the stack file can set another power", () => {
  const bot = { userId: "@bot:example.org", power: 50 };
  const section = {
    spaces: { home: { name: "Home" } },
    rooms: {
      main: { name: "Main", space: "home", members: ["alice"] },
      quiet: { name: "Quiet", members: ["bot"], powerLevels: { users: { bot: 0 } } },
    },
  };
  const everywhere = settings(section, [{ ...bot, rooms: "all" }]);
  expect(everywhere.spaces[0]).toMatchObject({
    members: [bot.userId],
    powerLevels: { users: { [bot.userId]: 50 } },
  });
  expect(everywhere.rooms[0]).toMatchObject({ members: ["@alice:example.org", bot.userId] });
  expect(everywhere.rooms[1]).toMatchObject({
    members: [bot.userId],
    powerLevels: { users: { [bot.userId]: 0 } },
  });
  const somewhere = settings(section, [{ ...bot, rooms: ["main"] }]);
  expect(somewhere.spaces[0]).toMatchObject({ members: [], powerLevels: { users: {} } });
  expect(somewhere.rooms[0]).toMatchObject({ powerLevels: { users: { [bot.userId]: 50 } } });
});

it("a picture is identified by its content", () => {
  const folder = mkdtempSync(join(tmpdir(), "hearth-picture-"));
  try {
    writeFileSync(join(folder, "home.jpg"), "pixels");
    const { spaces } = settings({ spaces: { home: { name: "Home", avatar: "./home.jpg" } } }, [], folder);
    const digest = createHash("sha256").update("pixels").digest("hex");
    expect(spaces[0]?.avatar).toEqual({ file: join(folder, "home.jpg"), digest, type: "image/jpeg" });
  } finally {
    rmSync(folder, { recursive: true });
  }
});

it("[H12] a room waits for its Space, whose ID it needs, and for the accounts of its members", async () => {
  const stack = changed(fixture("full"), {
    "rooms.spaces": { home: { name: "Home", members: ["alice"] } },
    "rooms.rooms": { main: { name: "Main", space: "home", members: ["alice"] }, alone: { name: "Alone" } },
  });
  const run = await runProgram(stack);
  expect(run.errors).toEqual([]);
  const kept = new Map(run.resources.map((resource) => [resource.name, resource]));
  const main = kept.get("room-main");
  expect(main).toMatchObject({
    type: "hearth-host:index:Room",
    inputs: {
      joinRule: { rule: "restricted", spaceIds: ["!space-home"] },
      parent: { roomId: "!space-home" },
      ...{ serverName: "example.org", key: "main" },
    },
    parent: "rooms",
  });
  expect(main?.dependsOn).toEqual(
    expect.arrayContaining(["space-home", "edge-1-homeserver", "account-alice"]),
  );
  expect(kept.get("room-alone")?.dependsOn).not.toContain("space-home");
  expect(kept.get("edge-1-verification")?.dependsOn).toContain("room-main");
  expect(run.outputs).toMatchObject({
    roomIds: { home: "!space-home", main: "!room-main", alone: "!room-alone" },
    inviteLinks: { home: "link-to-space-home" },
  });
});
