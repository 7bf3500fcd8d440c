"""When a job that keeps its own time is due, on a machine whose clock may be wrong. Nothing is looked at or changed here.

Records: {"seen": the newest time that was believed, "doubt": a later one that was not, "done": {part: time}}, in seconds.
"""

# So long may a machine be off before its clock is asked for a second opinion.
BELIEVABLE_GAP = 2 * 86_400
# So long after a doubted time another one bears it out: a machine that is on once a month would never purge otherwise.
BELIEVABLE_SEQUEL = 62 * 86_400


def believed(records, now):
    """
    Whether `now` can be trusted, and the records that remember it. After a leap of days, either the host was off, or the
    clock is wrong until time synchronization fixes it, and what is purged by a wrong clock is lost. So the first run after
    a leap purges nothing, and the next one trusts the clock if it still says so.
    """
    seen, doubt = records.get("seen"), records.get("doubt")
    anchors = [time for time in (seen, doubt) if time is not None]
    near = any(-BELIEVABLE_GAP <= now - time <= BELIEVABLE_GAP for time in anchors)
    # A clock that went back makes nothing look older than it is.
    sequel = doubt is not None and 0 <= now - doubt <= BELIEVABLE_SEQUEL
    if not anchors or near or sequel or (seen is not None and now < seen):
        return True, {**records, "seen": now, "doubt": None}
    return False, {**records, "doubt": now}


def due(records, part, now, interval):
    """Whether a part was not done for an interval. A time in the future was written by a wrong clock: it is due."""
    done = records.get("done", {}).get(part)
    return done is None or not 0 <= now - done < interval


def with_done(records, part, now):
    return {**records, "done": {**records.get("done", {}), part: now}}
