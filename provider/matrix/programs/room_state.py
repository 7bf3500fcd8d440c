"""What a room is like according to its state events. Nothing is asked or changed here.

A room's state is a map of (event type, state key) to the event.
"""

OWN_LEVEL = 100
# From this room version on the creator stands above all power levels and must not be listed among them.
CREATOR_ABOVE_LEVELS = 12
KEY_FIELD = "org.hearth.key"

# Our names of the power levels, with their names in m.room.power_levels and the specification's defaults.
LEVELS = {
    "usersDefault": ("users_default", 0),
    "invite": ("invite", 0),
    "kick": ("kick", 50),
    "ban": ("ban", 50),
    "redact": ("redact", 50),
    "stateDefault": ("state_default", 50),
    "eventsDefault": ("events_default", 0),
}


def content(state, event_type, state_key=""):
    found = state.get((event_type, state_key), {}).get("content")
    return found if isinstance(found, dict) else {}


def text(state, event_type, field):
    """People may have written anything there; what is not text counts as absent."""
    found = content(state, event_type).get(field)
    return found if isinstance(found, str) else None


def creator_stands_above(version):
    return version.isdigit() and int(version) >= CREATOR_ABOVE_LEVELS


def describe_room(state, own):
    """A room in the words of the request. `own`: Hearth's account, which is not shown among the power levels."""
    create = content(state, "m.room.create")
    rule = content(state, "m.room.join_rules")
    return {
        "space": create.get("type") == "m.space",
        "roomVersion": str(create.get("room_version", "1")),
        "federate": create.get("m.federate", True) is not False,
        "name": text(state, "m.room.name", "name"),
        "topic": text(state, "m.room.topic", "topic"),
        "joinRule": {"rule": str(rule.get("join_rule", "invite")), "spaceIds": allowed_rooms(rule)},
        "historyVisibility": text(state, "m.room.history_visibility", "history_visibility") or "shared",
        "encrypted": "algorithm" in content(state, "m.room.encryption"),
        "powerLevels": power_levels(state, own),
        "canonicalAlias": text(state, "m.room.canonical_alias", "alias"),
        "avatarUrl": text(state, "m.room.avatar", "url"),
        "parentId": parent_of(state),
        "replacedBy": text(state, "m.room.tombstone", "replacement_room"),
    }


def allowed_rooms(rule):
    allow = rule.get("allow")
    entries = allow if rule.get("join_rule") == "restricted" and isinstance(allow, list) else []
    rooms = (entry.get("room_id") for entry in entries if isinstance(entry, dict) and entry.get("type") == "m.room_membership")
    return sorted(room for room in rooms if isinstance(room, str))


def power_levels(state, own):
    if ("m.room.power_levels", "") not in state:
        # A room that was cut off while it was made: only its creator may do anything.
        return {"users": {}, **{ours: default for ours, (_, default) in LEVELS.items()}, "stateDefault": 0}
    levels = content(state, "m.room.power_levels")
    users = {user: level for user, level in levels.get("users", {}).items() if user != own}
    return {"users": users, **{ours: levels.get(theirs, default) for ours, (theirs, default) in LEVELS.items()}}


def parent_of(state):
    """The Space that the room says it belongs to; other Spaces may list it too."""
    found = sorted(
        key for (event_type, key) in state if event_type == "m.space.parent" and content(state, event_type, key).get("canonical")
    )
    return found[0] if found else None


def child_link(space_state, room_id):
    """How a Space lists a room; None when it does not."""
    link = content(space_state, "m.space.child", room_id)
    if not link.get("via"):
        return None
    order = link.get("order")
    return {"suggested": link.get("suggested") is True, "order": order if isinstance(order, str) else None}


def membership(state, user):
    """`join`, `invite`, `knock`, `ban`, `left` (also: declined), `removed`, or `none`: never asked."""
    found = content(state, "m.room.member", user).get("membership")
    if found != "leave":
        return found if isinstance(found, str) else "none"
    return "left" if state[("m.room.member", user)].get("sender") == user else "removed"


def own_level(state, own):
    """Hearth's own power; None: it stands above all levels."""
    create = state.get(("m.room.create", ""), {})
    if creator_stands_above(str(content(state, "m.room.create").get("room_version", "1"))) and create.get("sender") == own:
        return None
    if ("m.room.power_levels", "") not in state:
        return OWN_LEVEL if create.get("sender") == own else 0
    levels = content(state, "m.room.power_levels")
    return levels.get("users", {}).get(own, levels.get("users_default", 0))
