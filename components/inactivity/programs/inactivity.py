"""Finds members of Hearth's rooms that were not seen for the window, reports them, and removes them when told to.

Works for members of other servers too: it uses the events that arrived here. A member stays if nothing proves inactivity.
"""

import os
import time

import decide
import gather
import report
import session

DEVICE = "HEARTH_INACTIVITY"


def parse_arguments():
    parser = session.arguments(__doc__)
    parser.add_argument("--window", type=int, required=True, help="seconds")
    parser.add_argument("--max-lifetime", type=int, help="seconds that messages live here; absent: permanently")
    parser.add_argument("--allowed-min", type=int)
    parser.add_argument("--allowed-max", type=int)
    parser.add_argument("--kept-since", help="file that was written when these lifetimes were last changed; absent: not known")
    parser.add_argument("--room", action="append", default=[], help="key of a room in the stack file that is watched")
    parser.add_argument("--exempt", action="append", default=[], help="user ID that is never removed")
    parser.add_argument("--max-removals", type=int, required=True, help="more at once, and nobody is removed")
    parser.add_argument("--remove", action="store_true", help="remove who is inactive; without it: only report")
    parser.add_argument("--settle", type=float, default=20.0, help="seconds that other servers get to deliver")
    return parser.parse_args()


def look(server, options):
    """The rooms with all that is to be known of them, when they were looked at, and the servers that do not answer."""
    rooms = gather.watched_rooms(server, options.room)
    silent = gather.silent_servers(server, rooms)
    if any(gather.domain_of(user) != gather.domain_of(server.user) for room in rooms for user in room.members):
        time.sleep(options.settle)
    # Members may have come or gone meanwhile.
    rooms = gather.watched_rooms(server, options.room)
    now = time.time()
    for room in rooms:
        gather.read_history(server, room, now, options)
    if rooms:
        gather.read_receipts(server, rooms)
    return rooms, now, silent


def decisions_on(rooms, now, silent, bot, options):
    members = sorted({user for room in rooms for user in room.members})
    evidence = {user: signs_of(user, rooms, bot) for user in members}
    settings = {"window": options.window, "bot": bot, "exempt": options.exempt, "silent_servers": silent}
    return decide.decide(members, evidence, now, settings)


def signs_of(user, rooms, bot):
    return [
        room.sign_of(user, bot) if user in room.members else room.sign_of_absent(user)
        for room in rooms if user in room.members or user in room.seen
    ]


def reason_to_wait(decisions, rooms, now, bot, options):
    """Why nobody may be removed in this run; None: inactive members may be removed."""
    missing = missing_rooms(rooms, options)
    times = [time for room in rooms for user, time in room.sightings if decide.machinery_because(user, bot) is None]
    born = min((room.born for room in rooms), default=now)
    return (
        decide.withheld(decisions, members_by_room(rooms), options.max_removals)
        or decide.blind_spot(decisions, missing)
        or decide.clock_doubt(decisions, times, born, now, options.window)
    )


def missing_rooms(rooms, options):
    return sorted(set(options.room) - {room.key for room in rooms})


def remove(server, room, user, window):
    """What became of it, in words."""
    if not room.may_remove(server.user):
        return f"cannot be removed from {room.name}: the bot has too little power there"
    reason = report.reason_for(gather.domain_of(server.user), window)
    path = f"/_matrix/client/v3/rooms/{session.quoted(room.id)}/kick"
    status, answer = server.call("POST", path, {"user_id": user, "reason": reason})
    if status != 200:
        return f"could not be removed from {room.name}: {session.describe(status, answer)}"
    return f"removed from {room.name}"


def outcome_of(server, rooms, decisions, held, options):
    """By inactive user, what was or would be done."""
    outcome = {}
    for one in decisions:
        if one.verdict != "inactive":
            continue
        places = [room for room in rooms if one.user in room.members]
        if options.remove and held is None:
            outcome[one.user] = "; ".join(remove(server, room, one.user, options.window) for room in places)
        else:
            would = "stays in" if held is not None else "would be removed from"
            outcome[one.user] = f"{would} {', '.join(room.name for room in places)}"
    return outcome


def members_by_room(rooms):
    """Who is in each room, by its name; rooms of one name are told apart by their IDs, so that each counts by itself."""
    names = [room.name for room in rooms]
    return {
        room.name if names.count(room.name) == 1 else f"{room.name} ({room.id})": list(room.members) for room in rooms
    }


def free_path(folder, now):
    """A report is never overwritten: the second one of a day gets a number."""
    day = session.stamp(now)[:10]
    names = [f"report-{day}.txt", *(f"report-{day}-{number}.txt" for number in range(2, 1000))]
    return next(path for path in (os.path.join(folder, name) for name in names) if not os.path.exists(path))


def main():
    options = parse_arguments()
    with session.alone(options.folder), session.logged_in(options, DEVICE) as server:
        rooms, now, silent = look(server, options)
        decisions = decisions_on(rooms, now, silent, server.user, options)
        held = reason_to_wait(decisions, rooms, now, server.user, options)
        run = {
            "now": now, "window": options.window, "dry_run": not options.remove, "withheld": held,
            "rooms": [(room.name, len(room.members), room.shortfall) for room in rooms], "missing": missing_rooms(rooms, options),
            "decisions": decisions, "outcome": outcome_of(server, rooms, decisions, held, options),
        }
    text = report.render(run)
    # Whatever becomes of the file, the journal has it.
    print(text, end="", flush=True)
    session.write_whole(free_path(options.folder, now), text)


if __name__ == "__main__":
    session.run(main)
