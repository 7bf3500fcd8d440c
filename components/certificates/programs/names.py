"""
Do the names lead to this host? Asked before the authority is: it counts each of its own failed looks, and refuses more after a few. The
host asks for a file of its own over HTTP, at every address of every name, as the authority will.
"""

import http.client
import http.server
import ipaddress
import os
import secrets
import socket
import threading
from contextlib import contextmanager

from fault import Fault

PORT = 80
PATH = "/.well-known/acme-challenge/"
SECONDS = 5
POINT_HERE = "point the A and AAAA records of the name to this host, or remove the record that leads elsewhere"


class Files(http.server.SimpleHTTPRequestHandler):
    """Only what the authority asks for."""

    def do_GET(self):
        if self.path.startswith(PATH) and "/." not in self.path[len(PATH) :] and not self.path.endswith("/"):
            super().do_GET()
        else:
            self.send_error(404)

    do_HEAD = do_POST = do_GET

    def log_message(self, *_):
        pass


@contextmanager
def answering(folder):
    """Serves the folder on port 80 where nobody else does: before the proxy's first start, and while it is stopped."""
    servers = []
    for family, address in ((socket.AF_INET6, "::"), (socket.AF_INET, "0.0.0.0")):
        server = listener(family, address, folder)
        if server is not None:
            servers.append(server)
            threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield
    finally:
        for server in servers:
            server.shutdown()
            server.server_close()


def listener(family, address, folder):
    class Server(http.server.ThreadingHTTPServer):
        address_family = family

        def server_bind(self):
            if family == socket.AF_INET6:
                self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            # Without the look-up of the host's own name, which may take long.
            http.server.socketserver.TCPServer.server_bind(self)

    try:
        return Server((address, PORT), lambda *words: Files(*words, directory=folder))
    except OSError:
        # The proxy is there, or this host has no such protocol.
        return None


def check(names, folder):
    """@raises Fault with every name that does not lead here"""
    token = f"hearth-{secrets.token_hex(16)}"
    path = os.path.join(folder, PATH.strip("/"))
    os.makedirs(path, mode=0o755, exist_ok=True)
    file = os.path.join(path, token)
    with open(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644), "w", encoding="ascii") as text:
        os.fchmod(text.fileno(), 0o644)
        text.write(token)
    try:
        faults = [fault for name in names for fault in faults_of(name, token)]
    finally:
        os.unlink(file)
    if faults:
        raise Fault("; ".join(text for text, _ in faults), "; ".join(dict.fromkeys(fix for _, fix in faults)))


def faults_of(name, token):
    try:
        found = socket.getaddrinfo(name, PORT, type=socket.SOCK_STREAM)
    except socket.gaierror as error:
        if error.errno == socket.EAI_AGAIN:
            return [(f"DNS does not answer for {name}", "repair the resolver of this host, then try again")]
        return [(f"{name} has no address in DNS", "create an A record for it (and AAAA, if the host has IPv6)")]
    addresses = list(dict.fromkeys(address[0] for *_, address in found))
    return [fault for fault in (fault_at(name, address, token) for address in addresses) if fault is not None]


def fault_at(name, address, token):
    """What is wrong at one address; None: it is this host, or that cannot be told from here."""
    # This host's own table of names; the authority does not read that.
    if ipaddress.ip_address(address).is_loopback:
        return None
    connection = http.client.HTTPConnection(address, PORT, timeout=SECONDS)
    try:
        connection.request("GET", PATH + token, headers={"Host": name})
        answer = connection.getresponse()
        if answer.status == 200 and answer.read(len(token) + 1) == token.encode():
            return None
        return f"{name} leads to {address}, where another web server answers (status {answer.status})", POINT_HERE
    except (OSError, http.client.HTTPException) as error:
        if not answers_itself(address):
            return None
        fix = f"{POINT_HERE}; if it is this host's address, open port {PORT} in the firewalls in front of it"
        return f"{name} leads to {address}, which does not answer on port {PORT} ({words(error)})", fix
    finally:
        connection.close()


def answers_itself(address):
    """
    Whether this host would get an answer from that address if the address were its own. Behind a router that translates addresses a host
    often cannot reach its own public address, and a host without IPv6 reaches none.
    """
    target = ipaddress.ip_address(address)
    family = socket.AF_INET6 if target.version == 6 else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect((address, PORT))
            own = ipaddress.ip_address(probe.getsockname()[0])
    except OSError:
        return False
    return own.is_global or not target.is_global


def words(error):
    if isinstance(error, TimeoutError):
        return "no answer"
    return error.strerror if isinstance(error, OSError) and error.strerror else type(error).__name__
