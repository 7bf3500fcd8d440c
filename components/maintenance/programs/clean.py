"""The monthly cleaning: media of other servers that nobody looked at for long, and empty folders of the media store."""

import contextlib
import os
import time

import session

DEVICE = "HEARTH_MAINTENANCE"
# Synapse makes a folder before it puts a file into it.
YOUNGEST_FOLDER = 86_400.0


def parse_arguments():
    parser = session.arguments(__doc__)
    parser.add_argument("--media", required=True, help="the media store")
    parser.add_argument("--remote-media", type=int, help="seconds after the last access; absent: permanently")
    return parser.parse_args()


def remove_empty(parent, before, depth=0):
    """
    Removes folders below an open one that hold nothing but such folders, were not changed since `before`, and are not the
    store's own first level. Links are neither followed nor removed. Returns how many.
    """
    removed = 0
    with os.scandir(parent) as entries:
        # Before anything is removed in them, which changes their times.
        folders = [(entry.name, entry.stat(follow_symlinks=False).st_mtime) for entry in entries if entry.is_dir(follow_symlinks=False)]
    for name, changed in folders:
        with contextlib.suppress(FileNotFoundError, NotADirectoryError, PermissionError):
            removed += remove_below(parent, name, before, depth)
            if depth > 0 and changed < before:
                removed += remove_folder(parent, name)
    return removed


def remove_below(parent, name, before, depth):
    descriptor = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=parent)
    try:
        return remove_empty(descriptor, before, depth + 1)
    finally:
        os.close(descriptor)


def remove_folder(parent, name):
    """rmdir removes nothing that has something in it, also when that came this very moment."""
    try:
        os.rmdir(name, dir_fd=parent)
    except OSError:
        return 0
    return 1


def clean_folders(path, log):
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        count = remove_empty(descriptor, time.time() - YOUNGEST_FOLDER)
    finally:
        os.close(descriptor)
    log(f"media store: {count} empty folders removed")


def clean_media(options, log):
    before = int((time.time() - options.remote_media) * 1000)
    with session.logged_in(options, DEVICE) as server:
        answer = server.expect("POST", "/_synapse/admin/v1/purge_media_cache", {}, before_ts=before)
    log(f"remote media: {answer['deleted']} files not accessed since {session.stamp(before / 1000)} deleted")


def main():
    options = parse_arguments()
    log = session.Log(options.folder)
    with session.alone(options.folder):
        if options.remote_media is not None:
            clean_media(options, log)
        clean_folders(options.media, log)


if __name__ == "__main__":
    session.run(main)
