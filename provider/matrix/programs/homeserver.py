"""The homeserver's API on its unix socket, and what of this host is needed to speak to it.

Runs on the host as root (scope `system`) or as the login user (scope `user`), with Python 3.11 or newer and nothing but its
standard library.
"""

import http.client
import json
import os
import socket
import stat
import struct
import subprocess
import time
import urllib.parse

STATE_DIRECTORIES = {"system": "/var/lib/hearth", "user": "~/.local/state/hearth"}
UNIX_SOCKET = "unix:"
PODMAN_SECRET = "podman:"
PODMAN_TIMEOUT = 30.0
ADMIN_LOCALPART = "hearth"
# What a proxy says: a unix socket has no address, and Synapse does not log anybody in without one.
FROM_HERE = {"X-Forwarded-For": "127.0.0.1", "X-Forwarded-Proto": "https"}
# Longer waits than this are the operator's to decide about, seconds.
LONGEST_RATE_LIMIT_WAIT = 5.0


class Unavailable(Exception):
    """The homeserver does not answer: nothing is known about its accounts."""


class Refused(Exception):
    """The homeserver or the host's state does not allow it; the text says what to do."""


class NoCredential(Exception):
    """Hearth's admin account is not there (yet), and making it was not asked for."""


class SocketConnection(http.client.HTTPConnection):
    """HTTP over a unix socket, with nobody but the user whose socket it is."""

    def __init__(self, path, timeout):
        super().__init__("localhost", timeout=timeout)
        self._path = path

    def connect(self):
        seen = os.lstat(self._path)
        if not stat.S_ISSOCK(seen.st_mode):
            raise ConnectionError(f"{self._path} is not a socket")
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)
        _, listener, _ = struct.unpack("3i", self.sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
        # A user who may write in its folder could put another program's socket there, and we are about to send a credential.
        if listener != seen.st_uid or listener != os.lstat(os.path.dirname(self._path)).st_uid:
            raise ConnectionError(f"another user (uid {listener}) listens there")


class Homeserver:
    """One kept-alive connection to a homeserver's unix socket, with an access token once there is one."""

    def __init__(self, base_url, timeout=15.0):
        if not base_url.startswith(UNIX_SOCKET):
            # A state of before. Any user may listen on a port, and would be sent a credential.
            raise Unavailable(f"{base_url} is how earlier versions reached the homeserver; pulumi up moves it to a unix socket")
        self.base_url = base_url
        self.token = None
        self._timeout = timeout
        self._deadline = None
        self._connection = SocketConnection(base_url.removeprefix(UNIX_SOCKET), timeout)

    def end_after(self, seconds):
        """From now on all requests together take no longer; one that would raises Unavailable."""
        self._budget = seconds
        self._deadline = time.monotonic() + seconds

    def call(self, method, path, body=None):
        """Status and decoded JSON of one request. Waits out a short rate limit. Raises Unavailable."""
        for attempt in range(3):
            status, answer = self._send(method, path, body)
            wait = answer.get("retry_after_ms", 1000) / 1000
            if status != 429 or attempt == 2 or wait > LONGEST_RATE_LIMIT_WAIT:
                return status, answer
            time.sleep(wait + 0.05)
        raise AssertionError("unreachable")

    def upload(self, content_type, content):
        """Uploads a file and returns its mxc URI. Raises Refused, Unavailable."""
        status, answer = self._request("POST", "/_matrix/media/v3/upload", content, content_type)
        if status != 200:
            raise Refused(f"the homeserver refused an upload of {len(content)} bytes: {describe(status, answer)}")
        return answer["content_uri"]

    def _send(self, method, path, body):
        data = None if body is None else json.dumps(body).encode()
        return self._request(method, path, data, "application/json")

    def _request(self, method, path, data, content_type):
        headers = {"User-Agent": "hearth", **FROM_HERE}
        if self.token is not None:
            headers["Authorization"] = f"Bearer {self.token}"
        if data is not None:
            headers["Content-Type"] = content_type
        try:
            self._limit_request()
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

    def _limit_request(self):
        if self._deadline is None:
            return
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise Unavailable(f"the homeserver is slow: {self._budget:.0f} s were not enough to look at everything")
        self._connection.timeout = min(self._timeout, left)
        if self._connection.sock is not None:
            self._connection.sock.settimeout(self._connection.timeout)


def state_directory(request):
    """Where Hearth keeps its records in the request's scope. Tests name another directory."""
    named = request.get("stateDirectory") or STATE_DIRECTORIES[request["scope"]]
    return os.path.expanduser(named)


def read_secret(source):
    """A secret of this host: the content of a file, or of a Podman secret of this user (`podman:NAME`). Raises Refused."""
    try:
        if source.startswith(PODMAN_SECRET):
            return _podman_secret(source.removeprefix(PODMAN_SECRET))
        with open(source, encoding="utf-8") as file:
            return file.read().strip()
    except (OSError, subprocess.SubprocessError) as error:
        reason = getattr(error, "strerror", None) or (getattr(error, "stderr", None) or str(error)).strip()
        raise Refused(f"registration secret {source}: {reason}; is the homeserver's release applied?") from error


def _podman_secret(name):
    argv = ["podman", "secret", "inspect", "--showsecret", "--format", "{{.SecretData}}", name]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=PODMAN_TIMEOUT, check=True, env=user_environment())
    return done.stdout.strip()


def user_environment():
    """What rootless Podman needs to find its own; a login without a session of systemd's has not set it."""
    return {"XDG_RUNTIME_DIR": f"/run/user/{os.getuid()}", **os.environ}


def user_id(localpart, server_name):
    return f"@{localpart}:{server_name}"


def user_path(prefix, user, suffix=""):
    """A path of the admin API with a user ID in it, completely percent-encoded."""
    return f"/_synapse/admin/{prefix}/{urllib.parse.quote(user, safe='')}{suffix}"


def describe(status, answer):
    """An error answer in a few words, for a message."""
    return f"{status} {answer.get('errcode', '')} {answer.get('error', '')}".strip()


def write_private(path, text):
    """Writes a file that only its owner can read, whole or not at all, and on the disk when this returns."""
    temporary = f"{path}.{os.getpid()}.new"
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    os.replace(temporary, path)
    # Its name, too.
    folder = os.open(os.path.dirname(path) or ".", os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
