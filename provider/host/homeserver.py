"""The homeserver's API on loopback, and Hearth's own admin account `@hearth:<server>` with its credential on this host.

Runs on the host as root, with Python 3.11 or newer and nothing but its standard library.
"""

import contextlib
import fcntl
import hashlib
import hmac
import http.client
import json
import os
import secrets
import time
import urllib.parse

STATE_DIRECTORY = "/var/lib/hearth"
ADMIN_LOCALPART = "hearth"
# The same device at every log-in: renewing the token replaces it instead of leaving one device more behind.
DEVICE_ID = "HEARTH"
DEVICE_NAME = "Hearth on this host"
# Longer waits than this are the operator's to decide about, seconds.
LONGEST_RATE_LIMIT_WAIT = 5.0


class Unavailable(Exception):
    """The homeserver does not answer: nothing is known about its accounts."""


class Refused(Exception):
    """The homeserver or the host's state does not allow it; the text says what to do."""


class NoCredential(Exception):
    """Hearth's admin account is not there (yet), and making it was not asked for."""


class Homeserver:
    """One kept-alive connection to a homeserver's HTTP listener, with an access token once there is one."""

    def __init__(self, base_url, timeout=15.0):
        parts = urllib.parse.urlsplit(base_url)
        if parts.scheme != "http" or not parts.hostname:
            raise Refused(f"homeserver URL {base_url} is not of the form http://address:port")
        self.base_url = base_url
        self.token = None
        self._connection = http.client.HTTPConnection(parts.hostname, parts.port or 80, timeout=timeout)

    def call(self, method, path, body=None):
        """Status and decoded JSON of one request. Waits out a short rate limit. Raises Unavailable."""
        for attempt in range(3):
            status, answer = self._send(method, path, body)
            wait = answer.get("retry_after_ms", 1000) / 1000
            if status != 429 or attempt == 2 or wait > LONGEST_RATE_LIMIT_WAIT:
                return status, answer
            time.sleep(wait + 0.05)
        raise AssertionError("unreachable")

    def _send(self, method, path, body):
        headers = {"User-Agent": "hearth"}
        if self.token is not None:
            headers["Authorization"] = f"Bearer {self.token}"
        data = None
        if body is not None:
            data = json.dumps(body).encode()
            headers["Content-Type"] = "application/json"
        try:
            self._connection.request(method, path, body=data, headers=headers)
            response = self._connection.getresponse()
            text = response.read()
        except (OSError, http.client.HTTPException) as error:
            self._connection.close()
            raise Unavailable(f"the homeserver does not answer on {self.base_url}: {error or type(error).__name__}") from error
        if response.status >= 500:
            raise Unavailable(f"the homeserver answered {response.status} to {method} {path.split('?')[0]}")
        try:
            decoded = json.loads(text)
        except ValueError:
            decoded = {}
        return response.status, decoded if isinstance(decoded, dict) else {}


def user_id(localpart, server_name):
    return f"@{localpart}:{server_name}"


def user_path(prefix, user, suffix=""):
    """A path of the admin API with a user ID in it, completely percent-encoded."""
    return f"/_synapse/admin/{prefix}/{urllib.parse.quote(user, safe='')}{suffix}"


def describe(status, answer):
    """An error answer in a few words, for a message."""
    return f"{status} {answer.get('errcode', '')} {answer.get('error', '')}".strip()


def write_private(path, text):
    """Writes a file that only root can read, whole or not at all, and on the disk when this returns."""
    temporary = f"{path}.{os.getpid()}.new"
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    os.replace(temporary, path)


@contextlib.contextmanager
def locked(state_directory):
    """Only one program at a time makes or renews the credential and changes accounts."""
    os.makedirs(state_directory, mode=0o700, exist_ok=True)
    descriptor = os.open(os.path.join(state_directory, "admin.lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


class AdminSession:
    """Gets a homeserver connection its admin token: kept, else renewed, else (when asked) the account is made."""

    def __init__(self, homeserver, server_name, registration_secret_path, state_directory=STATE_DIRECTORY):
        self.homeserver = homeserver
        self.server_name = server_name
        self.secret_path = registration_secret_path
        self.path = os.path.join(state_directory, "admin.json")
        self.user = user_id(ADMIN_LOCALPART, server_name)

    def open(self, may_create):
        """Leaves a working admin token in the homeserver connection. Raises NoCredential, Refused, Unavailable."""
        credential = self._load()
        if self._kept_token_works(credential) or self._log_in(credential):
            return
        if not may_create:
            raise NoCredential(f"{self.user} has not been made on this host yet")
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
            # No longer an admin. Registering anew finds the name taken and takes the account back.
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
            raise Refused(f"the homeserver's rate limit for log-ins refuses {self.user} for {seconds} s more; run again then")
        if status == 403:
            return False
        if status != 200:
            raise Refused(f"the homeserver refused the log-in of {self.user}: {describe(status, answer)}")
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
            raise Refused(f"the credential of {self.user} could not be made anew: {describe(status, answer)}")
        helper_id = user_id(helper, self.server_name)
        self.homeserver.call("POST", user_path("v1/deactivate", helper_id), {"erase": True})

    def _register(self, localpart, password):
        """Registration with the shared secret; the secret itself never leaves the host, only the HMAC does."""
        try:
            with open(self.secret_path, encoding="utf-8") as file:
                shared_secret = file.read().strip()
        except OSError as error:
            raise Refused(f"registration secret {self.secret_path}: {error.strerror}; is the homeserver's release applied?") from error
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
                f"the homeserver does not accept the registration secret in {self.secret_path}: "
                "it runs with another one; restart it, so that it reads the file"
            )
        return status, reply
