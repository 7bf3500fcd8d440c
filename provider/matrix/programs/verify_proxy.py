"""What requests through this host's own proxy show: the limit on uploads, and whose word about addresses counts.

With verify.py, whose request this is about. Nothing is judged here, and nothing stays behind.
"""

import contextlib
import http.client
import json
import secrets
import socket
import ssl
import time
import urllib.parse

from homeserver import Homeserver, describe

UPLOAD_TIMEOUT = 60.0


class ProxyConnection(http.client.HTTPConnection):
    """HTTP or HTTPS to this host's own proxy: the public name in SNI and Host, the proxy's own address to connect to."""

    def __init__(self, proxy_url, public_host, timeout):
        super().__init__(public_host, timeout=timeout)
        self._proxy = urllib.parse.urlsplit(proxy_url)

    def connect(self):
        self.sock = socket.create_connection((self._proxy.hostname, self._proxy.port), timeout=self.timeout)
        if self._proxy.scheme == "https":
            # Whether the chain is trusted is judged from outside; on this host there is nobody to impersonate the proxy.
            context = ssl.create_default_context()
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
            self.sock = context.wrap_socket(self.sock, server_hostname=self.host)


class HungUp(ConnectionError):
    """The proxy closed the connection in the middle of a request, and its answer, if there was one, is lost."""


def through_proxy(request, token, method, path, headers=None, body=None, timeout=10.0):
    """Status and decoded JSON of a request through the proxy, as Hearth's admin account when there is a token."""
    connection = ProxyConnection(request["proxyUrl"], request["publicHost"], timeout)
    try:
        connection.connect()
        authorization = {} if token is None else {"Authorization": f"Bearer {token}"}
        headers = {**authorization, **(headers or {})}
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


def observe_above_limit(request):
    """Sends one byte more than the limit to a proxy behind a tunnel, without any right: it refuses before that counts.

    From outside the tunnel's own end would ask for the body before the proxy has seen a byte of it.
    """
    size = request["maxUploadBytes"] + 1
    headers = {"Content-Type": "application/octet-stream", "Content-Length": str(size)}
    path = "/_matrix/media/v3/upload"
    try:
        status, _ = through_proxy(request, None, "POST", path, headers, zeros(size), UPLOAD_TIMEOUT)
    except HungUp as error:
        return {"hungUp": str(error)}
    return {"status": status}


def observe_forwarded_address(request, token):
    """Claims to come from a made-up address of the documentation range; then asks Synapse which addresses it saw."""
    if request["proxyUrl"].startswith("http://"):
        return {"behindTunnel": True}
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
