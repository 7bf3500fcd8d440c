"""What the bot can see of its rooms: members, signs of life, and how far back. Asks the homeserver; changes nothing.

The bot is an ordinary user: it sees what any member sees, and its requests are limited like anybody's.
"""

import json
import math

import history
import lifetimes
import session

PAGE = 250
MOST_PAGES = 400
KEY_FIELD = "org.hearth.key"


class Room:
    """One watched room: its state, and what the bot found out about it. Times in seconds."""

    def __init__(self, room_id, state):
        self.id = room_id
        self.state = {(event["type"], event["state_key"]): event for event in state}
        self.key = self.content("m.room.create").get(KEY_FIELD)
        self.name = self.content("m.room.name").get("name") or self.key or room_id
        self.members = {
            user: event for (kind, user), event in self.state.items()
            if kind == "m.room.member" and event["content"].get("membership") == "join"
        }
        self.seen = {user: profile_change(event) for user, event in self.members.items()}
        self.shortfall = "not looked at"

    def content(self, kind):
        event = self.state.get((kind, ""))
        return event["content"] if event is not None else {}

    def saw(self, user, time):
        if user in self.seen and time is not None:
            self.seen[user] = max(self.seen[user] or time, time)

    def power(self, user):
        create = self.state.get(("m.room.create", ""), {"content": {}, "sender": None})
        version = create["content"].get("room_version", "1")
        creators = [create["sender"], *create["content"].get("additional_creators", [])]
        if user in creators and version.isdecimal() and int(version) >= 12:
            return math.inf
        levels = self.state.get(("m.room.power_levels", ""))
        if levels is None:
            return 100 if user == create["sender"] else 0
        return levels["content"].get("users", {}).get(user, levels["content"].get("users_default", 0))

    def may_remove(self, bot):
        return self.power(bot) >= self.content("m.room.power_levels").get("kick", 50)

    def sign_of(self, user, bot):
        """What decide.py takes of one member."""
        return {
            "room": self.name, "seen": self.seen[user], "joined": joined_at(self.members[user]),
            "power": self.power(user), "bot_power": self.power(bot),
            "complete": self.shortfall is None, "why": self.shortfall,
        }


def seconds(event):
    return event["origin_server_ts"] / 1000


def was_joined_before(event):
    unsigned = event.get("unsigned", {})
    before = unsigned.get("prev_content") or event.get("prev_content") or {}
    return before.get("membership") == "join"


def profile_change(event):
    """When the member changed name or picture, if that is what the membership event says; joining proves no presence."""
    return seconds(event) if was_joined_before(event) and event["sender"] == event["state_key"] else None


def joined_at(event):
    """The latest time at which they can have joined."""
    return seconds(event)


def watched_rooms(server, keys):
    """The rooms that Hearth keeps and the bot is in; keys: those of the stack file, or None for all."""
    rooms = []
    for room_id in server.get("/_matrix/client/v3/joined_rooms")["joined_rooms"]:
        room = Room(room_id, server.get(f"/_matrix/client/v3/rooms/{session.quoted(room_id)}/state"))
        if room.key is not None and (keys is None or room.key in keys):
            rooms.append(room)
    return sorted(rooms, key=lambda room: room.name)


def silent_servers(server, rooms):
    """
    Servers of members that do not answer. Asking also ends their waiting when we were away, so that they deliver what
    they kept for us.
    """
    own = domain_of(server.user)
    users = {domain_of(user): user for room in rooms for user in room.members}
    silent = []
    for name, user in users.items():
        if name != own and server.call("GET", f"/_matrix/client/v3/profile/{session.quoted(user)}")[0] >= 500:
            silent.append(name)
    return silent


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
    for by_type in content.values():
        for readers in by_type.values():
            for user, receipt in readers.items():
                if isinstance(receipt.get("ts"), int):
                    room.saw(user, receipt["ts"] / 1000)


def read_history(server, room, now, options):
    """Notes who wrote when, back to the window's start, and what is missing of it."""
    start = now - options.window
    try:
        events, reached = read_pages(server, room, start)
    except session.Failed as error:
        room.shortfall = f"its history could not be read: {error}"
        return
    for event in events:
        if not event["joining"]:
            room.saw(event["sender"], event["time"])
    room.shortfall = history.shortfall(events, reached, start, facts_of(room, server.user, now, options))


def facts_of(room, bot, now, options):
    visibility = room.state.get(("m.room.history_visibility", ""))
    return {
        "now": now,
        "hidden_after": hidden_after(room, options),
        "visibility": visibility["content"].get("history_visibility") if visibility else None,
        "visibility_since": seconds(visibility) if visibility else None,
        "bot_joined": joined_at(room.members[bot]) if bot in room.members else None,
    }


def hidden_after(room, options):
    if options.max_lifetime is None:
        return None
    bounds = [None if value is None else value * 1000 for value in (options.max_lifetime, options.allowed_min, options.allowed_max)]
    return lifetimes.hidden_after(room.content("m.room.retention"), *bounds) / 1000


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
    joining = event["type"] == "m.room.member" and event["content"].get("membership") == "join"
    return {
        "id": event["event_id"], "type": event["type"], "sender": event["sender"], "time": seconds(event),
        "depth": event.get("depth", 0), "prev": event.get("prev_events"), "joining": joining,
    }
