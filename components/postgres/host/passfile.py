"""Print a libpq password file for one database and role; the password comes from another file.

Usage: passfile.py DATABASE ROLE PASSWORD_FILE
"""

import sys


def escaped(field):
    return field.replace("\\", "\\\\").replace(":", "\\:")


def main():
    if len(sys.argv) != 4:
        sys.exit("usage: passfile.py DATABASE ROLE PASSWORD_FILE")
    database, role, path = sys.argv[1:]
    try:
        with open(path, encoding="ascii") as file:
            password = file.read().strip()
    except OSError as error:
        sys.exit(f"passfile.py: {error}. The postgres release makes this file: is it applied on this host?")
    # Any host and port: the socket and loopback alike.
    print(":".join(["*", "*", escaped(database), escaped(role), escaped(password)]))


if __name__ == "__main__":
    main()
