"""
The certificates of this host: a folder for each, and `current`, a link to the newest. Certificate and key change together, by one rename
of this link; what it leads to is on the disk before.
"""

import json
import os
import shutil
import time

import pair

ABOUT = "about.json"
# The newest, and the one before it, for people.
KEPT = 2


def current(data):
    """The pair in use and what it was asked for; (None, {}): there is none."""
    folder = os.path.join(data, "current")
    found = pair.read(folder)
    if found is None:
        return None, {}
    try:
        with open(os.path.join(folder, ABOUT), encoding="utf-8") as file:
            return found, json.load(file)
    except (OSError, ValueError):
        return found, {}


def install(data, source, about):
    """Makes a copy of the pair the current one."""
    versions = os.path.join(data, "versions")
    os.makedirs(versions, mode=0o700, exist_ok=True)
    numbers = sorted(int(name) for name in os.listdir(versions) if name.isdigit())
    name = str(numbers[-1] + 1 if numbers else 1)
    folder = os.path.join(versions, name)
    os.mkdir(folder, mode=0o700)
    for file, mode in ((pair.CERTIFICATE, 0o644), (pair.KEY, 0o600)):
        with open(os.path.join(source.folder, file), "rb") as text:
            write(os.path.join(folder, file), text.read(), mode)
    write(os.path.join(folder, ABOUT), json.dumps(about).encode(), 0o644)
    for path in (folder, versions):
        sync(path)
    link = os.path.join(data, "current.new")
    if os.path.lexists(link):
        os.unlink(link)
    os.symlink(os.path.join("versions", name), link)
    os.replace(link, os.path.join(data, "current"))
    sync(data)
    for old in numbers[: 1 - KEPT]:
        shutil.rmtree(os.path.join(versions, str(old)))


def write(path, content, mode):
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "wb") as file:
        os.fchmod(file.fileno(), mode)
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def sync(folder):
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def record(data, reason):
    """How the last try went: `reason` is why it failed, or None."""
    said = {"at": int(time.time()), "reason": reason}
    path = os.path.join(data, "last.json")
    write(path + ".new", json.dumps(said).encode(), 0o644)
    os.replace(path + ".new", path)


def last(data):
    try:
        with open(os.path.join(data, "last.json"), encoding="utf-8") as file:
            return json.load(file)
    except (OSError, ValueError):
        return {}
