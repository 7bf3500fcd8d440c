"""The copy of the repository's password that only the operator's private age key opens.

    recovery.py observe|apply|show SETTINGS
`observe` prints for whom the copy is; `apply` makes it; `show` prints it as one line (base64), for the stack's outputs.
"""

import base64
import hashlib
import json
import pathlib
import subprocess
import sys

from repository import Repository
from settings import Fault, Settings, read_record, write


def password_digest(settings):
    """So that a copy of another password is noticed."""
    return hashlib.sha256(pathlib.Path(settings["passwordFile"]).read_bytes()).hexdigest()


def note_path(settings):
    return settings.data / "recovery.json"


def observe(settings):
    try:
        note = json.loads(note_path(settings).read_text(encoding="utf-8"))
        current = settings.recovery.exists() and note["password"] == password_digest(settings)
    except (FileNotFoundError, ValueError):
        current = False
    print(f"for {note['recipient']}" if current else "missing")


def apply(settings):
    done = subprocess.run(
        ["age", "--encrypt", "--recipient", settings["recipient"], "--", settings["passwordFile"]],
        capture_output=True, cwd="/", check=False,
    )
    if done.returncode != 0:
        words = done.stderr.decode(errors="replace").strip().splitlines() or ["no message"]
        sys.exit(f"recovery.py: age does not take hearth:backup.recipient {settings['recipient']}: {words[0]}")
    write(settings.recovery, done.stdout)
    note = {"recipient": settings["recipient"], "password": password_digest(settings)}
    write(note_path(settings), json.dumps(note) + "\n")


def keep_copy(settings, folder):
    """Puts the copy into the target, once for each copy and target: a small repository next to the backups, with an open password."""
    repository = Repository(settings, folder, "recovery")
    digest = hashlib.sha256(settings.recovery.read_bytes()).hexdigest()
    record = read_record(settings)
    if record.get("recovery", {}).get(repository.place) == digest and repository.exists():
        return
    if not repository.exists():
        repository.run("init")
    repository.run("backup", "--host", settings["serverName"], "--tag", digest, str(settings.recovery))
    record.setdefault("recovery", {})[repository.place] = digest
    write(settings.record, json.dumps(record, indent=1) + "\n")


def copy_in(repository):
    """The newest copy in the target."""
    found = repository.snapshots()
    if not found:
        raise Fault(f"there is no copy of the password at {repository.place}")
    newest = found[-1]
    return repository.run("dump", "--no-lock", newest["id"], newest["paths"][0], binary=True)


def show(settings):
    print(base64.b64encode(settings.recovery.read_bytes()).decode())


def main():
    verbs = {"observe": observe, "apply": apply, "show": show}
    if len(sys.argv) != 3 or sys.argv[1] not in verbs:
        sys.exit(__doc__)
    try:
        verbs[sys.argv[1]](Settings(sys.argv[2]))
    except Fault as fault:
        sys.exit(f"recovery.py: {fault}")


if __name__ == "__main__":
    main()
