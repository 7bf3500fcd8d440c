"""Check that the Postgres that would be started can read the data that is there. Changes nothing.

Usage: check_data.py DIRECTORY VERSION_COMMAND...   (the command prints what `postgres --version` prints)
Exit status: 0 when there is no data yet or it is of that major version; 1 with the fix on standard error when not.
"""

import pathlib
import re
import subprocess
import sys


def die(message):
    print(message, file=sys.stderr)
    sys.exit(1)


def major_of_program(command):
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    found = re.search(r"PostgreSQL\) (\d+)", run.stdout)
    if run.returncode != 0 or not found:
        die(f"the image's Postgres does not say its version: {' '.join((run.stderr or run.stdout).split())}")
    return found.group(1)


def major_of_data(directory):
    try:
        return (directory / "PG_VERSION").read_text(encoding="ascii").strip()
    except FileNotFoundError:
        return None


def is_unfinished(directory):
    """initdb names the version first and makes the control file later; without one no Postgres ever starts."""
    if not directory.is_dir() or not any(directory.iterdir()):
        return False
    return not (directory / "PG_VERSION").exists() or not (directory / "global" / "pg_control").exists()


def check(directory, command):
    there, wanted = major_of_data(directory), major_of_program(command)
    if is_unfinished(directory):
        die(
            f"{directory} is not empty and no data of Postgres: a first start was cut off, or it is something else. "
            "Look at it and move it away; Hearth never deletes it"
        )
    if there not in (None, wanted):
        die(
            f"the data in {directory} is Postgres {there}'s, and Postgres {wanted} cannot read it; nothing was touched. "
            f"Either keep the image at {there} (hearth:postgres.image), or move the data: with {there} still running, "
            "stop hearth-synapse, `podman exec hearth-postgres pg_dumpall --username=postgres --clean --if-exists >FILE`, "
            "stop hearth-postgres, rename the directory, run this update, stop hearth-synapse, "
            "`podman exec --interactive hearth-postgres psql --username=postgres <FILE`, start hearth-synapse"
        )


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit("usage: check_data.py DIRECTORY VERSION_COMMAND...")
    check(pathlib.Path(sys.argv[1]), sys.argv[2:])
