"""What Synapse's log says about other servers: the last hour of it, by server."""

import datetime
import errno
import os
import re
import stat

TAIL_BYTES = 4 * 1024 * 1024
WINDOW = datetime.timedelta(hours=1)
FEDERATION_LOGGERS = ("synapse.federation.", "synapse.handlers.federation", "synapse.http.matrixfederationclient", "synapse.crypto.keyring")
LOG_LINE = re.compile(r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d),\d+ - (\S+) - \d+ - (WARNING|ERROR|CRITICAL) - \S* - (.*)")
# `{GET-O-12} [other.example] Request failed …`
DESTINATION = re.compile(r"\[([A-Za-z0-9.:\[\]-]+)\]")


def read_federation_log(lines, now):
    """Warnings by destination and errors of the last hour, of the loggers that speak to other servers."""
    warnings, errors = {}, []
    for line in lines:
        match = LOG_LINE.match(line)
        if match is None or not match[2].startswith(FEDERATION_LOGGERS):
            continue
        if now - datetime.datetime.strptime(match[1], "%Y-%m-%d %H:%M:%S") > WINDOW:
            continue
        # Anybody can send an unsigned request (our own check of encoded paths does); no server does.
        if match[4] == "authenticate_request failed: missing authentication":
            continue
        if match[3] == "WARNING":
            destination = DESTINATION.search(match[4])
            name = destination[1] if destination else match[2]
            warnings[name] = warnings.get(name, 0) + 1
        else:
            errors.append(f"{match[2]}: {match[4]}"[:200])
    return {"warnings": warnings, "errors": errors[-3:], "errorCount": len(errors)}


def open_log(path):
    """The log is the service's, which could put a link or a pipe in its place; so is, in a container, the folder."""
    folder, name = os.path.split(path)
    followed = os.lstat(folder).st_uid == 0
    directory = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC | (0 if followed else os.O_NOFOLLOW))
    try:
        descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=directory)
    finally:
        os.close(directory)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "is no file")
    return os.fdopen(descriptor, "rb")


def observe_log(request):
    """The end of the log file, read by read_federation_log."""
    path = request["logFile"]
    try:
        with open_log(path) as file:
            file.seek(0, os.SEEK_END)
            file.seek(max(0, file.tell() - TAIL_BYTES))
            lines = file.read().decode("utf-8", "replace").splitlines()
    except OSError as error:
        return {"error": f"{path}: {error.strerror}"}
    return read_federation_log(lines, datetime.datetime.now())
