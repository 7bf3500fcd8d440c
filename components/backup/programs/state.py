"""Prints in one line (JSON) when a backup and a drill last succeeded and why one failed since: `state.py SETTINGS`. Changes nothing."""

import json
import sys

from settings import Fault, Settings, read_record


def last(entry):
    """The last success, and a failure after it."""
    succeeded, failed = entry.get("succeeded"), entry.get("failed")
    recent = failed is not None and (succeeded is None or failed >= succeeded)
    return {"succeeded": succeeded, **({"failed": failed, "reason": entry.get("reason", "")} if recent else {})}


def main():
    try:
        settings = Settings(sys.argv[1])
    except Fault as fault:
        sys.exit(str(fault))
    record = read_record(settings)
    try:
        since = int(settings.recovery.stat().st_mtime)
    except FileNotFoundError:
        since = None
    print(json.dumps({"since": since, "backup": last(record.get("backup", {})), "drill": last(record.get("drill", {}))}))


if __name__ == "__main__":
    main()
