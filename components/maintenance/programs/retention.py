"""Purges what is older than the stack file allows, on a machine that does not run long enough for Synapse's own jobs.

Synapse waits a whole interval after each start before it purges, and keeps no memory of it. This job keeps one, so that a
machine that is switched off every night purges too. It does what Synapse would do, through the same admin API.
"""

import json
import os
import time

import clock
import lifetimes
import session

DEVICE = "HEARTH_RETENTION"
ROOMS_AT_ONCE = 100
# One room's purge; more than this and the next run looks at it again.
LONGEST_PURGE = 900.0


def parse_arguments():
    parser = session.arguments(__doc__)
    parser.add_argument("--interval", type=int, required=True, help="seconds between two purges")
    parser.add_argument("--max-lifetime", type=int, help="seconds that messages live; absent: permanently")
    parser.add_argument("--allowed-min", type=int)
    parser.add_argument("--allowed-max", type=int)
    parser.add_argument("--local-media", type=int, help="seconds after the last access; absent: permanently")
    parser.add_argument("--remote-media", type=int)
    return parser.parse_args()


def rooms_of(server):
    start = 0
    while start is not None:
        page = server.get("/_synapse/admin/v1/rooms", **{"from": start, "limit": ROOMS_AT_ONCE})
        yield from (room["room_id"] for room in page["rooms"])
        start = page.get("next_batch")


def policy_of(server, room):
    """The room's own m.room.retention; None: it has none, or the room has gone meanwhile."""
    path = f"/_synapse/admin/v1/rooms/{session.quoted(room)}/state"
    status, answer = server.call("GET", path, type="m.room.retention")
    if status == 404:
        return None
    if status != 200:
        raise session.Failed(f"the state of {room}: {session.describe(status, answer)}")
    contents = [event["content"] for event in answer["state"] if event.get("state_key") == ""]
    return contents[0] if contents else None


def purge_room(server, room, before):
    """Purges one room and waits for the end. True: done; False: there was nothing so old. Raises Failed."""
    body = {"purge_up_to_ts": before, "delete_local_events": True}
    status, answer = server.call("POST", f"/_synapse/admin/v1/purge_history/{session.quoted(room)}", body)
    if status == 404:
        return False
    if status != 200:
        raise session.Failed(session.describe(status, answer))
    deadline = time.monotonic() + LONGEST_PURGE
    while time.monotonic() < deadline:
        state = server.get(f"/_synapse/admin/v1/purge_history_status/{answer['purge_id']}")
        if state["status"] == "complete":
            return True
        if state["status"] == "failed":
            raise session.Failed(state.get("error", "no reason given"))
        time.sleep(0.2)
    raise session.Failed(f"not done after {LONGEST_PURGE:.0f} s")


def from_where_it_ended(rooms, path):
    """
    The rooms in order, from the one after the last that was looked at: a run that is cut off (the machine is switched off, a huge
    room takes its time) must not leave the same rooms out every time. What was looked at is written down before the next one.
    """
    try:
        with open(path, encoding="utf-8") as file:
            last = file.read().strip()
    except (FileNotFoundError, ValueError):
        last = ""
    rooms = sorted(rooms)
    for room in [room for room in rooms if room > last] + [room for room in rooms if room <= last]:
        # Before, not after: a room that is never done must not be the first of every run.
        session.write_whole(path, room + "\n")
        yield room


def purge_messages(server, options, now, log):
    """All rooms, one at a time. Returns whether all went well."""
    bounds = [None if value is None else value * 1000 for value in (options.max_lifetime, options.allowed_min, options.allowed_max)]
    purged = untouched = failed = 0
    for room in from_where_it_ended(rooms_of(server), os.path.join(options.folder, "retention-room")):
        try:
            before = int(now * 1000) - lifetimes.purged_after(policy_of(server, room), *bounds)
            if purge_room(server, room, before):
                purged += 1
                # The newest of them stays: Synapse purges up to an event, from which the room's history then goes on.
                log(f"messages: {room} purged of those before {session.stamp(before / 1000)}, their newest aside")
            else:
                untouched += 1
        except session.Failed as error:
            failed += 1
            log(f"messages: {room} was not purged: {error}")
    log(f"messages: {purged} rooms purged, {untouched} had nothing old enough, {failed} failed")
    return failed == 0


def purge_local_media(server, options, now, log):
    before = int((now - options.local_media) * 1000)
    answer = server.expect("POST", "/_synapse/admin/v1/media/delete", {}, before_ts=before, keep_profiles="true")
    log(f"local media: {answer['total']} files not accessed since {session.stamp(before / 1000)} deleted")
    return True


def purge_remote_media(server, options, now, log):
    before = int((now - options.remote_media) * 1000)
    answer = server.expect("POST", "/_synapse/admin/v1/purge_media_cache", {}, before_ts=before)
    log(f"remote media: {answer['deleted']} files not accessed since {session.stamp(before / 1000)} deleted")
    return True


def parts_of(options):
    """What the stack file wants purged."""
    parts = {
        "messages": (options.max_lifetime, purge_messages),
        "local media": (options.local_media, purge_local_media),
        "remote media": (options.remote_media, purge_remote_media),
    }
    return {name: purge for name, (lifetime, purge) in parts.items() if lifetime is not None}


def load(path):
    """The records of earlier runs; damaged ones count as none: purging again harms nothing."""
    try:
        with open(path, encoding="utf-8") as file:
            records = json.load(file)
    except (FileNotFoundError, ValueError):
        return {}
    return records if isinstance(records, dict) else {}


def purge(options, log):
    path = os.path.join(options.folder, "retention.json")
    now = time.time()
    trusted, records = clock.believed(load(path), now)
    session.write_whole(path, json.dumps(records) + "\n")
    if not trusted:
        log(f"nothing purged: the clock leapt to {session.stamp(now)}; the next run uses this clock if it still says so")
        return None
    parts = {name: part for name, part in parts_of(options).items() if clock.due(records, name, now, options.interval)}
    if not parts:
        print("nothing to do: all was purged less than an interval ago")
        return None
    failed = False
    with session.logged_in(options, DEVICE) as server:
        for name, part in parts.items():
            if part(server, options, now, log):
                records = clock.with_done(records, name, now)
                session.write_whole(path, json.dumps(records) + "\n")
            else:
                failed = True
    return 1 if failed else None


def main():
    options = parse_arguments()
    with session.alone(options.folder):
        return purge(options, session.Log(options.folder))


if __name__ == "__main__":
    session.run(main)
