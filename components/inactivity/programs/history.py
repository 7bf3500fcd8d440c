"""Whether what was seen of a room is everything that happened in it within the window. Nothing is looked at or changed here.

Times are seconds since 1970.
"""

OPEN_VISIBILITIES = ("shared", "world_readable")


def shortfall(events, reached, start, room):
    """
    What is missing, in words; None: nothing.

    events: newest first, {id, type, time, depth, prev: IDs of the events before it, or None when not told}.
    reached: `start`: pages were read until everything on one was older than the window; `end`: until there were no more;
        `limit`: until there were too many.
    start: when the window began.
    room: {hidden_after: seconds after which its messages are hidden, or None; kept_since: since when they are kept for so
        long; visibility; visibility_since; bot_joined; replaced_by: the room that it was upgraded to, or None; now}; times
        that are not known are None.
    """
    if room["replaced_by"] is not None:
        return f"it was upgraded and goes on as {room['replaced_by']}, where the bot sees nobody"
    if room["hidden_after"] is not None and room["hidden_after"] < room["now"] - start:
        return "its messages are hidden sooner than the window is long"
    if not sees_before_joining(room, start):
        return "the bot is not in it for a whole window yet, and does not see what was before"
    if reached == "limit":
        return "too much was written within the window to read it all"
    return missing_events(events, reached, start, room)


def sees_before_joining(room, start):
    joined = room["bot_joined"]
    if joined is not None and joined <= start:
        return True
    since = room["visibility_since"]
    return room["visibility"] in OPEN_VISIBILITIES and since is not None and since <= start


def missing_events(events, reached, start, room):
    """Each event names those before it: one that is named and not there was not delivered, or is hidden from us."""
    if not events:
        return "nothing of its history can be read"
    known = {event["id"] for event in events}
    lowest = min(event["depth"] for event in events)
    for event in events:
        if event["time"] < start or event["type"] == "m.room.create":
            continue
        if event["prev"] is None:
            return "the homeserver does not tell how its events follow each other"
        if known.issuperset(event["prev"]):
            continue
        if event["depth"] > lowest:
            return "an event in between is missing; it may not have been delivered yet"
        if not purged_below(reached, start, room):
            return "its history does not go back to the start of the window"
    return None


def purged_below(reached, start, room):
    """
    Whether what is missing below the oldest event was purged for its age, which is beyond the window. When messages lived
    shorter at some time within it, they were purged earlier than their age says now.
    """
    since = [room["bot_joined"], room["kept_since"]]
    return reached == "end" and room["hidden_after"] is not None and all(time is not None and time <= start for time in since)
