"""What this host keeps about the rooms it made: `rooms/<key>.json` with the room's ID and the avatar that was uploaded."""

import json
import os
import time

from homeserver import Refused, write_private


class RoomRecords:
    def __init__(self, records):
        self.directory = os.path.join(records, "rooms")

    def room_id(self, key):
        return self._load(key).get("roomId")

    def remember_room(self, key, room_id):
        record = self._load(key)
        if record.get("roomId") != room_id:
            self._store(key, {"roomId": room_id})

    def remember_creation(self, key):
        """Written before a room is made, so that the next run knows that one may be on its way."""
        self._store(key, {"creating": time.time()})

    def creating_for(self, key):
        """Seconds since a creation began that has not ended here; endless when none did, or the clock was set back."""
        began = self._load(key).get("creating")
        age = float("inf") if began is None else time.time() - began
        return age if age >= 0 else float("inf")

    def forget(self, key):
        os.unlink(self.path(key))

    def remember_avatar(self, key, digest, url):
        self._store(key, {**self._load(key), "avatar": {"digest": digest, "url": url}})

    def avatar_digest(self, key, url):
        """Digest of the picture that the room shows; empty: another one than we uploaded. None: it has none."""
        if url is None:
            return None
        kept = self._load(key).get("avatar", {})
        return kept["digest"] if kept.get("url") == url else ""

    def path(self, key):
        return os.path.join(self.directory, f"{key}.json")

    def _load(self, key):
        try:
            with open(self.path(key), encoding="utf-8") as file:
                return json.load(file)
        except FileNotFoundError:
            return {}
        except ValueError as error:
            raise Refused(f"{self.path(key)} is damaged ({error}); remove it and run again: the room is found by its key") from error

    def _store(self, key, record):
        os.makedirs(self.directory, mode=0o700, exist_ok=True)
        write_private(self.path(key), json.dumps(record) + "\n")
