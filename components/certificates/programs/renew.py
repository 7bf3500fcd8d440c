"""
Gets a certificate when there is none for these names, and renews it when a third of its lifetime is left. A try that fails changes nothing:
the certificate stays. Says in a line what it did; status 1: it failed.

Usage: renew.py SETTINGS DATA, as root, started by a timer and by `pulumi up`. SETTINGS: JSON with `directory`, `names`, `keyType`, and if
there are, `email` and `authorities` (a PEM file).
"""

import json
import os
import sys
import time

import names
import pair
import versions
from client import Client
from fault import Fault, one_line


def why(held, about, settings, now):
    """Why a new certificate is needed; None: it is not."""
    if held is None:
        return "there is no certificate"
    for key in ("names", "keyType", "directory"):
        if about.get(key) != settings[key]:
            return f"the stack file has another value for {key}"
    return "a third of its lifetime is left" if pair.is_due(held.start, held.end, now) else None


def renew(settings, data):
    """What was done, in a line. @raises Fault"""
    os.umask(0o022)
    held, about = versions.current(data)
    reason = why(held, about, settings, time.time())
    client = Client(settings, data)
    if reason is None and not client.asks_authority():
        return f"nothing to do: valid until {day(held.end)}"
    # A run that was cut off between the client and here has left one.
    if not is_left(client.obtained(), held, settings):
        with names.answering(client.challenge):
            if reason is not None:
                names.check(settings["names"], client.challenge)
            client.obtain(due=reason is not None)
    found = client.obtained()
    if not is_other(found, held, settings):
        if reason is None:
            return f"nothing to do, says the authority: valid until {day(held.end)}"
        raise Fault("certbot ended well, but has no new certificate for these names", f"look at {client.folder}/logs/letsencrypt.log")
    versions.install(data, found, {key: settings[key] for key in ("names", "keyType", "directory")})
    return f"new certificate for {', '.join(settings['names'])}, valid until {day(found.end)} ({reason or 'the authority asked for it'})"


def is_other(found, held, settings):
    """Whether the client has another pair than the one that is held, for all names."""
    other = found is not None and (held is None or found.fingerprint != held.fingerprint)
    return other and found.covers(settings["names"])


def is_left(found, held, settings):
    """Whether it is worth using without a question to the authority."""
    return is_other(found, held, settings) and not pair.is_due(found.start, found.end, time.time())


def day(seconds):
    return time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(seconds))


def main():
    settings_file, data = sys.argv[1:]
    with open(settings_file, encoding="utf-8") as file:
        settings = json.load(file)
    try:
        print(renew(settings, data), flush=True)
    except Fault as fault:
        reason = one_line(f"{fault}{f'; fix: {fault.fix}' if fault.fix else ''}")
        print(reason, flush=True)
        versions.record(data, reason)
        return 1
    versions.record(data, None)
    return 0


if __name__ == "__main__":
    sys.exit(main())
