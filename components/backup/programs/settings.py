"""What the programs of backups share: their settings, faults that a person can fix, files that change as a whole.

The release writes the settings (JSON, no secret) into one folder and the secrets next to them; a restore gets its own copy.
"""

import contextlib
import fcntl
import hashlib
import json
import os
import pathlib
import sys
import tempfile
import time

FORMAT = 1
"""Format of the manifest in a backup; a restore refuses a newer one."""


class Fault(Exception):
    """What is wrong, with its fix: one message for a person."""


class Settings:
    """The settings by name, and paths that follow from them."""

    def __init__(self, path):
        try:
            self.values = json.loads(pathlib.Path(path).read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise Fault(f"{path} is missing\n  fix: run pulumi up") from None
        self.data = pathlib.Path(self["data"])
        self.record = self.data / "record.json"
        self.stage = self.data / "stage"
        self.recovery = self.data / "recovery.age"

    def __getitem__(self, name):
        return self.values[name]

    def get(self, name):
        return self.values.get(name)


def read_record(settings):
    """What happened so far: `backup` and `drill` (last success and failure), `repositories` by place."""
    try:
        return json.loads(settings.record.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}


def change_record(settings, part, **changes):
    record = read_record(settings)
    record[part] = {**record.get(part, {}), **changes}
    write(settings.record, json.dumps(record, indent=1) + "\n")


def write(path, text, mode=0o600):
    """Replaces a file as a whole; after a power cut it has the old or the new content."""
    path = pathlib.Path(path)
    new = path.with_name(f".{path.name}.new")
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(text if isinstance(text, bytes) else text.encode())
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)


def sha256_of(path):
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while part := file.read(1 << 20):
            digest.update(part)
    return digest.hexdigest()


@contextlib.contextmanager
def alone(settings):
    """One backup, drill or restore at a time."""
    with open(settings.data / "lock", "w", encoding="utf-8") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Fault("another backup or drill is running on this host\n  fix: wait until it has ended") from None
        yield


@contextlib.contextmanager
def recorded(settings, part):
    """Records when and why a backup or a drill failed."""
    try:
        yield
    except Fault as fault:
        change_record(settings, part, failed=int(time.time()), reason=str(fault).splitlines()[0])
        raise


def job(part, work):
    """A backup or a drill as a unit: `work(settings, folder)` with an empty folder, one at a time, its failure recorded."""
    try:
        settings = Settings(sys.argv[1])
        with recorded(settings, part), alone(settings), tempfile.TemporaryDirectory() as folder:
            work(settings, folder)
    except Fault as fault:
        sys.exit(f"{part} failed: {fault}")


def require_room(folder, needed, what):
    room = os.statvfs(folder)
    free = room.f_bavail * room.f_frsize
    if free < needed:
        raise Fault(
            f"{what} needs {mebibytes(needed)} in {folder}, and {mebibytes(free)} are free\n  fix: make room on the host's disk, or enlarge it"
        )


def mebibytes(count):
    return f"{max(1, round(count / 1024**2))} MiB"
