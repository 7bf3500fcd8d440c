"""Check that the staged configuration can listen where it wants to: the addresses are there, and no other program holds a port.

Usage, as root: <Synapse's python> check_ports.py UNIT CONFIG...
Sockets of UNIT itself do not count: it gives them up when it restarts.
Exit status: 0 when all ports are free or ours, 1 with one line on standard error for each that is not.
"""

import errno
import ipaddress
import os
import re
import socket
import sys
from pathlib import Path

import yaml
from synapse.config._base import find_config_files

LISTENING = "0A"


def wanted(paths):
    """(address, port) of every TCP listener; a later file replaces the whole block, as in Synapse."""
    listeners = []
    for path in find_config_files(paths):
        with open(path, encoding="utf-8") as file:
            listeners = (yaml.safe_load(file) or {}).get("listeners", listeners)
    for listener in listeners:
        if "port" in listener:
            for address in listener.get("bind_addresses") or [listener.get("bind_address", "::")]:
                yield ipaddress.ip_address(address or "::"), int(listener["port"])


def from_kernel(text):
    """The kernel prints addresses as 32-bit words in the machine's own order."""
    words = [bytes.fromhex(text[i : i + 8]) for i in range(0, len(text), 8)]
    return ipaddress.ip_address(b"".join(word[::-1] if sys.byteorder == "little" else word for word in words))


def listening():
    """(address, port, inode) of every listening TCP socket."""
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        if not os.path.exists(table):
            continue
        for line in Path(table).read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == LISTENING:
                address, port = fields[1].split(":")
                yield from_kernel(address), int(port, 16), fields[9]


def overlap(ours, theirs):
    same_family = ours.version == theirs.version
    return (same_family and (ours == theirs or ours.is_unspecified)) or theirs.is_unspecified


def holder(inode):
    """(pid, name, control group) of a process that holds a socket."""
    for link in Path("/proc").glob("[0-9]*/fd/*"):
        try:
            if os.readlink(link) == f"socket:[{inode}]":
                process = link.parent.parent
                return process.name, (process / "comm").read_text().strip(), (process / "cgroup").read_text()
        except OSError:
            continue  # It ended while we looked.
    return "?", "a program of another namespace", ""


def missing(address):
    """Why nothing can listen on an address of this host, or nothing: any port tells."""
    family = socket.AF_INET6 if address.version == 6 else socket.AF_INET
    try:
        with socket.socket(family) as attempt:
            attempt.bind((str(address), 0))
    except OSError as error:
        off = address.version == 6 and error.errno in (errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL)
        return "IPv6 is switched off on this host" if off else error.strerror
    return None


def faults(unit, paths):
    held = list(listening())
    for address, port in wanted(paths):
        why = missing(address)
        if why is not None:
            yield f"nothing can listen on {address}: {why}. Remove it from hearth:homeserver.listener.bindAddresses"
            continue
        for other, other_port, inode in held:
            if port != other_port or not overlap(address, other):
                continue
            pid, name, group = holder(inode)
            if not re.search(rf"/{re.escape(unit)}(/|$)", group, re.MULTILINE):
                yield f"port {port} on {address} is held by {name} (pid {pid}): stop it, or choose another hearth:homeserver.listener.port"
                break


def main():
    found = list(faults(sys.argv[1], sys.argv[2:]))
    for fault in found:
        print(fault, file=sys.stderr)
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
