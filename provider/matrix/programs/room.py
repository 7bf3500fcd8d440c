"""Looks at and changes Spaces and rooms of Hearth's own account: `room.py DIR` reads DIR/request.json, prints one JSON answer.

Request: scope, homeserverUrl, serverName, registrationSecret, action (`observe`, `apply`), rooms: a list of {key, space (true,
false), name, topic, joinRule {rule, spaceIds}, historyVisibility, encrypted, powerLevels {users, usersDefault, invite, kick,
ban, redact, stateDefault, eventsDefault}, members, alias (local part), avatar {digest, type, content: base64, for apply},
parent {roomId, suggested, order}, roomVersion, federate}; null where the stack says nothing. Optional: stateDirectory.

Answer: {status: ok, rooms: [...]}, one for each of the request, with what room_state.py describes, and `exists`, `existed`,
`did`, `would` (what apply would do), `notes`, `refusals`, `lost` (why Hearth's account cannot keep the room now), `record` (where
the room's ID is kept here); or {status: unavailable | refused | no credential, message}. `observe` changes nothing.
"""

import base64
import sys
import time
import urllib.parse

import room_plan
import room_state
from homeserver import ADMIN_LOCALPART, Refused, Unavailable, describe, state_directory, user_id, user_path
from homeserver_admin import admin_session, answer_request
from room_records import RoomRecords

# Another server may take its time over an invitation.
APPLY_TIMEOUT = 90.0
# A creation that was cut off so recently may still be going on in the homeserver, seconds.
CREATION_SECONDS = 60.0
LOOK_AGAIN_SECONDS = 10.0


def quoted(text):
    return urllib.parse.quote(text, safe="")


class Rooms:
    """The rooms of Hearth's own account on one homeserver."""

    def __init__(self, homeserver, server_name, records):
        self.homeserver = homeserver
        self.server_name = server_name
        self.records = records
        self.own = user_id(ADMIN_LOCALPART, server_name)
        self._own_rooms = None
        self._states = {}

    def observe(self, desired):
        room_id, state = self._find(desired["key"])
        return self._describe(desired, room_id, state)

    def _find(self, key):
        """The room of a key and its state: by its ID if it is known here, else by what its creation says; or nothing."""
        kept = self.records.room_id(key)
        state = None if kept is None else self._living_state(kept)
        if state is not None:
            return kept, state
        found = self._rooms_by_key().get(key)
        return (found, self._state(found)) if found is not None else (None, None)

    def _living_state(self, room_id):
        """None: it was purged, or shut down with nobody of this server left in it."""
        state = self._state(room_id)
        if state is None:
            return None
        local = [user for (kind, user) in state if kind == "m.room.member" and self._is_local(user)]
        return state if any(room_state.membership(state, user) == "join" for user in local) else None

    def _state(self, room_id):
        if room_id not in self._states:
            self._states[room_id] = self._ask_state(room_id)
        return self._states[room_id]

    def _ask_state(self, room_id):
        status, answer = self.homeserver.call("GET", f"/_synapse/admin/v1/rooms/{quoted(room_id)}/state")
        if status == 404 and answer.get("errcode") == "M_NOT_FOUND":
            return None
        if status != 200:
            raise Refused(f"the homeserver answered {describe(status, answer)} when asked about the room {room_id}")
        return {(event["type"], event["state_key"]): event for event in answer["state"]}

    def _rooms_by_key(self):
        """The rooms that Hearth's account made and this server is still in, by the key that their creation carries."""
        if self._own_rooms is None:
            self._own_rooms = {}
            for room in sorted(self._rooms_of_own(), key=lambda room: room["joined_local_members"]):
                create = room_state.content(self._state(room["room_id"]) or {}, "m.room.create")
                if isinstance(create.get(room_state.KEY_FIELD), str):
                    self._own_rooms[create[room_state.KEY_FIELD]] = room["room_id"]
        return self._own_rooms

    def _rooms_of_own(self):
        found, start = [], 0
        while start is not None:
            status, answer = self.homeserver.call("GET", f"/_synapse/admin/v1/rooms?limit=500&from={start}")
            if status != 200:
                raise Refused(f"the homeserver answered {describe(status, answer)} when asked for its rooms")
            found += [room for room in answer["rooms"] if room["creator"] == self.own and room["joined_local_members"] > 0]
            start = answer.get("next_batch")
        return found

    def _is_local(self, user):
        return user.partition(":")[2] == self.server_name

    def _describe(self, desired, room_id, state):
        alias = None if desired["alias"] is None else f"#{desired['alias']}:{self.server_name}"
        seen = {"key": desired["key"], "exists": room_id is not None, "roomId": room_id, "alias": alias}
        seen |= {"record": self.records.path(desired["key"]), "would": []}
        seen["aliasOwner"] = None if alias is None else self._alias_owner(alias)
        if room_id is None:
            return {**seen, "lost": None, "notes": [], "refusals": room_plan.refusals(desired, seen)}
        seen |= room_state.describe_room(state, self.own)
        seen["avatarDigest"] = self.records.avatar_digest(desired["key"], seen["avatarUrl"])
        parent = None if desired["parent"] is None else self._state(desired["parent"]["roomId"])
        seen["childLink"] = None if parent is None else room_state.child_link(parent, room_id)
        seen["members"] = {user: self._membership(state, user) for user in desired["members"]}
        seen["local"] = {user: self._is_local(user) for user in desired["members"]}
        seen["lost"] = self._lost(state)
        seen["notes"] = room_plan.notes(desired, seen, state, self.own)
        seen["refusals"] = room_plan.refusals(desired, seen)
        seen["would"] = [what for what, _, _ in room_plan.plan(desired, seen, state, self.own)]
        return seen

    def _lost(self, state):
        if room_state.membership(state, self.own) != "join":
            return f"{self.own} is not in the room any more"
        level = room_state.own_level(state, self.own)
        return None if level is None or level >= room_state.OWN_LEVEL else f"{self.own} has power {level} only"

    def _membership(self, state, user):
        is_now = room_state.membership(state, user)
        if is_now != "none" or not self._is_local(user):
            return is_now
        status, answer = self.homeserver.call("GET", user_path("v2/users", user))
        if status == 404:
            return "no account"
        return "deactivated" if answer.get("deactivated") else "none"

    def _alias_owner(self, alias):
        status, answer = self.homeserver.call("GET", f"/_matrix/client/v3/directory/room/{quoted(alias)}")
        return answer.get("room_id") if status == 200 else None

    def apply(self, desired):
        """Makes one room as desired; what is so already is left alone."""
        room_id, state = self._find_or_wait(desired["key"])
        refused = self._describe(desired, room_id, state)["refusals"]
        if refused:
            raise Refused("; ".join(refused))
        existed = room_id is not None
        if not existed:
            room_id = self._create(desired)
            state = self._state(room_id)
        self.records.remember_room(desired["key"], room_id)
        did, failed = self._converge(desired, room_id, state)
        self._states.clear()
        seen = self._describe(desired, room_id, self._state(room_id))
        return {**seen, "existed": existed, "did": did, "notes": failed + seen["notes"]}

    def _find_or_wait(self, key):
        """A creation that was cut off a moment ago may still go on; a second room for the key would be worse than waiting."""
        found = self._find(key)
        until = time.monotonic() + LOOK_AGAIN_SECONDS
        while found[0] is None and self.records.creating_for(key) < CREATION_SECONDS and time.monotonic() < until:
            time.sleep(0.5)
            self._own_rooms = None
            self._states.clear()
            found = self._find(key)
        return found

    def _create(self, desired):
        self._lift_rate_limit()
        self.records.remember_creation(desired["key"])
        status, answer = self.homeserver.call("POST", "/_matrix/client/v3/createRoom", room_plan.creation(desired))
        if status != 200:
            self.records.forget(desired["key"])
            raise Refused(f"the homeserver refused to make it: {describe(status, answer)}")
        return answer["room_id"]

    def _lift_rate_limit(self):
        """A handful of rooms with their members is more than Synapse lets one account do in a minute."""
        status, answer = self.homeserver.call("GET", user_path("v1/users", self.own, "/override_ratelimit"))
        if status == 200 and answer.get("messages_per_second") != 0:
            unlimited = {"messages_per_second": 0, "burst_count": 0}
            self.homeserver.call("POST", user_path("v1/users", self.own, "/override_ratelimit"), unlimited)

    def _converge(self, desired, room_id, state):
        """What was done, and what could not be done without being a fault of the room."""
        did, failed = [], []
        if self._lost(state) is not None:
            self._come_back(room_id, self._lost(state))
            did.append(f"{self.own} came back")
            self._states.clear()
            state = self._state(room_id)
        seen = self._describe(desired, room_id, state)
        steps = room_plan.plan(desired, seen, state, self.own)
        if steps:
            self._lift_rate_limit()
        for what, action, arguments in steps:
            problem = getattr(self, f"_{action.replace(' ', '_')}")(desired, seen, arguments)
            if problem is None:
                did.append(what)
            else:
                failed.append(problem)
        return did, failed

    def _come_back(self, room_id, why):
        """By an invitation or a join rule that lets it in; else with power that an admin of the server takes from a local user."""
        if self._enter(room_id) == 200 and self._lost(self._ask_state(room_id)) is None:
            return
        helper = f"/_synapse/admin/v1/rooms/{quoted(room_id)}/make_room_admin"
        status, answer = self.homeserver.call("POST", helper, {"user_id": self.own})
        if status != 200 or self._enter(room_id) != 200:
            raise Refused(
                f"{why}, and Hearth could not bring it back by itself ({describe(status, answer)}); "
                f"let an admin of the room {room_id} invite {self.own} and give it power {room_state.OWN_LEVEL}, then run again"
            )

    def _enter(self, room_id):
        return self.homeserver.call("POST", f"/_matrix/client/v3/join/{quoted(room_id)}", {})[0]

    def _state_event(self, room_id, event_type, state_key, body, what):
        path = f"/_matrix/client/v3/rooms/{quoted(room_id)}/state/{quoted(event_type)}/{quoted(state_key)}"
        self._must("PUT", path, body, what)

    def _must(self, method, path, body, what):
        status, answer = self.homeserver.call(method, path, body)
        if status != 200:
            raise Refused(f"the homeserver refused to {what}: {describe(status, answer)}")
        return answer

    def _state_step(self, desired, seen, arguments):
        self._state_event(seen["roomId"], arguments["type"], "", arguments["content"], f"set {arguments['type']}")

    def _alias(self, desired, seen, arguments):
        alias, room_id = seen["alias"], seen["roomId"]
        if seen["aliasOwner"] is None:
            self._must("PUT", f"/_matrix/client/v3/directory/room/{quoted(alias)}", {"room_id": room_id}, f"make the alias {alias}")
        self._state_event(room_id, "m.room.canonical_alias", "", {"alias": alias}, f"announce the alias {alias}")
        old = arguments["old"]
        if old not in (None, alias) and self._alias_owner(old) == room_id:
            self._must("DELETE", f"/_matrix/client/v3/directory/room/{quoted(old)}", None, f"remove the alias {old}")

    def _avatar(self, desired, seen, arguments):
        avatar = desired["avatar"]
        url = self.homeserver.upload(avatar["type"], base64.b64decode(avatar["content"]))
        self.records.remember_avatar(desired["key"], avatar["digest"], url)
        self._state_event(seen["roomId"], "m.room.avatar", "", {"url": url}, "set the avatar")

    def _enter_space(self, desired, seen, arguments):
        parent, room_id = desired["parent"], seen["roomId"]
        via = {"via": [self.server_name]}
        order = {} if parent["order"] is None else {"order": parent["order"]}
        child = {**via, "suggested": parent["suggested"], **order}
        self._state_event(parent["roomId"], "m.space.child", room_id, child, f"list it in the Space {parent['roomId']}")
        self._state_event(room_id, "m.space.parent", parent["roomId"], {**via, "canonical": True}, "name its Space")

    def _leave_space(self, desired, seen, arguments):
        space = arguments["spaceId"]
        self._state_event(seen["roomId"], "m.space.parent", space, {}, f"forget the Space {space}")
        state = self._state(space)
        # A Space of somebody else's lists what they like.
        if state is not None and self._lost(state) is None:
            self._state_event(space, "m.space.child", seen["roomId"], {}, f"take it out of the Space {space}")

    def _join(self, desired, seen, arguments):
        return self._bring("joined", f"/_synapse/admin/v1/join/{quoted(seen['roomId'])}", arguments["user"])

    def _invite(self, desired, seen, arguments):
        return self._bring("invited", f"/_matrix/client/v3/rooms/{quoted(seen['roomId'])}/invite", arguments["user"])

    def _bring(self, how, path, user):
        """Why a member could not be brought in; another server may be down, which is no fault of the room."""
        try:
            status, answer = self.homeserver.call("POST", path, {"user_id": user})
        except Unavailable as error:
            return f"{user} could not be {how} ({error}); the next up tries again"
        return None if status == 200 else f"{user} could not be {how} ({describe(status, answer)}); the next up tries again"


def run(request):
    applying = request["action"] == "apply"
    with admin_session(request, may_create=applying, timeout=APPLY_TIMEOUT) as homeserver:
        rooms = Rooms(homeserver, request["serverName"], RoomRecords(state_directory(request)))
        step = rooms.apply if applying else rooms.observe
        return {"rooms": [step(desired) for desired in request["rooms"]]}


if __name__ == "__main__":
    answer_request(sys.argv[1], run)
