"""A certificate and its key as files: what they say, and whether they belong together. openssl reads them."""

import os
import ssl
import subprocess

CERTIFICATE = "fullchain.pem"
KEY = "privkey.pem"


class Pair:
    """The certificate with its chain, and the key, in one folder."""

    def __init__(self, folder):
        self.folder = folder
        self.certificate = os.path.join(folder, CERTIFICATE)
        self.key = os.path.join(folder, KEY)
        said = openssl("x509", "-in", self.certificate, "-noout", "-dates", "-fingerprint", "-sha256")
        values = dict(line.split("=", 1) for line in said.splitlines() if "=" in line)
        self.start = ssl.cert_time_to_seconds(values["notBefore"])
        self.end = ssl.cert_time_to_seconds(values["notAfter"])
        self.fingerprint = values["sha256 Fingerprint"].replace(":", "").lower()

    def matches(self):
        return openssl("x509", "-in", self.certificate, "-noout", "-pubkey") == openssl("pkey", "-in", self.key, "-pubout")

    def covers(self, names):
        return all(
            "does match certificate" in openssl("x509", "-in", self.certificate, "-noout", "-checkhost", name)
            for name in names
        )


def openssl(*words):
    done = subprocess.run(["openssl", *words], capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    if done.returncode != 0:
        raise ValueError(f"openssl {words[0]} {words[2]}: {done.stderr.strip()}")
    return done.stdout


def read(folder):
    """The pair in a folder; None: there is none that can be used."""
    try:
        pair = Pair(folder)
        return pair if pair.matches() else None
    except (OSError, ValueError, KeyError):
        return None


def is_due(start, end, now):
    """Whether a third of the lifetime or less is left: right for certificates of 6 days and of a year, with two tries a day."""
    return now >= end - (end - start) / 3
