"""Keep the Postgres cluster that Hearth's database is in: it is there, and it reads the settings that root keeps for it.

Usage (Python's standard library only), for cluster NAME of one major VERSION of Debian's packages:
    cluster.py start VERSION NAME PORT FOLDER IDENTITY   as root, before the server starts: make what is missing
    cluster.py observe|apply VERSION NAME PORT FOLDER SOCKET   as root: one line on how it is; make it so
    cluster.py check VERSION NAME FOLDER                 as postgres: would this server take the settings?
    cluster.py include VERSION NAME FOLDER               as postgres (called by the others)
FOLDER has our settings, restart.conf and reload.conf; IDENTITY is where this host keeps whose homeserver it is; SOCKET is the
directory of the server's socket.

The packages make a cluster only where the locale of the host works, and choose another port than 5432 where that is taken. What is in
/etc/postgresql belongs to postgres, so root neither reads nor writes there: it asks a process of that user.
"""

import os
import pathlib
import re
import subprocess
import sys
import tempfile

USER = "postgres"
MARKER = "hearth.managed"
INCLUDE = """# Written by Hearth: its settings for this server are root's, in {folder}.
include_if_exists '{folder}/restart.conf'
include_if_exists '{folder}/reload.conf'
"""
CONF_D = re.compile(r"^\s*include_dir\s*=?\s*'conf\.d'", re.MULTILINE)
# Those of the host may not have been generated.
LOCALE = {"LANG": "C", "LC_ALL": "C"}


def die(message):
    sys.exit(f"cluster.py: {message}")


def configuration(version, name):
    return pathlib.Path("/etc/postgresql", version, name)


def run(argv, user=None, **options):
    rights = {} if user is None else {"user": user, "group": user, "extra_groups": []}
    try:
        return subprocess.run(
            argv, capture_output=True, text=True, check=False, cwd="/", stdin=subprocess.DEVNULL,
            env={"PATH": os.environ.get("PATH", os.defpath), **LOCALE}, **rights, **options,
        )
    except (OSError, LookupError, subprocess.TimeoutExpired) as error:  # not installed, no such user, stopped
        return subprocess.CompletedProcess(argv, 127, "", str(error))


def words(done):
    return " ".join((done.stderr or done.stdout).split())


def listed(version, name):
    """Port and data directory of the cluster, as Debian's own programs see it; None: there is none."""
    done = run(["pg_lsclusters", "--no-header"], user=USER, timeout=20)
    for line in done.stdout.splitlines():
        fields = line.split()
        if fields[:2] == [version, name] and len(fields) >= 6:
            return fields[2], fields[5]
    return None


def was_set_up(identity):
    try:
        return "serverName\t" in pathlib.Path(identity).read_text(encoding="utf-8")
    except FileNotFoundError:
        return False


def make(version, name, port, identity):
    data = pathlib.Path("/var/lib/postgresql", version, name)
    has_data, known = (data / "PG_VERSION").exists(), was_set_up(identity)
    if known and not has_data:
        die(
            f"cluster {version}/{name} is gone, and this host has a homeserver: an empty database would hide its accounts and messages. "
            f"If a disk is not mounted, mount it; if the data is lost, restore it. To begin with an empty database all the same, remove "
            f"the line serverName from {identity}"
        )
    if has_data and not known:
        die(
            f"{data} has the data of a cluster that is not configured, and Hearth did not make it. If it is needed: pg_createcluster "
            f"{version} {name}; if not, move it away"
        )
    # Without a start of its own: what calls us starts it.
    done = run(["pg_createcluster", "--encoding=UTF8", "--locale=C", f"--port={port}", version, name])
    if done.returncode != 0:
        die(f"cluster {version}/{name} could not be made: {words(done)}")
    print(f"made cluster {version}/{name} on port {port}")


def start(version, name, port, folder, identity):
    # Not asked of Debian's programs: at a boot they may take long, and this server must start.
    if not (configuration(version, name) / "postgresql.conf").exists():
        make(version, name, port, identity)
    data = pathlib.Path("/var/lib/postgresql", version, name)
    if data.is_dir() and not (data / "PG_VERSION").exists() and was_set_up(identity):
        # Only told: the settings may name another directory. Where they do not, these are the words that say why no server starts.
        print(
            f"cluster.py: {data} holds no data of Postgres, and this host has a homeserver. If a disk is not mounted, mount it; if the data "
            f"is lost, restore it",
            file=sys.stderr,
        )
    # A server with other settings is better than none at a boot; the task tells the next change about it.
    fault = include_as_postgres(version, name, folder)
    if fault is not None:
        print(f"cluster.py: {fault}", file=sys.stderr)


def include_as_postgres(version, name, folder):
    """Why that was not possible; None: it is done."""
    done = run([sys.executable, "-B", os.path.abspath(__file__), "include", version, name, folder], user=USER, timeout=20)
    return None if done.returncode == 0 else f"Hearth's settings could not be included in {configuration(version, name)}: {words(done)}"


def include(version, name, folder):
    path = configuration(version, name) / "conf.d" / "50-hearth.conf"
    new, text = path.with_name(".50-hearth.new"), INCLUDE.format(folder=folder)
    try:
        path.parent.mkdir(exist_ok=True)
        if path.exists() and path.read_text(encoding="utf-8") == text:
            return
        new.write_text(text, encoding="utf-8")
        new.replace(path)
    except OSError as error:
        sys.exit(str(error))


def check(version, name, folder):
    """The server itself reads the settings, after those that it has; that it knows our marker proves that it reads them at all."""
    main = configuration(version, name) / "postgresql.conf"
    lines = [f"include '{folder}/restart.conf'", f"include '{folder}/reload.conf'"]
    with tempfile.TemporaryDirectory() as scratch:
        argv = [f"/usr/lib/postgresql/{version}/bin/postgres", "-C", MARKER, "-c", f"config_file={scratch}/check.conf"]
        if main.exists():
            if not CONF_D.search(main.read_text(encoding="utf-8", errors="replace")):
                die(f"{main} does not read conf.d: add the line include_dir = 'conf.d'")
            lines.insert(0, f"include '{main}'")
        else:
            argv += ["-D", scratch]
        pathlib.Path(scratch, "check.conf").write_text("\n".join([*lines, ""]), encoding="utf-8")
        done = run(argv)
    if done.returncode != 0:
        die(f"Postgres {version} does not take the settings: {words(done).replace(scratch + '/', '')}")


def ask(sql, port, socket):
    argv = ["psql", "--no-psqlrc", "--quiet", "--tuples-only", "--no-align", f"--host={socket}", f"--port={port}", "--dbname=postgres",
            f"--command={sql}"]
    return run(argv, user=USER, timeout=20)


def state(version, name, socket):
    found = listed(version, name)
    if found is None:
        return f"there is no cluster {version}/{name}"
    port = found[0]
    cluster = f"cluster {version}/{name} on port {port}"
    # By our marker of the files that it read, not by the files.
    done = ask(f"SELECT coalesce(current_setting('{MARKER}', true), ''), "
               "(SELECT count(*) FROM pg_settings WHERE pending_restart)", port, socket)
    if done.returncode != 0:
        return f"{cluster} does not answer"
    marker, waiting = done.stdout.strip().split("|")
    if marker != "yes":
        return f"{cluster} without Hearth's settings"
    return f"{cluster} with Hearth's settings" + ("" if waiting == "0" else ", some of which wait for a restart")


def apply(version, name, port, folder, socket):
    found = listed(version, name)
    if found is not None and found[0] != port:
        die(
            f"cluster {version}/{name} is on port {found[0]}, and this change was planned for port {port}, which was free then: run the update "
            f"again, it plans with port {found[0]}"
        )
    fault = include_as_postgres(version, name, folder)
    if fault is not None:
        die(fault)
    unit = f"postgresql@{version}-{name}.service"
    for verb in ("reload", "restart"):
        done = run(["systemctl", verb, "--", unit])
        if done.returncode != 0:
            die(f"systemctl {verb} {unit} failed: {words(done)}. See: journalctl -u {unit}")
        if state(version, name, socket).endswith("with Hearth's settings"):
            return


def main():
    verb, arguments = (sys.argv[1] if len(sys.argv) > 1 else ""), sys.argv[2:]
    verbs = {
        "start": (start, 5), "include": (include, 3), "check": (check, 3), "apply": (apply, 5),
        "observe": (lambda version, name, _port, _folder, socket: print(state(version, name, socket)), 5),
    }
    function, wanted = verbs.get(verb, (None, -1))
    if len(arguments) != wanted:
        sys.exit(__doc__)
    function(*arguments)


if __name__ == "__main__":
    main()
