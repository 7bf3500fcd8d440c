"""How long messages live in a room, as Synapse counts it. Milliseconds; nothing is looked at or changed here."""


def purged_after(policy, default, shortest, longest):
    """
    Age at which the messages of a room are purged: what the room's `m.room.retention` says, else the default, within what
    the server allows.
    """
    lifetime = stated(policy) or default
    if shortest is not None:
        lifetime = max(shortest, lifetime)
    if longest is not None:
        lifetime = min(lifetime, longest)
    return lifetime


def hidden_after(policy, default, shortest, longest):
    """Age at which nobody reads a message of the room any more: hiding does not go by what the server allows."""
    return min(stated(policy) or default, purged_after(policy, default, shortest, longest))


def stated(policy):
    value = (policy or {}).get("max_lifetime")
    return value if type(value) is int and value > 0 else None
