import type { Present } from "../../../../provider/matrix/room/host";
import type { Call, State } from "../../../../provider/protocol/resource";
import type { Properties } from "../../../../provider/protocol/values";

/** What resources told the operator, `kind: message`. */
export const said: string[] = [];
const say = (kind: string) => async (message: string) => {
  said.push(`${kind}: ${message}`);
};

export function call(change: Partial<Call> = {}): Call {
  return {
    ...{ urn: "urn", name: "home-room-main", preview: false, offline: false, timeoutSeconds: 0 },
    log: { step: say("step"), info: say("info"), warning: say("warning"), debug: say("debug") },
    signal: new AbortController().signal,
    ...change,
  };
}

const LEVELS = {
  usersDefault: 0,
  invite: 50,
  kick: 50,
  ban: 50,
  redact: 50,
  stateDefault: 50,
  eventsDefault: 0,
};
export const ALICE = "@alice:example.org";
export const BOB = "@bob:example.net";
export const SPACE = "!space:example.org";
export const ROOM = "!room:example.org";

export function inputs(change: Properties = {}): Properties {
  return {
    connection: { name: "home", transport: "ssh", address: "192.0.2.1", become: "none" },
    ...{ homeserverUrl: "unix:/run/hearth-synapse/synapse.sock", serverName: "example.org", scope: "user" },
    registrationSecret: "podman:hearth-registration",
    ...{ key: "main", name: "Main", joinRule: { rule: "restricted", spaceIds: [SPACE] } },
    ...{ historyVisibility: "invited", encrypted: true, members: [ALICE, BOB], federate: true },
    powerLevels: { users: { [ALICE]: 100 }, ...LEVELS },
    parent: { roomId: SPACE, suggested: true },
    ...change,
  };
}

export function state(change: Properties = {}): State {
  const inviteLink = `https://matrix.to/#/${encodeURIComponent(ROOM)}?via=example.org`;
  return { id: ROOM, inputs: inputs(change), outputs: { roomId: ROOM, inviteLink } };
}

/** The room of {@link inputs} as it should be. */
export function seen(change: Partial<Present> = {}): Present {
  return {
    ...{
      key: "main",
      exists: true,
      refusals: [],
      roomId: ROOM,
      space: false,
      roomVersion: "12",
      federate: true,
    },
    ...{ name: "Main", topic: "Whatever", joinRule: { rule: "restricted", spaceIds: [SPACE] } },
    ...{ historyVisibility: "invited", encrypted: true, canonicalAlias: null, alias: null, aliasOwner: null },
    ...{ avatarDigest: null, parentId: SPACE, childLink: { suggested: true, order: null } },
    powerLevels: { users: { [ALICE]: 100 }, ...LEVELS },
    ...{ members: { [ALICE]: "join", [BOB]: "invite" }, lost: null, would: [], notes: [], ...change },
  };
}
