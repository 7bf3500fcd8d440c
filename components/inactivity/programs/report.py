"""The report of one run, for a person. Nothing is looked at or changed here."""

import session

DAY = 86_400


def window_of(seconds):
    """A length of time as people say it."""
    return f"{seconds // DAY} days" if seconds >= DAY and seconds % DAY == 0 else f"{seconds} seconds"


def reason_for(server_name, window):
    """What somebody who is removed gets to read."""
    return (
        f"Not seen for {window_of(window)}. You are welcome back: join again from the Space if you are still in it, "
        f"or ask an admin of {server_name} for a new invitation."
    )


def render(run):
    """
    The text. run: {now, window, dry_run, withheld: why nobody was removed although some could be, or None, rooms: [(name,
    members, shortfall or None)], missing: keys of rooms that the bot is not in, decisions, outcome: by user what was or would
    be done}.
    """
    sections = [
        ("Inactive", "inactive"), ("Unknown: never removed", "unknown"), ("Exempt", "exempt"), ("Active", "active"),
    ]
    blocks = [heading(run), rooms_of(run["rooms"], run["missing"]) or "  none: the stack file names none"]
    for title, verdict in sections:
        chosen = [one for one in run["decisions"] if one.verdict == verdict]
        lines = [line_of(one, run["outcome"].get(one.user)) for one in sorted(chosen)]
        blocks.append("\n".join([f"{title} ({len(chosen)})", *lines]))
    return "\n\n".join(blocks) + "\n"


def heading(run):
    lines = [f"Members not seen for {window_of(run['window'])}, looked at {session.stamp(run['now'])}"]
    if run["dry_run"]:
        lines.append("Dry run: nobody was removed.")
    if run["withheld"] is not None:
        why = session.visible(run["withheld"])
        lines.append(f"NOBODY is removed: {why}. Something may be wrong with what was seen; look before you raise limits.")
    return "\n".join([*lines, "", "Rooms"])


def rooms_of(rooms, missing):
    looked_at = [
        session.visible(
            f"  {name}: {members} members, {'history complete' if shortfall is None else f'NOT complete: {shortfall}'}"
        )
        for name, members, shortfall in rooms
    ]
    return "\n".join([*looked_at, *(f"  {key}: NOT looked at: the bot is not in it; run pulumi up" for key in missing)])


def line_of(decision, outcome):
    seen = "never, in what is kept" if decision.last_seen is None else session.stamp(decision.last_seen)
    return session.visible(f"  {decision.user}  last seen: {seen}  ({decision.why}){f'; {outcome}' if outcome else ''}")
