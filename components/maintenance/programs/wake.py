"""Tells other servers that this one is back, so that they deliver what they kept for it.

A server that could not reach us asks again only after ten minutes, then after longer and longer times. Any signed request
from us ends that at once: it is then known that we are there. So each server that shares a room with us is asked for the
profile of one of its users. In rounds, because our public connection may start a little later than we do, and a delivery
that fails starts the waiting again.
"""

import concurrent.futures
import time

import session

DEVICE = "HEARTH_WAKE"
# Synapse lets one user look up 500 profiles at a stretch, and then one a second.
MOST_SERVERS = 200
AT_ONCE = 10
# A server that is not there takes so long to find out, seconds.
PATIENCE = 30.0
ROOMS_AT_ONCE = 500


def parse_arguments():
    parser = session.arguments(__doc__)
    parser.add_argument("--rounds", default="0,60,180", help="seconds after the start at which everybody is asked")
    options = parser.parse_args()
    options.rounds = [float(text) for text in options.rounds.split(",")]
    return options


def shared_rooms(server):
    """Rooms with members here and elsewhere, small ones first: there a missed message matters most."""
    rooms, start = [], 0
    while start is not None:
        page = server.get("/_synapse/admin/v1/rooms", **{"from": start, "limit": ROOMS_AT_ONCE})
        rooms += [room for room in page["rooms"] if 0 < room["joined_local_members"] < room["joined_members"]]
        start = page.get("next_batch")
    return [room["room_id"] for room in sorted(rooms, key=lambda room: room["joined_members"])]


def users_elsewhere(server):
    """One user of each other server."""
    own = domain_of(server.user)
    users = {}
    for room in shared_rooms(server):
        for user in server.get(f"/_synapse/admin/v1/rooms/{session.quoted(room)}/members")["members"]:
            if domain_of(user) != own:
                users.setdefault(domain_of(user), user)
            if len(users) >= MOST_SERVERS:
                return users
    return users


def domain_of(user):
    return user.split(":", 1)[1]


def answers(path, token, user):
    """Whether the user's server answered at all: what it said of the user does not matter."""
    try:
        status, _ = session.Server(path, token, timeout=PATIENCE).call("GET", f"/_matrix/client/v3/profile/{session.quoted(user)}")
    except session.Failed:
        return False
    return status < 500


def ask_all(server, users):
    """The servers that did not answer."""
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        answered = pool.map(lambda user: answers(server.path, server.token, user), users.values())
    return [name for name, answer in zip(users, answered, strict=True) if not answer]


def main():
    options = parse_arguments()
    log = session.Log(options.folder)
    with session.logged_in(options, DEVICE) as server:
        started = time.monotonic()
        for offset in options.rounds:
            time.sleep(max(0.0, started + offset - time.monotonic()))
            users = users_elsewhere(server)
            silent = ask_all(server, users)
            names = f"; no answer from {', '.join(silent[:10])}" if silent else ""
            log(f"wake: {len(users) - len(silent)} of {len(users)} servers know that we are back{names}")


if __name__ == "__main__":
    session.run(main)
