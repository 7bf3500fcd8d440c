"""restic on one repository. Every failure becomes one message that says what is wrong at the target, and the fix.

Credentials reach restic in files of a private folder, never as arguments or environment.
"""

import json
import os
import pathlib
import re
import signal
import subprocess
import urllib.parse

from settings import Fault

# How long the first contact may take: restic itself tries for 15 minutes.
CONTACT_SECONDS = 45
# The copy of the password has no secret of its own: age protects it. restic wants a password for each repository.
OPEN_PASSWORD = "open"

NO_REPOSITORY = 10
NO_LOCK = 11
OTHER_PASSWORD = 12
# Releases before 0.17 end with 1 in every case and say it in words.
STATUS_WORDS = {
    NO_REPOSITORY: re.compile(r"Is there a repository at the following location|repository does not exist"),
    NO_LOCK: re.compile(r"unable to create lock|already locked"),
    OTHER_PASSWORD: re.compile(r"wrong password or no key found"),
}
# In this order: the first that matches is the reason.
REASONS = [
    (
        r"[Nn]o space left|[Dd]isk quota|\b507\b|[Ii]nsufficient [Ss]torage|QuotaExceeded|quota exceeded",
        "{place} is full",
        "make room there, or keep fewer backups (hearth:backup.keep)",
    ),
    (
        r"[Hh]ost key verification failed|REMOTE HOST IDENTIFICATION",
        "{place} shows another host key than hearth:backup.target.hostKey",
        "compare the key there; if the server was installed again, write its new key",
    ),
    (
        r"Permission denied \(|\b40[13]\b|[Uu]nauthorized|Access ?Denied|InvalidAccessKey|SignatureDoesNotMatch"
        r"|error in libcrypto|invalid format",
        "{place} refuses the login",
        "check the user in hearth:backup.target, and set the secret of the target again",
    ),
    (
        r"[Cc]onnection refused|[Cc]onnection (?:reset|closed|timed out)|no such host|[Cc]ould not resolve|[Nn]o route to host|[Uu]nreachable"
        r"|i/o timeout|[Tt]imed out|context deadline|unable to start the sftp session|x509|certificate",
        "{place} cannot be reached",
        "check its address in hearth:backup.target, that it runs, and the firewalls between",
    ),
    (
        r"ciphertext verification|does not match|not match(?:ed)? hash|invalid data|unexpected EOF|damaged|checksum|hash mismatch"
        r"|not found in (?:index|repository)|pack .* (?:missing|not)|no such file or directory|NoSuchKey|not exist|\b404\b|load\(<",
        "the repository at {place} is damaged: parts of it are missing or changed",
        "look at the target's disk; older backups may be whole (restic check); if nothing helps, begin a new repository",
    ),
    (
        r"[Pp]ermission denied",
        "{place} cannot be written",
        "let the user of the target write there",
    ),
]


class Gone(Fault):
    """There is no repository."""


def place_of(target):
    """The target for people."""
    kind = target["kind"]
    if kind == "path":
        return target["path"]
    if kind == "sftp":
        return f"{target['user']}@{target['server']}:{target['path']}"
    if kind == "s3":
        return f"{target['endpoint']}/{target['bucket']}"
    return target["url"]


def explain(place, text):
    """The reason in what restic said; None: it is not known."""
    for pattern, what, fix in REASONS:
        # ssh says more than restic, and says it first.
        said = next((line for line in text.splitlines() if re.search(pattern, line)), None)
        if said is not None:
            return Fault(f"{what.format(place=place)} ({shortened(said)})\n  fix: {fix}")
    return None


def last_words(text):
    return shortened(([line for line in text.splitlines() if line.strip()] or ["no message"])[-1])


def shortened(line):
    """A line of restic or ssh, without the words that all of them begin with."""
    return re.sub(r"^(subprocess ssh: |Fatal: )+", "", line.strip())[:200]


class Repository:
    """One repository of the target: `repository` with the backups, or `recovery` with the copy of its password."""

    def __init__(self, settings, folder, name="repository", password=None):
        self.settings, self.name = settings, name
        self.target = settings["target"]
        self.place = place_of(self.target)
        self.folder = pathlib.Path(folder)
        self.password = password or settings["passwordFile"]
        if name == "recovery":
            self.password = self._file("open-password", OPEN_PASSWORD)
        self.options, self.environment = [], {}
        # restic ends without what ssh said last, about every seventh time: ssh writes it here.
        self.ssh_said = self.folder / "ssh.log"
        self._prepare()

    def _file(self, name, text):
        path = self.folder / name
        if not path.exists():
            with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600), "w", encoding="utf-8") as file:
                file.write(text)
        return str(path)

    def _secret(self):
        return pathlib.Path(self.settings["secretFile"]).read_text(encoding="utf-8").strip("\n")

    def _prepare(self):
        target, kind = self.target, self.target["kind"]
        if kind == "path":
            if not os.path.isdir(target["path"]):
                raise Fault(f"the folder {target['path']} is missing on the host\n  fix: mount the disk, or create the folder")
            location = f"{target['path']}/{self.name}"
        elif kind == "sftp":
            location = f"sftp:target:{target['path']}/{self.name}"
            ssh = ["ssh", "-E", str(self.ssh_said), "-F", "none", "-i", self.settings["secretFile"], "-p", str(target["port"]), "-l", target["user"]]
            known = f"UserKnownHostsFile={self.settings['knownHosts']}"
            fixed = ["IdentitiesOnly=yes", "BatchMode=yes", "StrictHostKeyChecking=yes", known, "ConnectTimeout=20", "ServerAliveInterval=20"]
            words = [*ssh, *(word for option in fixed for word in ("-o", option)), target["server"], "-s", "sftp"]
            self.options = ["-o", f"sftp.command={' '.join(words)}"]
        elif kind == "s3":
            location = f"s3:{target['endpoint']}/{target['bucket']}/{self.name}"
            keys = f"[default]\naws_access_key_id = {target['accessKey']}\naws_secret_access_key = {self._secret()}\n"
            self.environment = {"AWS_SHARED_CREDENTIALS_FILE": self._file("s3", keys)}
            if "region" in target:
                self.environment["AWS_DEFAULT_REGION"] = target["region"]
        else:
            scheme, rest = target["url"].split("://", 1)
            login = ":".join(urllib.parse.quote(word, safe="") for word in (target["user"], self._secret()))
            location = f"rest:{scheme}://{login}@{rest}/{self.name}"
        self.location = self._file(f"location-{self.name}", location)

    def start(self, *arguments, **options):
        """restic as a process."""
        self.ssh_said.unlink(missing_ok=True)
        common = ["--quiet"] if arguments[0] not in {"backup", "restore", "snapshots", "cat", "dump"} else []
        argv = ["restic", "--repository-file", self.location, "--password-file", self.password, *self.options, *common, *arguments]
        environment = {
            "PATH": os.environ.get("PATH", os.defpath), "HOME": str(self.folder), "LC_ALL": "C", "TMPDIR": os.environ.get("TMPDIR", "/var/tmp"),
            "RESTIC_CACHE_DIR": self.settings.get("cache") or str(self.folder / "cache"),
            # Go returns memory sooner; restic on a small host would otherwise need twice as much.
            "GOGC": "20", **self.environment,
        }
        return subprocess.Popen(argv, env=environment, cwd="/", stdin=subprocess.DEVNULL, start_new_session=True, **options)

    def run(self, *arguments, seconds=None, binary=False):
        """Standard output. Throws a Fault."""
        process = self.start(*arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        try:
            output, said = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            _, said = process.communicate()
            raise self.fault(1, said.decode(errors="replace") or "timed out") from None
        if process.returncode != 0:
            raise self.fault(process.returncode, said.decode(errors="replace"))
        return output if binary else output.decode()

    def fault(self, status, said):
        if self.ssh_said.exists():
            said = f"{self.ssh_said.read_text(encoding='utf-8', errors='replace')}\n{said}"
        if status == 1:
            status = next((number for number, words in STATUS_WORDS.items() if words.search(said)), status)
        if status == NO_REPOSITORY:
            # Some backends say so too when they cannot be reached.
            return self._unreachable(said) or Gone(f"there is no repository of backups at {self.place}")
        if status == OTHER_PASSWORD:
            return Fault(
                f"the repository at {self.place} has another password: another host backs up there, or this host was installed again\n"
                "  fix: give each host a folder of its own in hearth:backup.target; to get the data of a lost host back: npx hearth restore"
            )
        if status == NO_LOCK:
            return Fault(f"another program uses the repository at {self.place} ({last_words(said)})\n  fix: wait until it has ended, then try again")
        return explain(self.place, said) or Fault(f"restic failed at {self.place}: {last_words(said)}\n  fix: see journalctl -u hearth-backup")

    def _unreachable(self, said):
        found = explain(self.place, said)
        return found if found and re.search(r"(cannot be reached|refuses the login|another host key)", str(found)) else None

    def exists(self):
        """Whether there is a repository that our password opens."""
        try:
            self.run("cat", "config", seconds=CONTACT_SECONDS)
        except Gone:
            return False
        return True

    def snapshots(self):
        """All backups, oldest first."""
        return sorted(json.loads(self.run("snapshots", "--json", "--no-lock")), key=lambda one: one["time"])
