"""What the bot can see of its rooms: members, signs of life, and how far back. Asks the homeserver; changes nothing.

The bot is an ordinary user: it sees what any member sees, and its requests are limited like anybody's.
"""

import json
import math
import os

import history
import lifetimes
import session

# No clock gives larger times and numbers; JSON's own limit for whole numbers.
MOST = 2**53
PAGE = 250
MOST_PAGES = 400
KEY_FIELD = "org.hearth.key"


class Room:
    """One watched room: its state, and what the bot found out about it. Times in seconds."""

    def __init__(self, room_id, state):
        self.id = room_id
        self.state = {(event["type"], event["state_key"]): event for event in state}
        self.key = text(self.content("m.room.create").get(KEY_FIELD))
        self.name = text(self.content("m.room.name").get("name")) or text(self.key) or room_id
        # Not known: then as old as can be, which leaves most doubt.
        self.born = time_of(self.state.get(("m.room.create", ""), {})) or 0
        self.members = {
            user: event for (kind, user), event in self.state.items()
            if kind == "m.room.member" and mapping(event["content"]).get("membership") == "join"
        }
        # Of everybody, also who is not in it any more.
        self.seen = {}
        # (who, when), of everything that was seen.
        self.sightings = []
        for user, event in self.members.items():
            self.saw(user, profile_change(event))
        self.shortfall = "not looked at"

    def content(self, kind):
        event = self.state.get((kind, ""))
        return mapping(event["content"]) if event is not None else {}

    def saw(self, user, time):
        if time is not None:
            self.seen[user] = max(self.seen.get(user, time), time)
            self.sightings.append((user, time))

    def power(self, user):
        create = self.content("m.room.create")
        creator = self.state.get(("m.room.create", ""), {"sender": None})["sender"]
        others = create.get("additional_creators")
        creators = [creator, *(others if isinstance(others, list) else [])]
        version = text(create.get("room_version")) or "1"
        if user in creators and version.isdecimal() and int(version) >= 12:
            return math.inf
        if ("m.room.power_levels", "") not in self.state:
            return 100 if user == creator else 0
        levels = self.content("m.room.power_levels")
        return level(mapping(levels.get("users")).get(user), level(levels.get("users_default"), 0))

    def may_remove(self, bot):
        return self.power(bot) >= level(self.content("m.room.power_levels").get("kick"), 50)

    def sign_of(self, user, bot):
        """What decide.py takes of one member."""
        return {
            "room": self.name, "seen": self.seen.get(user), "joined": joined_at(self.members[user]),
            "power": self.power(user), "bot_power": self.power(bot),
            "complete": self.shortfall is None, "why": self.shortfall,
        }

    def sign_of_absent(self, user):
        """The same of somebody who has left the room: that they were seen in it counts, and nothing else."""
        return {
            "room": self.name, "seen": self.seen[user], "joined": -math.inf,
            "power": -math.inf, "bot_power": math.inf, "complete": True, "why": None,
        }


# What other servers send is whatever they like: each value is looked at before it is used.


def number(value):
    """A whole number from 0 to JSON's limit, else None; true and false are no numbers."""
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MOST else None


def level(value, default):
    """A power level, which may be negative, and is text in old rooms."""
    if isinstance(value, str) and value.strip().lstrip("+-").isdecimal() and len(value) < 20:
        value = int(value)
    if isinstance(value, float) and math.isfinite(value):
        value = int(value)
    usable = isinstance(value, int) and not isinstance(value, bool) and abs(value) <= MOST
    return value if usable else default


def text(value):
    return value if isinstance(value, str) else None


def mapping(value):
    return value if isinstance(value, dict) else {}


def time_of(event):
    """When an event was sent, by its sender's clock; None: it says nothing that can be a time."""
    time = number(event.get("origin_server_ts"))
    return None if time is None else time / 1000


def seconds(event):
    """The same of an event without which nothing can be said of the room. Raises Failed."""
    time = time_of(event)
    if time is None:
        raise session.Failed(f"event {text(event.get('event_id')) or '?'} has no usable time")
    return time


def was_joined_before(event):
    before = mapping(event.get("unsigned")).get("prev_content") or event.get("prev_content")
    return mapping(before).get("membership") == "join"


def profile_change(event):
    """When the member changed name or picture, if that is what the membership event says; joining proves no presence."""
    return time_of(event) if was_joined_before(event) and event["sender"] == event["state_key"] else None


def joined_at(event):
    """The latest time at which they can have joined; None: not known."""
    return time_of(event)


def watched_rooms(server, keys):
    """The rooms that the bot is to watch and is in; keys: theirs in the stack file."""
    rooms = []
    for room_id in server.get("/_matrix/client/v3/joined_rooms")["joined_rooms"]:
        room = Room(room_id, server.get(f"/_matrix/client/v3/rooms/{session.quoted(room_id)}/state"))
        if room.key in keys:
            rooms.append(room)
    return sorted(rooms, key=lambda room: room.name)


def silent_servers(server, rooms):
    """
    Servers of members that do not answer. Asking also ends their waiting when we were away, so that they deliver what
    they kept for us. An answer means that they reach us too: to know who asks they need our key, which is good for a day.
    """
    own = domain_of(server.user)
    users = {domain_of(user): user for room in rooms for user in room.members}
    silent = []
    for name, user in users.items():
        if name != own and not is_their_answer(*server.call("GET", f"/_matrix/client/v3/profile/{session.quoted(user)}")):
            silent.append(name)
    return silent


def is_their_answer(status, answer):
    """Whether an answer about somebody came from their server: ours says itself whom it may not or cannot ask."""
    if status == 403:
        return not str(answer.get("error", "")).startswith("Federation denied")
    return status in (200, 404)


def domain_of(user):
    return user.partition(":")[2]


def read_receipts(server, rooms):
    """Who read last when; the times are the readers' own."""
    watched = {room.id: room for room in rooms}
    nothing = {"types": []}
    wanted = {
        "presence": nothing, "account_data": nothing,
        "room": {
            "rooms": list(watched), "timeline": {"limit": 1}, "state": nothing, "account_data": nothing,
            "ephemeral": {"types": ["m.receipt"]},
        },
    }
    answer = server.get("/_matrix/client/v3/sync", filter=json.dumps(wanted), timeout=0)
    for room_id, joined in answer.get("rooms", {}).get("join", {}).items():
        for event in joined.get("ephemeral", {}).get("events", []):
            note_receipts(watched[room_id], event.get("content", {}))


def note_receipts(room, content):
    for by_type in mapping(content).values():
        for readers in mapping(by_type).values():
            for user, receipt in mapping(readers).items():
                time = number(mapping(receipt).get("ts"))
                if time is not None:
                    room.saw(user, time / 1000)


def read_history(server, room, now, options):
    """Notes who wrote when, back to the window's start, and what is missing of it."""
    start = now - options.window
    try:
        events, reached = read_pages(server, room, start)
        shortfall = history.shortfall(events, reached, start, facts_of(room, server.user, now, options))
    except session.Failed as error:
        room.shortfall = f"its history could not be read: {error}"
        return
    except (AttributeError, KeyError, OverflowError, TypeError, ValueError) as error:
        # Something that another server sent is of a form that nobody thought of: one room's trouble, not the run's end.
        room.shortfall = f"its history could not be understood: {error!r}"
        return
    for event in events:
        if not event["joining"]:
            room.saw(event["sender"], event["time"])
    room.shortfall = shortfall


def facts_of(room, bot, now, options):
    visibility = room.state.get(("m.room.history_visibility", ""))
    closed = ("m.room.tombstone", "") in room.state
    return {
        "now": now,
        "hidden_after": hidden_after(room, options),
        "kept_since": kept_since(room, options),
        "replaced_by": (text(room.content("m.room.tombstone").get("replacement_room")) or "another room") if closed else None,
        "visibility": text(mapping(visibility["content"]).get("history_visibility")) if visibility else None,
        "visibility_since": time_of(visibility) if visibility else None,
        "bot_joined": joined_at(room.members[bot]) if bot in room.members else None,
    }


def hidden_after(room, options):
    if options.max_lifetime is None:
        return None
    bounds = [None if value is None else value * 1000 for value in (options.max_lifetime, options.allowed_min, options.allowed_max)]
    return lifetimes.hidden_after(room.content("m.room.retention"), *bounds) / 1000


def kept_since(room, options):
    """Since when messages are kept there for as long as they are now; None: that is not known."""
    if options.kept_since is None:
        return None
    policy = room.state.get(("m.room.retention", ""))
    return max(os.stat(options.kept_since).st_mtime, -math.inf if policy is None else seconds(policy))


def read_pages(server, room, start):
    path = f"/_matrix/client/v3/rooms/{session.quoted(room.id)}/messages"
    # In this form events name those before them.
    query = {"dir": "b", "limit": PAGE, "filter": json.dumps({"event_format": "federation"})}
    events = []
    for _ in range(MOST_PAGES):
        page = server.get(path, **query)
        found = [simplified(event) for event in page["chunk"]]
        events += found
        if page.get("end") is None:
            return events, "end"
        if found and all(event["time"] < start for event in found):
            return events, "start"
        query["from"] = page["end"]
    return events, "limit"


def simplified(event):
    # Local accounts are joined by Hearth: that proves no presence. A changed profile looks alike, and is in the state.
    joining = event["type"] == "m.room.member" and mapping(event["content"]).get("membership") == "join"
    return {
        "id": event["event_id"], "type": event["type"], "sender": event["sender"], "time": seconds(event),
        "depth": number(event.get("depth")) or 0, "prev": event.get("prev_events"), "joining": joining,
    }
