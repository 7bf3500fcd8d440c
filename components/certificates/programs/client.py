"""certbot as the ACME client: it gets one certificate and keeps its account; what it stores is below the folder `client`."""

import hashlib
import json
import os
import re
import shutil
import subprocess

import pair
from fault import Fault, one_line

CERTBOT = "certbot"
# From this version on it asks the authority when a certificate should be renewed (RFC 9773).
ASKS_SINCE = (4, 1)
SECONDS = 600
KEYS = {
    "ecdsa-p256": ["--key-type", "ecdsa", "--elliptic-curve", "secp256r1"],
    "ecdsa-p384": ["--key-type", "ecdsa", "--elliptic-curve", "secp384r1"],
    "rsa-2048": ["--key-type", "rsa", "--rsa-key-size", "2048"],
    "rsa-4096": ["--key-type", "rsa", "--rsa-key-size", "4096"],
}


class Client:
    def __init__(self, settings, data):
        self.settings = settings
        self.challenge = os.path.join(data, "challenge")
        self.folder = os.path.join(data, "client")
        wanted = json.dumps([settings["names"], settings["keyType"], settings["directory"]])
        # Other names are another certificate, so nothing of the old one is asked about.
        self.name = "hearth-" + hashlib.sha256(wanted.encode()).hexdigest()[:12]
        self.live = os.path.join(self.folder, "live", self.name)

    def obtained(self):
        """The pair that the client has; None: none that can be used."""
        return pair.read(self.live)

    def asks_authority(self):
        """Whether it can ask the authority for the time of the renewal."""
        found = re.search(r"(\d+)\.(\d+)", self.run(["--version"]).stdout)
        return found is not None and (int(found[1]), int(found[2])) >= ASKS_SINCE

    def obtain(self, due):
        """`due`: a new certificate, whatever the client thinks. @raises Fault"""
        self.forget_broken()
        settings = self.settings
        contact = ["--email", settings["email"]] if settings.get("email") else ["--register-unsafely-without-email"]
        done = self.run(
            [
                *["certonly", "--non-interactive", "--agree-tos", "--no-eff-email", *contact],
                *["--server", settings["directory"], "--cert-name", self.name, *KEYS[settings["keyType"]]],
                *["--config-dir", self.folder, "--work-dir", self.folder, "--logs-dir", os.path.join(self.folder, "logs")],
                *["--max-log-backups", "20", "--preferred-challenges", "http", "--webroot", "--webroot-path", self.challenge],
                "--force-renewal" if due else "--keep-until-expiring",
                *[word for name in settings["names"] for word in ("--domain", name)],
            ]
        )
        if done.returncode != 0:
            raise Fault(*told(done.stdout + done.stderr, settings, self.folder))

    def run(self, words):
        environment = dict(os.environ, PYTHONWARNINGS="ignore")
        if self.settings.get("authorities"):
            environment["REQUESTS_CA_BUNDLE"] = self.settings["authorities"]
        try:
            return subprocess.run(
                [CERTBOT, *words],
                capture_output=True, text=True, check=False, timeout=SECONDS, stdin=subprocess.DEVNULL, env=environment,
            )
        except FileNotFoundError:
            raise Fault("certbot is not installed", "run pulumi up") from None
        except subprocess.TimeoutExpired:
            raise Fault(f"certbot did not end within {SECONDS} s", "try again later") from None

    def forget_broken(self):
        """A power cut may leave half of what the client stores, with which it would refuse to work; the account stays."""
        settings = os.path.join(self.folder, "renewal", f"{self.name}.conf")
        whole = os.path.exists(settings) and os.path.getsize(settings) > 0 and self.obtained() is not None
        if not whole:
            for path in (self.live, os.path.join(self.folder, "archive", self.name)):
                shutil.rmtree(path, ignore_errors=True)
            if os.path.exists(settings):
                os.unlink(settings)


def told(said, settings, folder):
    """What went wrong, and what to do, from the client's words."""
    directory = settings["directory"]
    later = f"nothing must be done: the next try is in at most 12 hours; {folder}/logs/letsencrypt.log says more"
    if re.search(r"rateLimited|too many (?:certificates|failed|currently|new|requests)|too many requests", said, re.IGNORECASE):
        return f"the authority refuses more requests for now (rate limit): {detail(said)}", later
    failed = re.findall(r"Domain: (\S+)\s+Type:\s+(\S+)\s+Detail: (.*?)(?=\n\s*\n|\n\s*Domain:|\nHint:|\Z)", said, re.DOTALL)
    if failed:
        text = "; ".join(f"{name}: {one_line(why)} ({kind})" for name, kind, why in failed)
        return f"the authority could not check the names: {text}", "see that these names lead to this host, on port 80, from outside"
    if re.search(r"ConnectionError|ConnectTimeout|ReadTimeout|Max retries exceeded|NewConnectionError|NameResolutionError|Requesting \S+: ", said):
        return f"the authority does not answer: {directory}: {detail(said)}", later
    if re.search(r"CERTIFICATE_VERIFY_FAILED|SSLError", said):
        fix = "if it is a private authority, name its certificate in hearth:certificates.caFile"
        return f"the certificate of {directory} is not trusted: {detail(said)}", fix
    if re.search(r"accountDoesNotExist|Account is not valid|Account \S+ not found|account .*(?:deactivated|revoked)", said, re.IGNORECASE):
        return f"the authority does not know this host's account any more: {detail(said)}", f"remove {folder}/accounts, then try again"
    if re.search(r"rejectedIdentifier|unsupportedIdentifier|caa", said):
        return f"the authority refuses these names: {detail(said)}", "use names that it accepts, or another hearth:certificates.directory"
    return f"certbot failed: {detail(said)}", later


NOISE = re.compile(
    r"^(?:Saving debug log|Requesting a certificate|Renewing an existing|Account registered|Ask for help|Some challenges have failed|See the logfile|"
    r"An unexpected error occurred:|Certbot failed to authenticate|- - -|Plugins selected|Simulating|Traceback)"
)


def detail(said):
    """The client's own lines that say why."""
    lines = [line.strip() for line in said.splitlines()]
    kept = [line for line in lines if line and not NOISE.match(line)]
    return one_line(" ".join(kept))[:600] or "no reason given"
