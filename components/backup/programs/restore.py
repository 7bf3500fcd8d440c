"""Brings a lost server back onto a fresh host, before the first `pulumi up` there. It travels with `npx hearth restore`.

    restore.py copy              prints the copy of the backups' password (base64), for the operator's age key
    restore.py restore SNAPSHOT  restores a backup (`latest`, or the beginning of its ID)
Its folder has settings.json as the release would write it, and the secrets: `target`, and for `restore` the file `password`.

Everything is restored into a folder and checked there first: a host that has data, another server's backup, a damaged or newer one are
refused before anything is put in its place.
"""

import base64
import json
import pathlib
import pwd
import shutil
import subprocess
import sys
import tempfile
import time

from backup import host_tag_of
from drill import below, manifest_of, require_dump, take
from dump import Database
from fresh import has_tables, identity_of, marker, require_fresh
from recovery import copy_in
from repository import Repository
from settings import FORMAT, Fault, Settings, alone, change_record, mebibytes, require_room, sha256_of, write

HERE = pathlib.Path(__file__).resolve().parent
DATABASE_SECONDS = 60


def say(text):
    print(text, flush=True)


def settings_here():
    settings = Settings(HERE / "settings.json")
    own = {"passwordFile": "password", "secretFile": "target", "knownHosts": "known_hosts"}
    settings.places = {key: settings.get(key) for key in own}
    settings.values |= {key: str(HERE / name) for key, name in own.items() if (HERE / name).exists()}
    settings.values["cache"] = None
    return settings


def chosen(settings, repository, wanted):
    """The snapshot to restore."""
    if not repository.exists():
        raise Fault(f"there is no repository of backups at {repository.place}\n  fix: check hearth:backup.target")
    found = repository.snapshots()
    if wanted != "latest":
        found = [one for one in found if one["id"].startswith(wanted)]
    if not found:
        raise Fault(f"there is no backup {wanted} at {repository.place}")
    newest = found[-1]
    if newest["hostname"] != settings["serverName"]:
        raise Fault(
            f"the backup is of {newest['hostname']}, and the stack file is for {settings['serverName']}\n"
            "  fix: use the stack file of that server, or the right hearth:backup.target"
        )
    return newest


def number(version):
    return [int(part) for part in version.split(".") if part.isdigit()]


def require_readable(settings, manifest):
    """The stack file's Synapse and the host's Postgres must be as new as those that made the backup."""
    if manifest["format"] > FORMAT:
        raise Fault("the backup was made by a newer Hearth\n  fix: use that release of Hearth")
    if number(manifest["synapse"]) > number(settings["synapse"]):
        raise Fault(
            f"the backup was made by Synapse {manifest['synapse']}, and the stack file names {settings['synapse']}, which cannot read its database\n"
            f"  fix: write hearth:homeserver.version {manifest['synapse']} or newer"
        )
    major = settings["database"]["major"]
    if manifest["database"]["postgres"] > major:
        raise Fault(
            f"the backup was made by Postgres {manifest['database']['postgres']}, and this host has {major}, which cannot read it\n"
            "  fix: use a newer release of the distribution"
        )


def fetch(settings, repository, snapshot):
    """The whole backup in a folder, checked."""
    folder = settings.data / "restore"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700)
    manifest = manifest_of(repository, snapshot)
    require_readable(settings, manifest)
    size = json.loads(repository.run("stats", "--json", "--no-lock", snapshot["id"]))["total_size"]
    require_room(folder, size * 2.5, "the restore")
    say(f"fetching the backup {snapshot['short_id']} of {snapshot['time'][:16]} ({mebibytes(size)})")
    take(repository, snapshot, folder, [])
    require_dump(manifest, below(folder, manifest["folder"]) / "database.dump")
    key = below(folder, manifest["content"]["signingKey"])
    if not key.exists() or sha256_of(key) != manifest["signingKey"]:
        raise Fault("the signing key in the backup is not as it was backed up")
    return folder, manifest


def run(argv, what, **options):
    done = subprocess.run(argv, capture_output=True, text=True, cwd="/", check=False, **options)
    if done.returncode != 0:
        raise Fault(f"{what}: {(done.stderr or done.stdout).strip().splitlines()[-1:] or 'no message'}\n  fix: run npx hearth restore again")


def load_database(settings, dump):
    """The database with its role, as the postgres release makes it, and the dump in it: all of it or nothing."""
    own, database = settings["database"], Database(settings)
    if has_tables(settings):
        return
    start_cluster(own)
    options = [f"--database={own['name']}", f"--role={own['role']}", "--journal=journalctl", "--identity=/nonexistent"]
    run([sys.executable, "-B", str(HERE / "database.py"), "apply", *options, "--", *database.console], "the database cannot be made")
    say("loading the database")
    with open(dump, "rb") as file:
        argv = [*database.tool("pg_restore"), "--no-owner", f"--role={own['role']}", "--single-transaction", f"--dbname={own['name']}"]
        run(argv, "the dump cannot be loaded", stdin=file)
    database.rows("ANALYZE;")


def start_cluster(own):
    """Debian's package makes a cluster when it is installed, unless the host's locale is broken."""
    listed = subprocess.run(["pg_lsclusters", "--no-header"], capture_output=True, text=True, check=False).stdout.split("\n")
    if not any(line.split()[:1] == [str(own["major"])] for line in listed if line.strip()):
        run(["pg_createcluster", "--locale=C", "--encoding=UTF8", "--start", str(own["major"]), "main"], "no Postgres cluster can be made")
    for _ in range(DATABASE_SECONDS):
        argv = [*own["console"], "-qAtX", "--dbname=postgres", "--command=SELECT 1"]
        if subprocess.run(argv, capture_output=True, check=False, cwd="/").returncode == 0:
            return
        time.sleep(1)
    raise Fault("Postgres does not answer\n  fix: see journalctl -u postgresql@*")


def place_media(settings, folder, manifest):
    media = pathlib.Path(settings["content"]["media"])
    user, home = settings["user"], media.parent
    try:
        pwd.getpwnam(user)
    except KeyError:
        run(["useradd", "--system", "--user-group", f"--home-dir={home}", "--no-create-home", "--shell=/usr/sbin/nologin", user], "useradd")
    home.mkdir(parents=True, exist_ok=True)
    media.mkdir(mode=0o750, exist_ok=True)
    fetched = below(folder, manifest["content"]["media"]) / "local_content"
    if fetched.exists():
        shutil.move(fetched, media / "local_content")
    for path in (home, media):
        shutil.chown(path, user, user)
    run(["chown", "--recursive", "--no-dereference", f"{user}:{user}", "--", str(media)], "chown")


def place_secrets(settings, folder, manifest):
    """The secrets by their names, for the releases to find; `up` sets owners and modes."""
    fetched = {pathlib.Path(path).name: below(folder, path) for path in manifest["content"]["secrets"]}
    for path in map(pathlib.Path, settings["content"]["secrets"]):
        source = fetched.get(path.name)
        if source is not None and source.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            write(path, source.read_bytes())
    password = pathlib.Path(settings.places["passwordFile"])
    password.parent.mkdir(parents=True, exist_ok=True)
    write(password, (HERE / "password").read_bytes())


def place_records(settings, folder, manifest):
    records = pathlib.Path(settings["content"]["records"])
    records.mkdir(mode=0o700, parents=True, exist_ok=True)
    fetched = below(folder, manifest["content"]["records"])
    if (fetched / "accounts").is_dir():
        shutil.copytree(fetched / "accounts", records / "accounts", dirs_exist_ok=True)
    if (fetched / "admin.json").exists():
        write(records / "admin.json", (fetched / "admin.json").read_bytes())


def mark_as_set_up(settings):
    """From here on no empty database and no new signing key are made on this host."""
    path, rows = identity_of(settings)
    rows["serverName"] = settings["serverName"]
    write(path, "".join(f"{key}\t{value}\n" for key, value in rows.items()))


def restore(settings, wanted, folder):
    repository = Repository(settings, folder)
    snapshot = chosen(settings, repository, wanted)
    require_fresh(settings, snapshot)
    try:
        fetched, manifest = fetch(settings, repository, snapshot)
        write(marker(settings), json.dumps({"snapshot": snapshot["id"]}) + "\n")
        load_database(settings, below(fetched, manifest["folder"]) / "database.dump")
        place_media(settings, fetched, manifest)
        place_secrets(settings, fetched, manifest)
        place_records(settings, fetched, manifest)
        mark_as_set_up(settings)
    finally:
        shutil.rmtree(settings.data / "restore", ignore_errors=True)
    change_record(settings, "repositories", **{repository.place: {"before": host_tag_of(snapshot)}})
    marker(settings).unlink()
    rows = manifest["database"]["rows"]
    say(f"restored {settings['serverName']} as of {snapshot['time'][:16]}: {rows['users']} users, {rows['events']} events, signing key, media")


def main():
    verb, words = (sys.argv[1] if len(sys.argv) > 1 else ""), sys.argv[2:]
    try:
        settings = settings_here()
        with tempfile.TemporaryDirectory() as folder:
            if verb == "copy" and not words:
                print(base64.b64encode(copy_in(Repository(settings, folder, "recovery"))).decode())
            elif verb == "restore" and len(words) == 1:
                settings.data.mkdir(parents=True, exist_ok=True)
                with alone(settings):
                    restore(settings, words[0], folder)
            else:
                sys.exit(__doc__)
    except Fault as fault:
        sys.exit(str(fault))


if __name__ == "__main__":
    main()
