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
    """Age at which nobody can read a message of the room any more: hiding does not depend on what the server allows."""
    return min(stated(policy) or default, purged_after(policy, default, shortest, longest))


def stated(policy):
    # A member with enough power in the room writes it, so it can be invalid: more than JSON's limit for whole numbers.
    value = policy.get("max_lifetime") if isinstance(policy, dict) else None
    return value if type(value) is int and 0 < value <= 2**53 else None
