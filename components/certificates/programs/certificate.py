"""
The certificate of this host, for `pulumi up` and previews. Changes nothing, except `issue`.

Usage:
    certificate.py observe DATA   one line: what the certificate was asked for, or why there is none to use
    certificate.py publish DATA   one line: fingerprint, first and last second of its validity, `ok` or why the last renewal failed
    certificate.py renewal DATA   status 0, or 1 and why the last renewal failed, in a line
    certificate.py issue DATA UNIT PROXY   starts UNIT, which gets a certificate; PROXY is the unit of a proxy to reload before
"""

import subprocess
import sys
import time

import versions


def observe(data):
    held, about = versions.current(data)
    if held is None:
        return "none"
    if held.end < time.time():
        return f"expired on {stamp(held.end)}"
    try:
        return f"{', '.join(about['names'])}: {about['keyType']} from {about['directory']}"
    except KeyError:
        return "for other names"


def publish(data):
    held, _ = versions.current(data)
    if held is None:
        return None
    last = versions.last(data)
    verdict = f"failed {stamp(last['at'])} {last['reason']}" if last.get("reason") else "ok"
    return f"{held.fingerprint} {stamp(held.start)} {stamp(held.end)} {verdict}"


def renewal(data):
    """Why the last renewal failed, or None."""
    last = versions.last(data)
    return f"the renewal at {stamp(last['at'])} failed: {last['reason']}" if last.get("reason") else None


def stamp(seconds):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


def issue(data, unit, proxy):
    """The same unit that the timer starts, so that there is one way, and one log."""
    if subprocess.run(["systemctl", "is-active", "--quiet", proxy], check=False).returncode == 0:
        subprocess.run(["systemctl", "reload", proxy], check=True)
    if subprocess.run(["systemctl", "start", unit], check=False, stderr=subprocess.DEVNULL).returncode == 0:
        return None
    reason = versions.last(data).get("reason")
    return reason or f"{unit} failed: journalctl -u {unit}"


def main():
    verb, data, *more = sys.argv[1:]
    said = {"observe": observe, "publish": publish, "renewal": renewal, "issue": issue}[verb](data, *more)
    if said is not None:
        print(said)
    if said is not None and verb in ("renewal", "issue"):
        sys.exit(1)


if __name__ == "__main__":
    main()
