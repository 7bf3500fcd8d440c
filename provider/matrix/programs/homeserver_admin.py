"""Hearth's own admin account `@hearth:<server>`, whose credential is kept on this host, and how programs use it."""

import contextlib
import fcntl
import hashlib
import hmac
import json
import os
import secrets
import sys
import time

from homeserver import (
    ADMIN_LOCALPART,
    Homeserver,
    NoCredential,
    Refused,
    Unavailable,
    describe,
    read_secret,
    state_directory,
    user_id,
    user_path,
    write_private,
)

# The same device at every login: renewing the token replaces it instead of leaving one device more behind.
DEVICE_ID = "HEARTH"
DEVICE_NAME = "Hearth on this host"


# Seconds that a program waits for the others, and that a look may take in all: together less than its caller waits (OBSERVE_TIMEOUT
# in provider/matrix/homeserver.ts; a change is given more).
LOOK_WAITS = 10.0
LOOK_TAKES = 40.0
CHANGE_WAITS = 60.0


@contextlib.contextmanager
def locked(directory):
    """Only one program at a time makes or renews the credential and changes accounts and rooms. Raises Refused."""
    os.makedirs(directory, mode=0o700, exist_ok=True)
    path = os.path.join(directory, "admin.lock")
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        if not _flock(descriptor, fcntl.LOCK_EX, CHANGE_WAITS):
            raise Refused(f"another program has been changing accounts and rooms for {CHANGE_WAITS:.0f} s (fuser {path} names it)")
        yield
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def unchanging(directory):
    """Nobody changes accounts and rooms while one or more look at them. Leaves no trace. Raises Unavailable."""
    try:
        descriptor = os.open(os.path.join(directory, "admin.lock"), os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        # Nobody has ever changed anything.
        yield
        return
    try:
        if not _flock(descriptor, fcntl.LOCK_SH, LOOK_WAITS):
            raise Unavailable(f"another program has been changing accounts and rooms for {LOOK_WAITS:.0f} s")
        yield
    finally:
        os.close(descriptor)


def _flock(descriptor, how, seconds):
    """Whether the lock was had within so many seconds."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            fcntl.flock(descriptor, how | fcntl.LOCK_NB)
            return True
        except BlockingIOError:
            if time.monotonic() >= deadline:
                return False
            time.sleep(0.05)


class AdminSession:
    """Gets a homeserver connection its admin token: kept, else renewed, else (when asked) the account is made."""

    def __init__(self, homeserver, server_name, registration_secret, directory):
        self.homeserver = homeserver
        self.server_name = server_name
        self.secret_source = registration_secret
        self.path = os.path.join(directory, "admin.json")
        self.user = user_id(ADMIN_LOCALPART, server_name)

    def open(self, may_create):
        """Leaves a working admin token in the homeserver connection. Raises NoCredential, Refused, Unavailable.

        may_create: a login, too, is a change (a new token, and a new record of it here); a look does without.
        """
        credential = self._load()
        if self._kept_token_works(credential):
            return
        if not may_create:
            raise NoCredential(f"the access token of {self.user} that is kept on this host does not work any more")
        if not self._log_in(credential):
            self._make(credential)

    def _load(self):
        try:
            with open(self.path, encoding="utf-8") as file:
                credential = json.load(file)
        except FileNotFoundError:
            return {}
        except ValueError as error:
            raise Refused(f"{self.path} is damaged ({error}); remove it and run again: a new one is made") from error
        if credential.get("userId") != self.user:
            raise Refused(f"{self.path} belongs to {credential.get('userId')}, not to {self.user}: another homeserver's host?")
        return credential

    def _store(self, password, token=None):
        credential = {"userId": self.user, "deviceId": DEVICE_ID, "password": password}
        if token is not None:
            credential["accessToken"] = token
        write_private(self.path, json.dumps(credential) + "\n")
        self.homeserver.token = token

    def _kept_token_works(self, credential):
        if "accessToken" not in credential:
            return False
        self.homeserver.token = credential["accessToken"]
        status, answer = self.homeserver.call("GET", user_path("v1/users", self.user, "/admin"))
        if status == 200 and answer.get("admin") is True:
            return True
        self.homeserver.token = None
        if status == 403:
            # No longer an admin. Registering again finds the name taken and takes the account back.
            credential.pop("password", None)
        elif status != 401:
            raise Refused(f"the homeserver answered {describe(status, answer)} when asked about {self.user}")
        return False

    def _log_in(self, credential):
        if "password" not in credential:
            return False
        status, answer = self.homeserver.call(
            "POST",
            "/_matrix/client/v3/login",
            {
                "type": "m.login.password",
                "identifier": {"type": "m.id.user", "user": self.user},
                "password": credential["password"],
                "device_id": DEVICE_ID,
                "initial_device_display_name": DEVICE_NAME,
            },
        )
        if status == 429:
            seconds = round(answer.get("retry_after_ms", 0) / 1000)
            raise Refused(f"the homeserver's rate limit for logins refuses {self.user} for {seconds} s more; run again then")
        if status == 403:
            return False
        if status != 200:
            raise Refused(f"the homeserver refused the login of {self.user}: {describe(status, answer)}")
        self._store(credential["password"], answer["access_token"])
        return True

    def _make(self, credential):
        # Stored first: if this is cut off after the registration, the next run can log in.
        password = credential.get("password") or secrets.token_hex(32)
        self._store(password)
        status, answer = self._register(ADMIN_LOCALPART, password)
        if status == 400 and answer.get("errcode") == "M_USER_IN_USE":
            self._take_back(password)
            return
        if status != 200:
            raise Refused(f"the homeserver refused to make {self.user}: {describe(status, answer)}")
        self._store(password, answer["access_token"])

    def _take_back(self, password):
        """The account exists, its credential is lost: a helper, made with the registration secret, sets a new password."""
        helper = f"{ADMIN_LOCALPART}-recovery-{secrets.token_hex(4)}"
        status, answer = self._register(helper, secrets.token_hex(32))
        if status != 200:
            raise Refused(f"the homeserver refused to make @{helper}: {describe(status, answer)}")
        self.homeserver.token = answer["access_token"]
        wanted = {"password": password, "admin": True, "deactivated": False, "logout_devices": True}
        status, answer = self.homeserver.call("PUT", user_path("v2/users", self.user), wanted)
        self.homeserver.token = None
        if status != 200 or not self._log_in({"password": password}):
            raise Refused(f"the credential of {self.user} could not be created again: {describe(status, answer)}")
        helper_id = user_id(helper, self.server_name)
        self.homeserver.call("POST", user_path("v1/deactivate", helper_id), {"erase": True})

    def _register(self, localpart, password):
        """Registration with the shared secret; the secret itself never leaves the host, only the HMAC does."""
        shared_secret = read_secret(self.secret_source)
        status, answer = self.homeserver.call("GET", "/_synapse/admin/v1/register")
        if status != 200:
            raise Refused(f"the homeserver offers no registration by shared secret: {describe(status, answer)}")
        # `support`: not counted as an active user, not in the user directory, not joined to rooms.
        parts = [answer["nonce"], localpart, password, "admin", "support"]
        mac = hmac.new(shared_secret.encode(), "\0".join(parts).encode(), hashlib.sha1).hexdigest()
        status, reply = self.homeserver.call(
            "POST",
            "/_synapse/admin/v1/register",
            {
                "nonce": answer["nonce"],
                "username": localpart,
                "password": password,
                "admin": True,
                "user_type": "support",
                "mac": mac,
                "device_id": DEVICE_ID,
                "initial_device_display_name": DEVICE_NAME,
            },
        )
        if status == 403:
            raise Refused(
                f"the homeserver does not accept the registration secret in {self.secret_source}: "
                "it runs with another one; restart it, so that it reads the file"
            )
        return status, reply


@contextlib.contextmanager
def admin_session(request, may_create, timeout=15.0):
    """A homeserver connection of Hearth's admin account, until the block ends alone on this host, or (a look) with other looks only.

    Raises NoCredential, Refused, Unavailable.
    """
    directory = state_directory(request)
    if not may_create and not os.path.exists(os.path.join(directory, "admin.json")):
        raise NoCredential(f"{os.path.join(directory, 'admin.json')} is not on this host: it keeps how Hearth's own admin account logs in")
    with locked(directory) if may_create else unchanging(directory):
        homeserver = Homeserver(request["homeserverUrl"], timeout)
        if not may_create:
            homeserver.end_after(LOOK_TAKES)
        session = AdminSession(homeserver, request["serverName"], request["registrationSecret"], directory)
        session.open(may_create=may_create)
        yield homeserver


def answer_request(directory, run):
    """Reads the call's request.json, prints what `run` makes of it, or why there is nothing to print."""
    with open(os.path.join(directory, "request.json"), encoding="utf-8") as file:
        request = json.load(file)
    try:
        answer = {"status": "ok", **run(request)}
    except Unavailable as error:
        answer = {"status": "unavailable", "message": str(error)}
    except NoCredential as error:
        answer = {"status": "no credential", "message": str(error)}
    except (Refused, OSError) as error:
        answer = {"status": "refused", "message": str(error)}
    json.dump(answer, sys.stdout)
    sys.stdout.write("\n")
