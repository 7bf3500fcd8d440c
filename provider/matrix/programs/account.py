"""Looks at and changes local accounts of the homeserver: `account.py DIR` reads DIR/request.json, prints one JSON answer.

Request: scope, homeserverUrl, serverName, registrationSecret, action (`observe`, `apply`), accounts: a list of
{localpart, admin, displayName or null, deactivated, password: {kind: generated, reclaim} or {kind: given, value, change}}
(observe gets no value of a password). Optional: stateDirectory.

Answer: {status: ok, accounts: [{localpart, exists, admin, displayName, deactivated, passwordFile (where the password made here
is, else null)}]}, for observe with would (what apply would do, as [action, settings]) and passwordPath (where a password made here
would be kept), for apply with existed, did and notes; or {status: unavailable | refused | no credential, message}. `observe`
changes nothing.
"""

import hashlib
import os
import secrets
import sys

from homeserver import Refused, describe, state_directory, user_id, user_path, write_private
from homeserver_admin import admin_session, answer_request


def plan(desired, observed, password_set):
    """What to do with one account, as a list of (action, arguments); nothing is looked at or changed here.

    password_set: whether the given password is the one that was last set from this host (False: it is not,
    None: nothing is known about it); of a generated one, whether this host has it.
    """
    given = desired["password"]["kind"] == "given"
    reclaimed = desired["password"].get("reclaim", False) and password_set is False
    if not observed["exists"]:
        # An account that is to be deactivated is made all the same: it keeps the name from being taken.
        create = ("create", {"admin": desired["admin"], "displayName": desired["displayName"]})
        return [create, ("deactivate", {})] if desired["deactivated"] else [create]
    if desired["deactivated"]:
        return [] if observed["deactivated"] else [("deactivate", {})]
    steps = []
    if observed["deactivated"]:
        steps.append(("reactivate", {}))
    elif reclaimed:
        # First of all: the present owner of the account must not become an admin with it.
        steps.append(("reclaim", {}))
    elif given and password_set is not True and (desired["password"]["change"] or password_set is False):
        steps.append(("set password", {}))
    if observed["admin"] != desired["admin"]:
        steps.append(("set admin", {"admin": desired["admin"]}))
    if desired["displayName"] is not None and observed["displayName"] != desired["displayName"]:
        steps.append(("set display name", {"displayName": desired["displayName"]}))
    return steps


def new_password():
    return secrets.token_urlsafe(24)


class Passwords:
    """What this host keeps about passwords: the generated ones, and salted digests of the given ones that were set."""

    def __init__(self, records):
        self.directory = os.path.join(records, "accounts")

    def generated_path(self, localpart):
        return os.path.join(self.directory, f"{localpart}.password")

    def generated(self, localpart):
        """The password made earlier on this host, else a new one, stored before it is used."""
        path = self.generated_path(localpart)
        try:
            with open(path, encoding="utf-8") as file:
                return file.read().strip()
        except FileNotFoundError:
            password = new_password()
            self.keep_generated(localpart, password)
            return password

    def keep_generated(self, localpart, password):
        os.makedirs(self.directory, mode=0o700, exist_ok=True)
        write_private(self.generated_path(localpart), password + "\n")

    def has_given(self, localpart):
        return os.path.exists(os.path.join(self.directory, f"{localpart}.given"))

    def has_generated(self, localpart):
        return os.path.exists(self.generated_path(localpart))

    def remember_given(self, localpart, value):
        os.makedirs(self.directory, mode=0o700, exist_ok=True)
        salt = secrets.token_hex(16)
        write_private(os.path.join(self.directory, f"{localpart}.given"), f"{salt}:{self._digest(salt, value)}\n")

    def was_given(self, localpart, value):
        """True or False: the value is (not) the one last set from here. None: none was."""
        try:
            with open(os.path.join(self.directory, f"{localpart}.given"), encoding="utf-8") as file:
                salt, digest = file.read().strip().split(":")
        except (FileNotFoundError, ValueError):
            return None
        return secrets.compare_digest(digest, self._digest(salt, value))

    @staticmethod
    def _digest(salt, value):
        return hashlib.scrypt(value.encode(), salt=bytes.fromhex(salt), n=2**14, r=8, p=1).hex()


class Accounts:
    """Observes and changes accounts through the admin API."""

    def __init__(self, homeserver, server_name, passwords):
        self.homeserver = homeserver
        self.server_name = server_name
        self.passwords = passwords

    def observe(self, localpart):
        path = user_path("v2/users", user_id(localpart, self.server_name))
        status, answer = self.homeserver.call("GET", path)
        if status == 404 and answer.get("errcode") == "M_NOT_FOUND":
            return {"localpart": localpart, "exists": False, "admin": False, "displayName": None, "deactivated": False}
        if status != 200:
            raise Refused(f"the homeserver answered {describe(status, answer)} when asked about {localpart}")
        return {
            "localpart": localpart,
            "exists": True,
            "admin": bool(answer.get("admin")),
            "displayName": answer.get("displayname"),
            "deactivated": bool(answer.get("deactivated")),
        }

    def look(self, desired):
        """What one account is like, and what `apply` would do with it. Changes nothing."""
        localpart, password = desired["localpart"], desired["password"]
        observed = self.observe(localpart)
        reclaims = password.get("reclaim", False)
        would = plan(desired, observed, self.passwords.has_generated(localpart) if reclaims else None)
        if self._may_differ(desired, observed, would):
            would.append(("compare password", {}))
        path = self.passwords.generated_path(localpart)
        return {**observed, "would": would, "passwordPath": path, "passwordFile": self._password_file(localpart)}

    def _may_differ(self, desired, observed, would):
        """A given password travels with a change only: until then nobody here knows whether it is the one last set."""
        asked = observed["exists"] and not observed["deactivated"] and not desired["deactivated"]
        given = desired["password"]["kind"] == "given" and self.passwords.has_given(desired["localpart"])
        return asked and given and ("set password", {}) not in would

    def _password_file(self, localpart):
        return self.passwords.generated_path(localpart) if self.passwords.has_generated(localpart) else None

    def apply(self, desired):
        """Makes one account as desired; what is so already is left alone."""
        localpart = desired["localpart"]
        observed = self.observe(localpart)
        password_set = None
        if desired["password"]["kind"] == "given":
            password_set = self.passwords.was_given(localpart, desired["password"]["value"])
        elif desired["password"].get("reclaim", False):
            password_set = self.passwords.has_generated(localpart)
        steps = plan(desired, observed, password_set)
        for action, arguments in steps:
            self._act(action, arguments, desired)
        return {
            **self.observe(localpart),
            "existed": observed["exists"],
            "did": [action for action, _ in steps],
            "notes": self._adoption_notes(desired, password_set) if observed["exists"] else [],
            "passwordFile": self._password_file(localpart),
        }

    def _adoption_notes(self, desired, password_set):
        localpart, kind = desired["localpart"], desired["password"]["kind"]
        if kind == "generated" and not self.passwords.has_generated(localpart):
            return ["its password was not made by Hearth and stays as it is"]
        if kind == "given" and password_set is None and not desired["password"]["change"] and not desired["deactivated"]:
            return ["its password was left as it is; to set the given one, change the value"]
        return []

    def _act(self, action, arguments, desired):
        user = user_id(desired["localpart"], self.server_name)
        if action == "deactivate":
            self._must("POST", user_path("v1/deactivate", user), {"erase": False}, action)
            return
        body = {}
        if action == "create":
            body["admin"] = arguments["admin"]
            if arguments["displayName"] is not None:
                body["displayname"] = arguments["displayName"]
        elif action == "set admin":
            body["admin"] = arguments["admin"]
        elif action == "set display name":
            body["displayname"] = arguments["displayName"]
        elif action == "reactivate":
            body["deactivated"] = False
        elif action == "reclaim":
            # Other ways to log in, or to have a new password sent, go too.
            body |= {"password": new_password(), "logout_devices": True, "threepids": [], "external_ids": []}
        if action in ("create", "reactivate", "set password") and not desired["deactivated"]:
            body["password"] = self._password(desired)
        self._must("PUT", user_path("v2/users", user), body, action)
        if action == "reclaim":
            # Kept when it holds: that it is here means that nobody else has the account.
            self.passwords.keep_generated(desired["localpart"], body["password"])
        if "password" in body and desired["password"]["kind"] == "given":
            self.passwords.remember_given(desired["localpart"], body["password"])

    def _password(self, desired):
        if desired["password"]["kind"] == "given":
            return desired["password"]["value"]
        return self.passwords.generated(desired["localpart"])

    def _must(self, method, path, body, action):
        status, answer = self.homeserver.call(method, path, body)
        if status not in (200, 201):
            raise Refused(f"the homeserver refused to {action}: {describe(status, answer)}")


def run(request):
    applying = request["action"] == "apply"
    with admin_session(request, may_create=applying) as homeserver:
        accounts = Accounts(homeserver, request["serverName"], Passwords(state_directory(request)))
        if applying:
            return {"accounts": [accounts.apply(desired) for desired in request["accounts"]]}
        return {"accounts": [accounts.look(desired) for desired in request["accounts"]]}


if __name__ == "__main__":
    answer_request(sys.argv[1], run)
