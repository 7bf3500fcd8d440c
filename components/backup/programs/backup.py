"""One backup: `backup.py SETTINGS`. A timer starts it, and `npx hearth backup`.

The database comes first, media after it: everything that the dump refers to is then in the backup, or was deleted meanwhile.
"""

import json
import pathlib
import subprocess
import tempfile
import time

import recovery
from dump import Database, dump
from repository import Repository, explain
from settings import FORMAT, Fault, change_record, job, mebibytes, read_record, sha256_of, write

TAG = "hearth"
INCOMPLETE = 3
# Lines of progress are no closer.
LEAST_SECONDS_BETWEEN_LINES = 5


def say(text):
    print(text, flush=True)


def host_tag(settings):
    """Tells this host from another one that has the same password, after a restore."""
    return f"host-{pathlib.Path(settings['hostFile']).read_text(encoding='utf-8').strip()}"


def host_tag_of(snapshot):
    """The host that made a backup."""
    return next((tag for tag in snapshot.get("tags") or [] if tag.startswith("host-")), None)


def open_repository(settings, repository):
    """Begins the repository if none was ever there. Throws a Fault if it may not be used."""
    place = repository.place
    known = read_record(settings).get("repositories", {}).get(place, {})
    if not repository.exists():
        if known:
            raise Fault(
                f"the repository at {place} is gone; backups were there\n"
                f"  fix: if a disk is not mounted, mount it; to begin a new one, remove {settings.record} on the host"
            )
        say(f"beginning a repository at {place}")
        repository.run("init")
        change_record(settings, "repositories", **{place: {"begun": int(time.time())}})
        return
    repository.run("unlock")
    require_own(settings, repository, known.get("before"))
    if not known:
        change_record(settings, "repositories", **{place: {"begun": int(time.time())}})


def require_own(settings, repository, before):
    """The newest backup must be ours, or of the host whose backup was restored here (`before`)."""
    found = repository.snapshots()
    if not found:
        return
    newest = found[-1]
    if newest["hostname"] != settings["serverName"]:
        raise Fault(
            f"the repository at {repository.place} has backups of {newest['hostname']}, and this is {settings['serverName']}\n"
            "  fix: give each server a folder of its own in hearth:backup.target"
        )
    if host_tag_of(newest) not in {host_tag(settings), before}:
        raise Fault(
            f"another host backs up {settings['serverName']} to {repository.place}, last at {newest['time'][:16]}\n"
            "  fix: stop the other host; if this one is the old one, a restored one has taken its place"
        )


def stage(settings):
    """The dump, the manifest and the stack's settings, in a folder of root's."""
    folder = settings.stage
    folder.mkdir(mode=0o700, exist_ok=True)
    facts = dump(Database(settings), folder / "database.dump", say)
    content = settings["content"]
    manifest = {
        "format": FORMAT, "serverName": settings["serverName"], "synapse": settings["synapse"], "made": int(time.time()),
        "database": {**facts, "name": settings["database"]["name"], "sha256": sha256_of(folder / "database.dump")},
        "signingKey": sha256_of(content["signingKey"]), "content": content, "folder": str(folder),
        "passwordFile": settings["passwordFile"],
    }
    write(folder / "manifest.json", json.dumps(manifest, indent=1) + "\n")


def paths(settings):
    """Everything that a backup contains and that exists."""
    content, records = settings["content"], pathlib.Path(settings["content"]["records"])
    media = pathlib.Path(content["media"]) / "local_content"
    own = [records / "accounts", records / "admin.json"]
    wanted = [settings.stage, *content["secrets"], settings["stackFile"], media, *own]
    return [str(path) for path in wanted if pathlib.Path(path).exists()]


def store(settings, repository):
    """The backup itself; returns restic's summary."""
    with tempfile.NamedTemporaryFile("w", dir=repository.folder, encoding="utf-8") as listed:
        listed.write("".join(f"{path}\n" for path in paths(settings)))
        listed.flush()
        process = repository.start(
            *["backup", "--json", "--host", settings["serverName"], "--tag", TAG, "--tag", host_tag(settings)],
            *["--files-from-verbatim", listed.name], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )
        summary, faults, told = None, [], 0.0
        for line in process.stdout:
            try:
                event = json.loads(line)
            except ValueError:
                faults.append(line)
                continue
            kind = event.get("message_type")
            if kind == "summary":
                summary = event
            elif kind in {"error", "exit_error"}:
                faults.append(str(event.get("message") or event.get("error")))
            elif kind == "status" and time.monotonic() - told > LEAST_SECONDS_BETWEEN_LINES:
                told = time.monotonic()
                say(f"{event.get('percent_done', 0):.0%} of {mebibytes(event.get('total_bytes', 0))}")
    status = process.wait()
    # Media may be deleted while they are read; the dump's users do not miss them.
    vanished = [text for text in faults if "no such file or directory" in text]
    if status == INCOMPLETE and summary is not None and len(vanished) == len(faults):
        return summary
    if status != 0 or summary is None:
        raise repository.fault(status, "\n".join(faults))
    return summary


def forget(settings, repository):
    """Removes old backups. A target that keeps everything (append-only) is no fault."""
    keep = [word for name, many in settings["keep"].items() if many > 0 for word in (f"--keep-{name}", str(many))]
    try:
        repository.run("forget", "--host", settings["serverName"], "--tag", TAG, "--group-by", "host", *keep, "--prune")
    except Fault as fault:
        refused = explain(repository.place, str(fault))
        if settings["target"]["kind"] == "rest-server" and refused is not None and "refuses the login" in str(fault):
            say(f"{repository.place} keeps all backups: it lets nobody remove them")
            return
        raise Fault(f"the backup succeeded, but old ones could not be removed: {fault}") from None


def run(settings, folder):
    repository = Repository(settings, folder)
    open_repository(settings, repository)
    try:
        stage(settings)
        summary = store(settings, repository)
    finally:
        # The dump may be as large as the database.
        (settings.stage / "database.dump").unlink(missing_ok=True)
    change_record(settings, "backup", succeeded=int(time.time()), snapshot=summary["snapshot_id"], bytes=summary["total_bytes_processed"])
    say(f"stored {mebibytes(summary['total_bytes_processed'])}, {mebibytes(summary['data_added'])} of them new, as {summary['snapshot_id'][:8]}")
    recovery.keep_copy(settings, folder)
    forget(settings, repository)
    say(f"backup of {settings['serverName']} to {repository.place} succeeded")


if __name__ == "__main__":
    job("backup", run)
