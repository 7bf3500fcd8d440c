"""What Hearth's jobs share: their own login at the homeserver while they run, and a log for people.

Runs in a container next to the homeserver, with Python 3.11 or newer and only its standard library.
"""

import argparse
import contextlib
import datetime
import fcntl
import http.client
import json
import os
import re
import signal
import socket
import sys
import time
import urllib.parse

# The homeserver may have been started just before.
LONGEST_START = 300.0
# A rate limit is waited out up to this, seconds; a longer one ends the run, and the timer comes again.
LONGEST_WAIT = 900.0
LOG_BYTES = 512 * 1024
# What a proxy says: a unix socket has no address, and Synapse does not log anybody in without one.
FROM_HERE = {"X-Forwarded-For": "127.0.0.1", "X-Forwarded-Proto": "https"}


class Failed(Exception):
    """The job cannot go on; the text says why, and what to do."""


# What a terminal obeys instead of showing it, and what cannot be written as UTF-8: names and IDs are whatever others chose.
HIDDEN = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")
SHORT = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}


def visible(text):
    """A text of one line with everything in it made visible: no name can erase or forge lines."""
    return HIDDEN.sub(lambda found: SHORT.get(found[0], f"\\u{ord(found[0]):04x}"), str(text))


class SocketConnection(http.client.HTTPConnection):
    """HTTP over the homeserver's unix socket."""

    def __init__(self, path, timeout):
        super().__init__("localhost", timeout=timeout)
        self._path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


class Server:
    """One kept-alive connection to the homeserver, with an access token once there is one."""

    def __init__(self, path, token=None, timeout=120.0):
        self.path = path
        self.token = token
        self._connection = SocketConnection(path, timeout)

    def call(self, method, path, body=None, **query):
        """Status and JSON of one request; a rate limit is waited out. Raises Failed when there is no answer."""
        target = f"{path}?{urllib.parse.urlencode(query)}" if query else path
        deadline = time.monotonic() + LONGEST_WAIT
        while True:
            status, answer = self._send(method, target, body)
            if status != 429:
                return status, answer
            wait = answer.get("retry_after_ms", 1000) / 1000 + 0.05
            if time.monotonic() + wait > deadline:
                return status, answer
            time.sleep(wait)

    def get(self, path, **query):
        """The answer of a request that must succeed."""
        return self.expect("GET", path, **query)

    def expect(self, method, path, body=None, **query):
        status, answer = self.call(method, path, body, **query)
        if status != 200:
            raise Failed(f"the homeserver answered {describe(status, answer)} to {method} {path}")
        return answer

    def _send(self, method, target, body):
        headers = {"User-Agent": "hearth", **FROM_HERE}
        if self.token is not None:
            headers["Authorization"] = f"Bearer {self.token}"
        data = None if body is None else json.dumps(body).encode()
        if data is not None:
            headers["Content-Type"] = "application/json"
        try:
            self._connection.request(method, target, body=data, headers=headers)
            response = self._connection.getresponse()
            text = response.read()
        except (OSError, http.client.HTTPException) as error:
            self._connection.close()
            raise Failed(f"the homeserver does not answer on {self.path}: {error or type(error).__name__}") from error
        try:
            decoded = json.loads(text)
        except ValueError:
            decoded = {}
        return response.status, decoded


def describe(status, answer):
    """An error answer in a few words."""
    return f"{status} {answer.get('errcode', '')} {answer.get('error', '')}".strip()


def quoted(part):
    """One part of a path, completely percent-encoded."""
    return urllib.parse.quote(part, safe="")


def await_start(path):
    """Returns as soon as the homeserver answers; just after a boot it takes its time."""
    deadline = time.monotonic() + LONGEST_START
    while True:
        try:
            status, _ = Server(path, timeout=5.0).call("GET", "/health")
            problem = f"it says {status}"
        except Failed as error:
            status, problem = None, str(error)
        if status == 200:
            return
        if time.monotonic() > deadline:
            raise Failed(f"the homeserver did not start within {LONGEST_START:.0f} s: {problem}")
        time.sleep(0.5)


@contextlib.contextmanager
def logged_in(options, device):
    """A server connection with a token that lives as long as the block; `device` is the job's own and always the same."""
    await_start(options.socket)
    server = Server(options.socket)
    try:
        with open(options.password_file, encoding="utf-8") as file:
            password = file.read().strip()
    except OSError as error:
        raise Failed(f"the password of {options.user}: {error.strerror} ({options.password_file})") from error
    status, answer = server.call(
        "POST",
        "/_matrix/client/v3/login",
        {
            "type": "m.login.password",
            "identifier": {"type": "m.id.user", "user": options.user},
            "password": password,
            "device_id": device,
            "initial_device_display_name": "Hearth",
        },
    )
    if status == 403:
        raise Failed(f"the homeserver refuses the password of {options.user}; was it changed by hand? {describe(status, answer)}")
    if status != 200:
        raise Failed(f"the login of {options.user} failed: {describe(status, answer)}")
    server.token, server.user = answer["access_token"], answer["user_id"]
    try:
        yield server
    finally:
        # Through a connection of its own: the other may be in the middle of an answer.
        Server(options.socket, server.token, timeout=30.0).call("POST", "/_matrix/client/v3/logout", {})


class Log:
    """Lines for the journal and for a file of bounded size; one older file is kept."""

    def __init__(self, folder):
        self.path = os.path.join(folder, "log")
        with contextlib.suppress(FileNotFoundError):
            if os.path.getsize(self.path) > LOG_BYTES:
                os.replace(self.path, f"{self.path}.1")

    def __call__(self, text):
        text = visible(text)
        print(text, flush=True)
        with open(self.path, "a", encoding="utf-8") as file:
            file.write(f"{stamp(time.time())} {text}\n")


def stamp(seconds):
    return datetime.datetime.fromtimestamp(seconds, datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def write_whole(path, text):
    """Writes a file whole or not at all."""
    temporary = f"{path}.new"
    with open(temporary, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    os.replace(temporary, path)


@contextlib.contextmanager
def alone(folder):
    """Jobs that keep their records in one folder run one after the other."""
    descriptor = os.open(os.path.join(folder, "lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def arguments(description):
    """The arguments that every job has."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--socket", required=True, help="path of the homeserver's unix socket")
    parser.add_argument("--user", required=True, help="local part of the job's own account")
    parser.add_argument("--password-file", required=True)
    parser.add_argument("--folder", required=True, help="where the job keeps its log and its records")
    return parser


def run(job):
    """Ends the process with what the job returns (None: well); as the first process of a container it must end when asked."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended before it was done: asked to stop"))
    try:
        sys.exit(job())
    except Failed as error:
        sys.exit(visible(error))
