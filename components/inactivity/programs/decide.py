"""Who is inactive. The whole decision, and nothing else: nothing is looked at or changed here.

Times are seconds since 1970. Who cannot be shown to have been silent is unknown, and unknown never counts as inactive.
"""

import itertools
from typing import NamedTuple

# Clocks of other servers may differ by this without being wrong.
SKEW = 300.0


class Decision(NamedTuple):
    user: str
    verdict: str  # inactive, active, unknown, exempt
    last_seen: float | None
    why: str


def decide(members, evidence, now, settings):
    """
    One Decision for each member.

    members: user IDs.
    evidence: by user ID, a list with one entry for each watched room that the user is in: {room: its name, seen: last sign of
        life there or None, joined: since when in it or None, power: power level, bot_power: the bot's there, complete:
        whether everything of the window was seen there, why: else what was not}.
    settings: {window: seconds, bot: its user ID, exempt: user IDs, silent_servers: names of servers that do not answer}.
    """
    return [Decision(user, *judge(user, evidence.get(user, []), now, settings)) for user in members]


def judge(user, signs, now, settings):
    times = [sign["seen"] for sign in signs if sign["seen"] is not None]
    last = max((min(time, now) for time in times if time <= now + SKEW), default=None)
    exemption = exempt_because(user, signs, settings)
    if exemption is not None:
        return "exempt", last, exemption
    if last is not None and last >= now - settings["window"]:
        return "active", last, "seen within the window"
    doubt = doubt_about(user, signs, now, settings)
    if doubt is not None:
        return "unknown", last, doubt
    return "inactive", last, "no message, no read receipt and no change of profile within the window"


def exempt_because(user, signs, settings):
    own = machinery_because(user, settings["bot"])
    if own is not None:
        return own
    if user in settings["exempt"]:
        return "exempt by the stack file"
    for sign in signs:
        if sign["power"] >= sign["bot_power"]:
            return f"has power in {sign['room']}, not below the bot's"
    return None


def machinery_because(user, bot):
    """Why an account is no person's; None: it is."""
    localpart, _, server = user.removeprefix("@").partition(":")
    if user == bot:
        return "the bot itself"
    if server == server_of(bot) and (localpart == "hearth" or localpart.startswith("hearth-")):
        return "an account of Hearth's own"
    return None


def doubt_about(user, signs, now, settings):
    """Why the silence of somebody proves nothing; None: it does."""
    if not signs:
        return "nothing is known about them"
    for sign in signs:
        if sign["seen"] is not None and sign["seen"] > now + SKEW:
            return f"an event in {sign['room']} is of the future: some clock is wrong"
        if not sign["complete"]:
            return f"{sign['room']}: {sign['why']}"
        if sign["joined"] is None:
            return f"it is not known since when they are in {sign['room']}"
        if sign["joined"] > now - settings["window"]:
            return f"not in {sign['room']} for a whole window yet"
    if server_of(user) in settings["silent_servers"]:
        return "their server does not answer, so what they wrote may still be on its way"
    return None


def withheld(decisions, rooms, max_removals):
    """
    Why nobody may be removed although some are inactive; None: they may. So many at once means that the evidence is
    wrong, a clock for example.

    rooms: by name, the user IDs in it.
    """
    inactive = {one.user for one in decisions if one.verdict == "inactive"}
    if len(inactive) > max_removals:
        return f"{len(inactive)} members would be removed, more than maxRemovals allows in one run ({max_removals})"
    people = {one.user for one in decisions} - {one.user for one in decisions if is_machinery(one)}
    for room, members in rooms.items():
        present = people & set(members)
        gone = present & inactive
        if 2 * len(gone) > len(present):
            return f"{len(gone)} of {len(present)} members of {room} would be removed, more than half"
    return None


def clock_doubt(decisions, times, born, now, window):
    """
    Why the clock cannot be gone by; None: it can, or nobody is inactive. A clock that leapt ahead makes everybody look silent
    for longer than they were, and leaves a gap in which nobody at all was seen, also when people went on by the new time.

    times: whenever any person was seen anywhere; born: when the first of the rooms was made.
    """
    if all(one.verdict != "inactive" for one in decisions):
        return None
    start = max(now - window, born)
    marks = [start, *sorted(min(time, now) for time in times if start < time <= now + SKEW), now]
    if max(later - earlier for earlier, later in itertools.pairwise(marks)) <= window / 2:
        return None
    return "nobody at all was seen for half of the window, so the clock may have leapt ahead"


def blind_spot(decisions, missing):
    """
    Why nobody may be removed where the bot does not see every room that it is to watch; None: it does, or nobody is inactive.

    missing: keys of rooms that the bot is not in.
    """
    if not missing or all(one.verdict != "inactive" for one in decisions):
        return None
    return f"the bot is not in {', '.join(missing)}, and who was seen only there looks silent"


def is_machinery(decision):
    return decision.verdict == "exempt" and decision.why in ("the bot itself", "an account of Hearth's own")


def server_of(user):
    return user.partition(":")[2]
