"""Whether a host is free of a server's data, so that a restore may fill it."""

import json
import pathlib

from dump import Database
from settings import Fault


def identity_of(settings):
    path = pathlib.Path(settings["content"]["records"]) / "identity"
    try:
        rows = dict(line.split("\t", 1) for line in path.read_text(encoding="utf-8").splitlines() if "\t" in line)
    except FileNotFoundError:
        rows = {}
    return path, rows


def present(settings):
    """What of a server is on this host already, in words."""
    _, rows = identity_of(settings)
    if "serverName" in rows:
        yield f"{rows['serverName']} was set up here"
    for path in settings["content"]["secrets"]:
        if pathlib.Path(path).exists():
            yield f"the secret {path}"
    media = pathlib.Path(settings["content"]["media"])
    if media.is_dir() and any(media.iterdir()):
        yield f"media in {media}"
    if has_tables(settings):
        yield f"the database {settings['database']['name']}"


def has_tables(settings):
    database = Database(settings)
    try:
        return database.rows("SELECT count(*) FROM pg_tables WHERE schemaname = 'public';")[0][0] != "0"
    except (Fault, FileNotFoundError):
        return False


def marker(settings):
    """Says that a restore of this backup was cut off on this host."""
    return settings.data / "restore.json"


def require_fresh(settings, snapshot):
    try:
        if json.loads(marker(settings).read_text(encoding="utf-8"))["snapshot"] == snapshot["id"]:
            print("continuing a restore that was cut off", flush=True)
            return
    except FileNotFoundError:
        pass
    found = list(present(settings))
    if found:
        raise Fault(
            f"this host has data of a server: {'; '.join(found)}\n  now: nothing was changed\n"
            "  fix: restore onto a fresh host; or, if nothing of it is needed, move it away first"
        )
