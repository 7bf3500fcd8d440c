import { ProviderError } from "../../protocol/errors";
import type { Call, Checked, Difference, Resource, State } from "../../protocol/resource";
import { parse, type Shape } from "../../protocol/shape";
import { hasUnknown, type Properties, revealAll, UNKNOWN } from "../../protocol/values";
import { accessText } from "../access";
import type { Keeper, Unknown } from "../homeserver";
import { roomDifference } from "./difference";
import { type Applied, keeper, type Observed, type Present, pictureOf } from "./host";
import { type Kept, roomShape, storedRoomShape } from "./inputs";
import { driftOf, observedInputs } from "./observed";
import { planText, title } from "./plan";

/** A room is the same one as long as these stay. */
const IDENTITY = ["connection.name", "serverName", "key"];

/**
 * A room or Space of Hearth's own account, kept through the homeserver's API on the host's loopback. It is found again by
 * its key, on the host and in the room itself. Deleting the resource leaves the room alone.
 */
class Room implements Resource {
  private readonly rooms: Keeper<Kept, Observed, Applied>;

  constructor(private readonly space: boolean) {
    this.rooms = keeper(space);
  }

  check(olds: Properties, news: Properties): Checked {
    const faults: string[] = [];
    roomShape.check(this.complete(revealAll(news)), "", faults);
    return { inputs: news, faults: [...faults, ...finalFaults(olds, news)] };
  }

  diff(olds: Properties, news: Properties): Difference {
    return roomDifference(olds, news, IDENTITY);
  }

  async create(call: Call, inputs: Properties): Promise<{ id: string; outputs: Properties }> {
    if (call.preview) return this.preview(call, inputs);
    const room = this.typed(call, inputs, roomShape);
    const applied = await this.rooms.apply(room, pictureOf(room), call.signal);
    if (applied.existed) await call.log.info(adoption(room, applied));
    await this.tellNotes(call, room, applied);
    return { id: applied.roomId, outputs: outputs(room, applied.roomId) };
  }

  async read(call: Call, state: State): Promise<State | undefined> {
    // Nothing is known after an import; the program's values decide then.
    if (state.inputs.key === undefined || call.offline) return state;
    const room = this.typed(call, state.inputs, storedRoomShape);
    const seen = await this.rooms.observe(room, call.signal);
    if ("unknown" in seen) {
      if (seen.lockedOut) {
        return {
          ...state,
          unhealthy: [`${title(room)}: not looked at, ${seen.unknown}; ${accessText(room)}`],
        };
      }
      await call.log.warning(
        `${title(room)} was not looked at, its last known state is used: ${seen.unknown}`,
      );
      return state;
    }
    if (!seen.exists) {
      await call.log.warning(
        `${title(room)} (${state.id}) is no longer on the homeserver; the next pulumi up makes a new one, which nobody is in yet`,
      );
      return undefined;
    }
    await this.tellNotes(call, room, seen);
    const drift = driftOf(room, seen);
    return {
      id: seen.roomId,
      inputs: { ...state.inputs, ...observedInputs(room, seen) },
      outputs: { ...outputs(room, seen.roomId), ...(drift.length > 0 ? { drift } : {}) },
      ...(seen.lost === null
        ? {}
        : { unhealthy: [`${title(room)}: ${seen.lost}; pulumi up brings it back`] }),
    };
  }

  async update(call: Call, state: State, news: Properties): Promise<Properties> {
    const roomId = String(state.outputs.roomId ?? state.id);
    if (call.preview) {
      await this.tell(call, news, state.inputs);
      return hasUnknown(news) ? { roomId, inviteLink: UNKNOWN } : outputs(news, roomId);
    }
    const room = this.typed(call, news, roomShape);
    const applied = await this.rooms.apply(room, pictureOf(room), call.signal);
    await this.tellNotes(call, room, applied);
    return outputs(room, applied.roomId);
  }

  async delete(call: Call, state: State): Promise<void> {
    const { key, serverName } = state.inputs;
    await call.log.info(
      `${title({ key: String(key), serverName: String(serverName) })} (${state.id}) stays on the homeserver with everybody in it, and is taken up again when its key comes back. To end it, an admin removes it with Synapse's room API`,
    );
  }

  /** A create in a preview: whether the room is there already, whether it can become what the stack says. */
  private async preview(call: Call, inputs: Properties): Promise<{ id: string; outputs: Properties }> {
    const seen = await this.tell(call, inputs, undefined);
    const outputsNow =
      seen !== undefined && "roomId" in seen
        ? outputs(this.typed(call, inputs, roomShape), seen.roomId)
        : { roomId: UNKNOWN, inviteLink: UNKNOWN };
    return { id: "", outputs: outputsNow };
  }

  /** Says what `pulumi up` will do, as the host's own program says; nothing is known as long as an input is not. */
  private async tell(
    call: Call,
    inputs: Properties,
    olds: Properties | undefined,
  ): Promise<Observed | Unknown | undefined> {
    if (call.offline || hasUnknown(inputs) || this.check({}, inputs).faults.length > 0) return undefined;
    const room = this.typed(call, inputs, roomShape);
    const seen = await this.rooms
      .observe(room, call.signal)
      .catch((error: unknown) => ({ unknown: String(error instanceof Error ? error.message : error) }));
    if ("refusals" in seen && seen.refusals.length > 0) {
      throw new ProviderError(
        "FAILED_PRECONDITION",
        [`${title(room)} cannot be made as the stack says`, ...seen.refusals].join("\n  "),
      );
    }
    await call.log.info(planText(room, seen, olds));
    return seen;
  }

  private typed(call: Call, properties: Properties, shape: Shape<Kept>): Kept {
    return parse(shape, this.complete(revealAll(properties)), `the inputs of ${call.name}`);
  }

  /** A Space says nothing about encryption: it has no messages. */
  private complete(properties: Properties): Properties {
    return this.space ? { ...properties, encrypted: false } : properties;
  }

  private async tellNotes(call: Call, room: Kept, { notes }: Present): Promise<void> {
    for (const note of notes) await call.log.info(`${title(room)}: ${note}`);
  }
}

function outputs({ serverName, alias }: Properties | Kept, roomId: string): Properties {
  const place = typeof alias === "string" ? `#${alias}:${String(serverName)}` : roomId;
  const via = encodeURIComponent(String(serverName));
  return { roomId, inviteLink: `https://matrix.to/#/${encodeURIComponent(place)}?via=${via}` };
}

/** What is settled when a room is made, told before anything is touched. `olds`: what Read found. */
function finalFaults(olds: Properties, news: Properties): string[] {
  if (IDENTITY.slice(1).some((member) => olds[member] !== news[member])) return [];
  const faults: string[] = [];
  if (olds.encrypted === true && news.encrypted === false) {
    faults.push(
      "encrypted: is on in this room, and once on it can never be off; write `encrypted: true`, or choose another key for a new room",
    );
  }
  for (const member of ["federate", "roomVersion"]) {
    const [before, after] = [olds[member], news[member]];
    if (before === undefined || after === undefined || after === UNKNOWN || before === after) continue;
    faults.push(
      `${member}: is ${JSON.stringify(before)} in this room for good, it is set when a room is made; write \`${member}: ${JSON.stringify(before)}\`, or choose another key for a new room`,
    );
  }
  return faults;
}

function adoption(room: Kept, { did, roomId }: Applied): string {
  const changed = did.length > 0 ? `; changed: ${did.join(", ")}` : "";
  return `${title(room)} existed already (${roomId}) and was taken over${changed}`;
}

export const room: Resource = new Room(false);
export const space: Resource = new Room(true);
