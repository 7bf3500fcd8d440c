"""Print a libpq password file of one password, for any database, role, host and port: a user of the file needs one of each only.

Usage: passfile.py SOURCE   (where the password is: a file, or `podman:NAME`)
"""

import sys

from password import Unreadable, read_password


def main():
    if len(sys.argv) != 2:
        sys.exit("usage: passfile.py SOURCE")
    try:
        password = read_password(sys.argv[1])
    except Unreadable as error:
        sys.exit(f"passfile.py: {error}. The postgres release makes this password: is it applied on this host?")
    escaped = password.replace("\\", "\\\\").replace(":", "\\:")
    print(f"*:*:*:*:{escaped}")


if __name__ == "__main__":
    main()
