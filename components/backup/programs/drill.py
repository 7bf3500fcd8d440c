"""A drill: restores the newest backup on this host, away from the server, and compares it with what was backed up: `drill.py SETTINGS`.

The dump is loaded into a Postgres cluster of its own and checked there (pg_amcheck, rows of its tables against the dump's own record);
media chosen at random must have the size and hash that the restored database names; the signing key must be the server's.
"""

import json
import pathlib
import shutil
import time

from repository import Repository
from scratch import DATABASE, scratch
from settings import Fault, change_record, job, mebibytes, require_room, sha256_of

SAMPLE = 40
# Local media that people uploaded; previews of links are not backed up. Releases before 1.128 keep no hash.
MEDIA = """SELECT media_id, media_length, coalesce(to_jsonb(m) ->> 'sha256', '') FROM local_media_repository m
WHERE media_length IS NOT NULL AND url_cache IS NULL ORDER BY random() LIMIT {limit};"""


def say(text):
    print(text, flush=True)


def newest(settings, repository):
    if not repository.exists():
        raise Fault(f"there is no repository of backups at {repository.place} yet\n  fix: npx hearth backup")
    own = [one for one in repository.snapshots() if one["hostname"] == settings["serverName"]]
    if not own:
        raise Fault(f"there is no backup at {repository.place} yet\n  fix: npx hearth backup")
    return own[-1]


def manifest_of(repository, snapshot):
    """What the backup says about itself."""
    path = next((path for path in snapshot["paths"] if path.endswith("/stage")), None)
    if path is None:
        raise Fault(f"the backup {snapshot['short_id']} at {repository.place} has no manifest: Hearth did not make it")
    return json.loads(repository.run("dump", "--no-lock", snapshot["id"], f"{path}/manifest.json"))


def take(repository, snapshot, folder, paths):
    """Restores PATHS of the backup below FOLDER; restic proves each part by its hash."""
    include = [word for path in paths for word in ("--include", path)]
    repository.run("restore", snapshot["id"], "--no-lock", "--target", str(folder), *include)


def below(folder, path):
    return pathlib.Path(folder) / str(path).lstrip("/")


def require_dump(manifest, dump):
    if not dump.exists() or sha256_of(dump) != manifest["database"]["sha256"]:
        raise Fault("the dump of the database is not as it was backed up\n  fix: begin a new repository; this one is damaged")


def require_rows(manifest, cluster):
    recorded_rows = manifest["database"]["rows"]
    counts = " UNION ALL ".join(f"SELECT '{table}', count(*) FROM {table}" for table in recorded_rows if table.isidentifier())
    restored = {table: int(number) for table, number in cluster.rows(counts)}
    for table, number in recorded_rows.items():
        if restored.get(table) != number:
            raise Fault(f"table {table} has {restored.get(table)} rows after the restore, and had {number} when it was backed up")


def require_media(manifest, cluster, restore):
    """Compares a sample; returns how many there were. RESTORE brings files of the backup by path and returns their folder."""
    chosen = cluster.rows(MEDIA.format(limit=SAMPLE))
    folder = pathlib.Path(manifest["content"]["media"]) / "local_content"
    files = {name: folder / name[:2] / name[2:4] / name[4:] for name, _, _ in chosen}
    if not files:
        return 0
    restored = restore([str(path) for path in files.values()])
    for name, length, digest in chosen:
        path = below(restored, files[name])
        # One that was deleted while the backup ran is in the dump only.
        if not path.exists():
            if files[name].exists():
                raise Fault(f"the media file {name} is on the host and not in the backup")
            continue
        if path.stat().st_size != int(length) or (digest and sha256_of(path) != digest):
            raise Fault(f"the media file {name} in the backup is not what the database names")
    return len(files)


def run(settings, folder):
    repository = Repository(settings, folder)
    snapshot = newest(settings, repository)
    manifest = manifest_of(repository, snapshot)
    work = settings.data / "drill"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir()
    work.chmod(0o711)
    try:
        # The dump, and the cluster with its indexes.
        require_room(work, manifest["database"]["bytes"] * 3, "the drill")
        say(f"restoring the backup {snapshot['short_id']} of {snapshot['time'][:16]} ({mebibytes(manifest['database']['bytes'])} of database)")
        take(repository, snapshot, work / "files", [manifest["folder"], manifest["content"]["signingKey"]])
        compare(settings, manifest, work, lambda paths: take(repository, snapshot, work / "media", paths))
    finally:
        shutil.rmtree(work, ignore_errors=True)
    change_record(settings, "drill", succeeded=int(time.time()), snapshot=snapshot["id"])
    say(f"drill succeeded: the backup {snapshot['short_id']} of {snapshot['time'][:16]} can be restored")


def compare(settings, manifest, work, take_media):
    key = settings["content"]["signingKey"]
    restored_key = below(work / "files", manifest["content"]["signingKey"])
    if not restored_key.exists() or sha256_of(restored_key) != sha256_of(key):
        raise Fault(f"the signing key in the backup is not the one in {key}")
    dump = below(work / "files", manifest["folder"]) / "database.dump"
    require_dump(manifest, dump)
    with scratch(settings, work / "cluster") as cluster:
        cluster.load(dump)
        dump.unlink()
        say("checking the restored database")
        cluster.run("pg_amcheck", "--install-missing", DATABASE, what="pg_amcheck found damage")
        require_rows(manifest, cluster)
        rows = sum(manifest["database"]["rows"].values())

        def restore(paths):
            take_media(paths)
            return work / "media"

        count = require_media(manifest, cluster, restore)
    say(f"signing key, {rows} rows of {len(manifest['database']['rows'])} tables and {count} media are as they were")


if __name__ == "__main__":
    job("drill", run)
