"""What only the host itself can see of its homeserver: `verify.py DIR` reads DIR/request.json, prints one JSON answer.

Request: scope, homeserverUrl, serverName, publicHost, proxyUrl (https://127.0.0.1:443; http:// behind a tunnel that ends TLS),
registrationSecret, maxUploadBytes, database {name, role, console: the command that opens psql as the superuser}, mediaPath, logFile;
optional: stateDirectory, backup (the command that prints when backups ran).

Answer: {admin, upload, forwardedAddress, destinations, database, backup, media, log}: facts, one object for each question; `error`
in one of them says why it has no answer. Nothing is judged here, and nothing stays behind.
"""

import concurrent.futures
import contextlib
import http.client
import json
import os
import subprocess
import sys

from federation_log import observe_log
from homeserver import Homeserver, NoCredential, Refused, Unavailable, describe, user_environment
from homeserver_admin import admin_session
from verify_proxy import observe_above_limit, observe_forwarded_address, observe_upload

DATABASE_TIMEOUT = 20.0


def observe_database(request):
    """Connections of Synapse's role, as Postgres counts them, and SQLite files that a Synapse process holds open."""
    query = (
        "select count(*) from pg_stat_activity where datname = :'database' and usename = :'role';\n"
        "select current_setting('max_connections');\n"
    )
    database = request["database"]
    argv = [*database["console"], "-XAtq", "-v", "ON_ERROR_STOP=1", "-d", "postgres"]
    argv += ["-v", f"database={database['name']}", "-v", f"role={database['role']}"]
    seen = {"sqlite": open_sqlite_files()}
    piped = {"input": query, "capture_output": True, "text": True, "cwd": "/", "env": user_environment()}
    try:
        done = subprocess.run(argv, **piped, timeout=DATABASE_TIMEOUT, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        return {**seen, "error": str(error)}
    if done.returncode != 0:
        return {**seen, "error": (done.stderr.strip().splitlines() or ["psql failed"])[-1]}
    connections, available = done.stdout.split()
    return {**seen, "connections": int(connections), "available": int(available)}


def observe_backup(request):
    """What the backups' own program says about their last runs."""
    try:
        done = subprocess.run(request["backup"], capture_output=True, text=True, cwd="/", timeout=DATABASE_TIMEOUT, check=False)
        return json.loads(done.stdout)
    except (OSError, ValueError, subprocess.TimeoutExpired) as error:
        return {"error": f"the host does not say when backups ran: {error}"}


def open_sqlite_files():
    found = set()
    for process in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{process}/cmdline", "rb") as file:
                if b"synapse.app" not in file.read():
                    continue
            descriptors = os.listdir(f"/proc/{process}/fd")
        except OSError:
            continue
        for descriptor in descriptors:
            # A connection of another client may have ended since they were listed.
            with contextlib.suppress(OSError):
                link = os.readlink(f"/proc/{process}/fd/{descriptor}")
                if link.endswith((".db", ".sqlite", ".sqlite3")):
                    found.add(link)
    return sorted(found)


def observe_media(request):
    """Disk blocks below the media directory, and what its file system has left."""
    path = request["mediaPath"]
    try:
        space = os.statvfs(path)
    except OSError as error:
        return {"error": f"{path}: {error.strerror}"}
    used, pending = 0, [path]
    while pending:
        try:
            with os.scandir(pending.pop()) as entries:
                for entry in entries:
                    used += entry.stat(follow_symlinks=False).st_blocks * 512
                    if entry.is_dir(follow_symlinks=False):
                        pending.append(entry.path)
        except FileNotFoundError:
            continue
    return {"used": used, "free": space.f_bavail * space.f_frsize, "size": space.f_blocks * space.f_frsize}


def observe_destinations(request, token):
    """How many other servers are known, and which of them cannot be reached now."""
    direct = Homeserver(request["homeserverUrl"])
    direct.token = token
    status, answer = direct.call("GET", "/_synapse/admin/v1/federation/destinations?limit=1000")
    if status != 200:
        return {"error": describe(status, answer)}
    failing = [entry["destination"] for entry in answer["destinations"] if entry["failure_ts"]]
    return {"known": answer["total"], "failing": len(failing), "names": failing[:5]}


def admin_token(request):
    with admin_session(request, may_create=True) as homeserver:
        return homeserver.token


def guarded(function, *arguments):
    """One question without an answer leaves the others theirs."""
    try:
        return function(*arguments)
    except (OSError, http.client.HTTPException, Unavailable) as error:
        return {"error": str(error) or type(error).__name__}


def run(request):
    questions = {
        "database": (observe_database, request),
        "media": (observe_media, request),
        "log": (observe_log, request),
    }
    if "backup" in request:
        questions["backup"] = (observe_backup, request)
    if request["proxyUrl"].startswith("http://"):
        questions["aboveLimit"] = (observe_above_limit, request)
    observations = {}
    try:
        token = admin_token(request)
    except (Unavailable, Refused, NoCredential) as error:
        observations["admin"] = {"error": str(error)}
    else:
        observations["admin"] = {}
        questions["upload"] = (observe_upload, request, token)
        questions["forwardedAddress"] = (observe_forwarded_address, request, token)
        questions["destinations"] = (observe_destinations, request, token)
    with concurrent.futures.ThreadPoolExecutor(len(questions)) as pool:
        running = {name: pool.submit(guarded, *question) for name, question in questions.items()}
    return observations | {name: future.result() for name, future in running.items()}


def main(directory):
    with open(os.path.join(directory, "request.json"), encoding="utf-8") as file:
        request = json.load(file)
    json.dump(run(request), sys.stdout)
    sys.stdout.write("\n")


if __name__ == "__main__":
    main(sys.argv[1])
