"""What only the host itself can see of its homeserver: `verify.py DIR` reads DIR/request.json, prints one JSON answer.

Request: homeserverUrl, serverName, publicHost, registrationSecretPath, maxUploadBytes, database {name, role},
mediaPath, logFile; optional: stateDirectory, proxyAddress ([address, port], by default this host's own 127.0.0.1:443).

Answer: {admin, upload, forwardedAddress, destinations, database, media, log}: facts, one object for each question; `error`
in one of them says why it has no answer. Nothing is judged here, and nothing stays behind.
"""

import concurrent.futures
import contextlib
import http.client
import json
import os
import secrets
import socket
import ssl
import subprocess
import sys
import time
import urllib.parse

from federation_log import observe_log
from homeserver import STATE_DIRECTORY, AdminSession, Homeserver, NoCredential, Refused, Unavailable, describe, locked

UPLOAD_TIMEOUT = 60.0


class ProxyConnection(http.client.HTTPSConnection):
    """HTTPS to this host's own proxy: the public name in SNI and Host, loopback as the address."""

    def __init__(self, address, public_host, timeout):
        # Whether the chain is trusted is judged from outside; on loopback there is nobody to impersonate the proxy.
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        super().__init__(public_host, timeout=timeout, context=context)
        self._address = address

    def connect(self):
        plain = socket.create_connection(self._address, timeout=self.timeout)
        self.sock = self._context.wrap_socket(plain, server_hostname=self.host)


class HungUp(ConnectionError):
    """The proxy closed the connection in the middle of a request, and its answer, if there was one, is lost."""


def through_proxy(request, token, method, path, headers=None, body=None, timeout=10.0):
    """Status and decoded JSON of a request through the proxy, as Hearth's admin account."""
    address = tuple(request.get("proxyAddress", ("127.0.0.1", 443)))
    connection = ProxyConnection(address, request["publicHost"], timeout)
    try:
        connection.connect()
        headers = {"Authorization": f"Bearer {token}", **(headers or {})}
        status, text = exchange(connection, method, path, headers, body)
    finally:
        connection.close()
    try:
        answer = json.loads(text)
    except ValueError:
        answer = {}
    return status, answer if isinstance(answer, dict) else {}


def exchange(connection, method, path, headers, body):
    """A proxy that does not want a body answers and hangs up while it is being sent; often its answer can still be read."""
    lost = (ConnectionError, ssl.SSLError, http.client.HTTPException)
    try:
        with contextlib.suppress(ConnectionError, ssl.SSLError):
            connection.request(method, path, body=body, headers=headers)
        response = connection.getresponse()
        return response.status, response.read()
    except lost as error:
        raise HungUp(str(error) or type(error).__name__) from error


def zeros(count):
    block = bytes(64 * 1024)
    while count > 0:
        yield block[:count]
        count -= len(block)


def observe_upload(request, token):
    """Uploads a body of exactly the limit, then removes it."""
    size = request["maxUploadBytes"]
    headers = {"Content-Type": "application/octet-stream", "Content-Length": str(size)}
    path = "/_matrix/media/v3/upload?filename=hearth-verify"
    try:
        status, answer = through_proxy(request, token, "POST", path, headers, zeros(size), UPLOAD_TIMEOUT)
    except HungUp as error:
        return {"bytes": size, "hungUp": str(error), "removed": None}
    seen = {"bytes": size, "status": status, "message": answer.get("error"), "removed": None}
    uri = answer.get("content_uri", "")
    if status == 200 and uri.startswith("mxc://"):
        server, media_id = uri.removeprefix("mxc://").split("/", 1)
        direct = Homeserver(request["homeserverUrl"])
        direct.token = token
        quoted = "/".join(urllib.parse.quote(part, safe="") for part in (server, media_id))
        removed, reply = direct.call("DELETE", f"/_synapse/admin/v1/media/{quoted}")
        seen["removed"] = "yes" if removed == 200 else describe(removed, reply)
    return seen


def observe_forwarded_address(request, token):
    """Claims to come from a made-up address of the documentation range; then asks Synapse which addresses it saw."""
    forged = f"2001:db8::{secrets.token_hex(2)}:{secrets.token_hex(2)}"
    headers = {"X-Forwarded-For": forged, "User-Agent": "hearth-verify"}
    status, answer = through_proxy(request, token, "GET", "/_matrix/client/v3/account/whoami", headers)
    if status != 200:
        return {"error": f"the proxy answered {describe(status, answer)} to a request with a forged address"}
    direct = Homeserver(request["homeserverUrl"])
    direct.token = token
    user = urllib.parse.quote(answer["user_id"], safe="")
    for attempt in range(2):
        # Synapse writes addresses in batches; for a moment the newest are neither in memory nor in the database.
        time.sleep(0.5 * attempt)
        status, answer = direct.call("GET", f"/_synapse/admin/v1/whois/{user}")
        if status != 200:
            return {"error": f"whois answered {describe(status, answer)}"}
        sessions = [session for device in answer["devices"].values() for session in device["sessions"]]
        seen = sorted((c["last_seen"] or 0, c["ip"]) for s in sessions for c in s["connections"])
        # Compared as addresses: one may be written in more than one way.
        if any(_address_bytes(address) == _address_bytes(forged) for _, address in seen):
            return {"forged": forged, "believed": True}
    return {"forged": forged, "believed": False, "seen": [address for _, address in seen[-1:]]}


def _address_bytes(text):
    for family in (socket.AF_INET, socket.AF_INET6):
        try:
            return socket.inet_pton(family, text)
        except OSError:
            continue
    return text


def observe_database(request):
    """Connections of Synapse's role, as Postgres counts them, and SQLite files that a Synapse process holds open."""
    query = (
        "select count(*) from pg_stat_activity where datname = :'database' and usename = :'role';\n"
        "select current_setting('max_connections');\n"
    )
    database = request["database"]
    argv = ["runuser", "-u", "postgres", "--", "psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-d", "postgres"]
    argv += ["-v", f"database={database['name']}", "-v", f"role={database['role']}"]
    seen = {"sqlite": open_sqlite_files()}
    try:
        done = subprocess.run(argv, input=query, capture_output=True, text=True, timeout=10, check=False, cwd="/")
    except (OSError, subprocess.TimeoutExpired) as error:
        return {**seen, "error": str(error)}
    if done.returncode != 0:
        return {**seen, "error": (done.stderr.strip().splitlines() or ["psql failed"])[-1]}
    connections, available = done.stdout.split()
    return {**seen, "connections": int(connections), "available": int(available)}


def open_sqlite_files():
    found = set()
    for process in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{process}/cmdline", "rb") as file:
                if b"synapse.app" not in file.read():
                    continue
            links = [os.readlink(f"/proc/{process}/fd/{fd}") for fd in os.listdir(f"/proc/{process}/fd")]
        except OSError:
            continue
        found.update(link for link in links if link.endswith((".db", ".sqlite", ".sqlite3")))
    return sorted(found)


def observe_media(request):
    """Disk blocks below the media directory, and what its file system has left."""
    path = request["mediaPath"]
    try:
        space = os.statvfs(path)
    except OSError as error:
        return {"error": f"{path}: {error.strerror}"}
    used, pending = 0, [path]
    while pending:
        try:
            with os.scandir(pending.pop()) as entries:
                for entry in entries:
                    used += entry.stat(follow_symlinks=False).st_blocks * 512
                    if entry.is_dir(follow_symlinks=False):
                        pending.append(entry.path)
        except FileNotFoundError:
            continue
    return {"used": used, "free": space.f_bavail * space.f_frsize, "size": space.f_blocks * space.f_frsize}


def observe_destinations(request, token):
    """How many other servers are known, and which of them cannot be reached now."""
    direct = Homeserver(request["homeserverUrl"])
    direct.token = token
    status, answer = direct.call("GET", "/_synapse/admin/v1/federation/destinations?limit=1000")
    if status != 200:
        return {"error": describe(status, answer)}
    failing = [entry["destination"] for entry in answer["destinations"] if entry["failure_ts"]]
    return {"known": answer["total"], "failing": len(failing), "names": failing[:5]}


def admin_token(request):
    state_directory = request.get("stateDirectory", STATE_DIRECTORY)
    with locked(state_directory):
        homeserver = Homeserver(request["homeserverUrl"])
        session = AdminSession(homeserver, request["serverName"], request["registrationSecretPath"], state_directory)
        session.open(may_create=True)
        return homeserver.token


def guarded(function, *arguments):
    """One question without an answer leaves the others theirs."""
    try:
        return function(*arguments)
    except (OSError, http.client.HTTPException, Unavailable) as error:
        return {"error": str(error) or type(error).__name__}


def run(request):
    questions = {
        "database": (observe_database, request),
        "media": (observe_media, request),
        "log": (observe_log, request),
    }
    observations = {}
    try:
        token = admin_token(request)
    except (Unavailable, Refused, NoCredential) as error:
        observations["admin"] = {"error": str(error)}
    else:
        observations["admin"] = {}
        questions["upload"] = (observe_upload, request, token)
        questions["forwardedAddress"] = (observe_forwarded_address, request, token)
        questions["destinations"] = (observe_destinations, request, token)
    with concurrent.futures.ThreadPoolExecutor(len(questions)) as pool:
        running = {name: pool.submit(guarded, *question) for name, question in questions.items()}
    return observations | {name: future.result() for name, future in running.items()}


def main(directory):
    with open(os.path.join(directory, "request.json"), encoding="utf-8") as file:
        request = json.load(file)
    json.dump(run(request), sys.stdout)
    sys.stdout.write("\n")


if __name__ == "__main__":
    main(sys.argv[1])
