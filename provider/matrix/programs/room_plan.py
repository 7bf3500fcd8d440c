"""What would make a room as desired. Nothing is asked or changed here."""

from room_state import KEY_FIELD, LEVELS, content, own_level

ENCRYPTION = {"algorithm": "m.megolm.v1.aes-sha2"}


def creation(desired):
    """The body that makes a room as desired, but for what needs its ID."""
    rule = desired["joinRule"]
    body = {
        # Of the presets the one that adds least: the others let guests in, or encrypt what is not to be.
        "preset": "public_chat",
        "visibility": "private",
        "name": desired["name"],
        "creation_content": {KEY_FIELD: desired["key"], "m.federate": desired["federate"]},
        "initial_state": [
            {"type": "m.room.join_rules", "content": join_rules(rule)},
            {"type": "m.room.history_visibility", "content": {"history_visibility": desired["historyVisibility"]}},
            {"type": "m.room.guest_access", "content": {"guest_access": "forbidden"}},
        ],
        # Without a version the users are set once the server has told which one it took.
        "power_level_content_override": {theirs: desired["powerLevels"][ours] for ours, (theirs, _) in LEVELS.items()},
    }
    if desired["space"]:
        body["creation_content"]["type"] = "m.space"
    if desired["encrypted"]:
        body["initial_state"].append({"type": "m.room.encryption", "content": ENCRYPTION})
    if desired["topic"] is not None:
        body["topic"] = desired["topic"]
    if desired["roomVersion"] is not None:
        body["room_version"] = desired["roomVersion"]
    return body


def join_rules(rule):
    if rule["rule"] != "restricted":
        return {"join_rule": rule["rule"]}
    allow = [{"type": "m.room_membership", "room_id": room} for room in rule["spaceIds"]]
    return {"join_rule": "restricted", "allow": allow}


def levels_content(desired, state, own):
    """The power levels as they are to be. What we do not know of them (single event types) stays as it is.

    Up to room version 11 nobody can lower another one who stands as high as himself: those keep what they have.
    """
    current = content(state, "m.room.power_levels")
    users = {**desired["users"], **unlowerable(desired, state, own)}
    level = own_level(state, own)
    if level is not None:
        users[own] = level
    return {**current, **{theirs: desired[ours] for ours, (theirs, _) in LEVELS.items()}, "users": users}


def unlowerable(desired, state, own):
    """Users with a level of which Hearth cannot take anything away, and that level."""
    level = own_level(state, own)
    if level is None:
        return {}
    default = desired["usersDefault"]
    users = content(state, "m.room.power_levels").get("users", {})
    return {user: has for user, has in users.items() if user != own and has >= level and has > desired["users"].get(user, default)}


def same_levels(desired, seen):
    """Whether the levels say the same; a user who is listed with the default is as good as not listed."""
    if any(desired[name] != seen[name] for name in LEVELS):
        return False
    default = desired["usersDefault"]
    everybody = set(desired["users"]) | set(seen["users"])
    return all(desired["users"].get(user, default) == seen["users"].get(user, default) for user in everybody)


def refusals(desired, seen):
    """Why this room can never be as desired; each says what to do."""
    found = []
    if seen["aliasOwner"] not in (None, seen["roomId"]):
        found.append(f"the alias {seen['alias']} belongs to another room ({seen['aliasOwner']}); choose another one, or remove it there")
    if not seen["exists"]:
        return found
    if seen["space"] != desired["space"]:
        is_now = "a Space" if seen["space"] else "a room"
        found.append(f"the key {desired['key']} is that of {is_now} ({seen['roomId']}), which cannot become the other; choose another key")
    if seen["encrypted"] and not desired["encrypted"] and not desired["space"]:
        found.append("encryption is on, and once on it can never be off; write `encrypted: true`, or choose another key for a new room")
    if seen["federate"] != desired["federate"]:
        word = "true" if seen["federate"] else "false"
        found.append(f"`federate` is {word} for good: it is set when a room is made; write `federate: {word}`, or choose another key for a new room")
    if desired["roomVersion"] not in (None, seen["roomVersion"]):
        version = seen["roomVersion"]
        found.append(f"its version is {version} for good; write `roomVersion: \"{version}\"`, or choose another key for a new room")
    return found


def plan(desired, seen, state, own):
    """What to do with a room that is there, as a list of (what, action, arguments)."""
    steps = state_steps(desired, seen, state, own)
    if desired["alias"] is not None and not (seen["canonicalAlias"] == seen["alias"] and seen["aliasOwner"] == seen["roomId"]):
        steps.append((f"alias {seen['alias']}", "alias", {"old": seen["canonicalAlias"]}))
    if desired["avatar"] is not None and seen["avatarDigest"] != desired["avatar"]["digest"]:
        steps.append(("avatar", "avatar", {}))
    return steps + parent_steps(desired["parent"], seen) + member_steps(seen)


def state_steps(desired, seen, state, own):
    steps = []

    def put(what, event_type, body):
        steps.append((what, "state step", {"type": event_type, "content": body}))

    if seen["name"] != desired["name"]:
        put("name", "m.room.name", {"name": desired["name"]})
    if desired["topic"] is not None and seen["topic"] != desired["topic"]:
        put("topic", "m.room.topic", {"topic": desired["topic"]})
    if seen["joinRule"] != desired["joinRule"]:
        put("join rule", "m.room.join_rules", join_rules(desired["joinRule"]))
    if seen["historyVisibility"] != desired["historyVisibility"]:
        put("history visibility", "m.room.history_visibility", {"history_visibility": desired["historyVisibility"]})
    if desired["encrypted"] and not seen["encrypted"]:
        put("encryption", "m.room.encryption", ENCRYPTION)
    if not same_levels(desired["powerLevels"], seen["powerLevels"]):
        levels = levels_content(desired["powerLevels"], state, own)
        if levels != content(state, "m.room.power_levels"):
            put("power levels", "m.room.power_levels", levels)
    return steps


def parent_steps(parent, seen):
    steps = []
    wanted = None if parent is None else parent["roomId"]
    if seen["parentId"] not in (None, wanted):
        steps.append((f"taken out of the Space {seen['parentId']}", "leave space", {"spaceId": seen["parentId"]}))
    link = None if parent is None else {"suggested": parent["suggested"], "order": parent["order"]}
    if parent is not None and (seen["parentId"] != wanted or seen["childLink"] != link):
        steps.append((f"put into the Space {wanted}", "enter space", {}))
    return steps


def member_steps(seen):
    """Who never was asked comes in; who left, declined or was removed has a say in it and is left alone."""
    steps = []
    for user, is_now in seen["members"].items():
        if seen["local"][user] and is_now in ("none", "invite", "knock"):
            steps.append((f"{user} joined", "join", {"user": user}))
        elif not seen["local"][user] and is_now in ("none", "knock"):
            steps.append((f"{user} invited", "invite", {"user": user}))
    return steps


NOT_ASKED_AGAIN = {
    "left": "left or declined the invitation; to have them back, invite them from a client",
    "removed": "was removed; to have them back, invite them from a client",
    "ban": "is banned",
    "no account": "has no account here",
    "deactivated": "is deactivated",
}


def notes(desired, seen, state, own):
    """What the operator should know and `up` cannot change."""
    found = [f"{user} {NOT_ASKED_AGAIN[is_now]}" for user, is_now in seen["members"].items() if is_now in NOT_ASKED_AGAIN]
    for user, has in unlowerable(desired["powerLevels"], state, own).items():
        found.append(f"{user} keeps power {has}: in this room version only they themselves can lower it")
    if seen["replacedBy"] is not None:
        found.append(f"it was upgraded by hand and goes on as {seen['replacedBy']}, which Hearth does not keep")
    return found
