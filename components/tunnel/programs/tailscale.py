"""What Hearth's programs for Tailscale share: asking the daemon through its own client, and how to end with a reason.

Not run by itself. Python's standard library only; works as root and as Tailscale's operator.
"""

import getpass
import json
import os
import shlex
import subprocess
import sys
import time

PROGRAM = "tailscale"
UNIT = "tailscaled.service"
VENDOR = "https://controlplane.tailscale.com"
# Older settings name the vendor's server so; they mean the same.
SYNONYMS = {"https://login.tailscale.com": VENDOR, "": VENDOR}


class Unanswered(Exception):
    """The daemon's client is missing or finds no daemon; the text says which."""


def die(text):
    sys.exit(f"{os.path.basename(sys.argv[0])}: {text}")


def one_line(text):
    return " ".join(text.split())


def as_root():
    return os.geteuid() == 0


def root_command(command):
    """How to run a command as root from here."""
    return command if as_root() else f"sudo {command}"


def tailscale(*words, seconds=60):
    """Runs the client. Status 124, with what it said until then, when it waited longer than that."""
    try:
        run = subprocess.run(
            [PROGRAM, *words], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            timeout=seconds, check=False,
        )
    except FileNotFoundError:
        raise Unanswered("tailscale is not installed") from None
    except subprocess.TimeoutExpired as error:
        said = error.stdout or b""
        return subprocess.CompletedProcess(words, 124, said if isinstance(said, str) else said.decode(errors="replace"))
    return run


def read_json(*words):
    run = tailscale(*words)
    if run.returncode != 0:
        raise Unanswered("tailscaled does not answer" if "connect" in run.stdout else one_line(run.stdout))
    return json.loads(run.stdout)


def read_status():
    return read_json("status", "--json", "--peers=false")


def read_preferences():
    return read_json("debug", "prefs")


def self_of(status):
    return status.get("Self") or {}


def name_of(status):
    """The node's DNS name in its tailnet; empty before it has one."""
    return self_of(status).get("DNSName", "").rstrip(".")


def normal_url(url):
    url = url.rstrip("/")
    return SYNONYMS.get(url, url)


def wait_for(seconds, found):
    """Asks again until `found` gives something, or the time is over; the last answer."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            answer = found()
        except Unanswered:
            answer = None
        if answer or time.monotonic() > deadline:
            return answer
        time.sleep(0.2)


def refuse_stranger(said):
    """Ends when the daemon takes no orders from this user."""
    if "denied" in said.lower():
        user = getpass.getuser()
        die(
            f"Tailscale takes no orders from user {user}: {one_line(said)} As root, once: tailscale set --operator={shlex.quote(user)}"
        )
