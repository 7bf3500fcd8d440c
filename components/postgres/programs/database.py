"""Keep one role and one database of the local Postgres as Synapse needs them. Never drops or recreates anything.

Usage (Python's standard library only):
    database.py observe|apply --database NAME --role NAME --journal COMMAND --identity FILE [--data DIRECTORY] [--password SOURCE] -- PSQL...
PSQL is how the superuser's psql is started here; COMMAND shows the server's log; SOURCE is a file or `podman:NAME`; FILE is where
this host keeps whose homeserver it is; DIRECTORY is where the server has its data.

`observe` prints the present state as one line and changes nothing; what can never be as wanted begins with `refused: `, so that
a preview knows it. `apply` makes what is missing; what it may not
change (the collation of a database with data in it) ends it with status 1 and the fix on standard error.
With a password source the role's password is what that says; only a SCRAM verifier is sent to the server.
"""

import argparse
import base64
import hashlib
import hmac
import os
import subprocess
import sys

from password import Unreadable, read_password

PSQL_OPTIONS = ["--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--set=ON_ERROR_STOP=1", "--dbname=postgres"]
PSQL_STATUSES = range(4)
PSQL_NO_CONNECTION = 2
WANTED = {"encoding": "UTF8", "collation": "C", "ctype": "C", "provider": "libc"}
PROVIDERS = {"c": "libc", "i": "icu", "b": "builtin"}
SCRAM_ITERATIONS = 4096


class NotRunning(Exception):
    """No server answers on the local socket."""


psql_command = []  # from the command line


def die(message):
    sys.exit(f"database.py: {message}")


def psql(script, **variables):
    """Rows of an SQL script. Values go as psql variables, which psql itself quotes (:'x', :"x")."""
    assignments = [f"--set={name}={value}" for name, value in variables.items()]
    try:
        run = subprocess.run(
            [*psql_command, *PSQL_OPTIONS, *assignments],
            input=script, capture_output=True, text=True, cwd="/", check=False,
        )
    except FileNotFoundError as error:
        raise NotRunning(str(error)) from error
    # Other statuses than psql's own are of what leads to it: there is no container, or it does not run.
    if run.returncode == PSQL_NO_CONNECTION or run.returncode not in PSQL_STATUSES:
        raise NotRunning(" ".join(run.stderr.split()))
    if run.returncode != 0:
        die(" ".join(run.stderr.split()))
    return [row.split("|") for row in run.stdout.splitlines()]


def read_role(role):
    rows = psql("SELECT rolcanlogin, coalesce(rolpassword, '') FROM pg_authid WHERE rolname = :'role';", role=role)
    return {"login": rows[0][0] == "t", "verifier": rows[0][1]} if rows else None


def read_database(name):
    # Releases before 15 have no datlocprovider: everything is libc there.
    rows = psql(
        """SELECT pg_get_userbyid(datdba), pg_encoding_to_char(encoding), datcollate, datctype,
                  coalesce(to_jsonb(d) ->> 'datlocprovider', 'c')
           FROM pg_database d WHERE datname = :'database';""",
        database=name,
    )
    if not rows:
        return None
    owner, encoding, collation, ctype, provider = rows[0]
    return {"owner": owner, "encoding": encoding, "collation": collation, "ctype": ctype,
            "provider": PROVIDERS.get(provider, provider)}


def scram_keys(password, salt, iterations):
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, iterations)
    client = hmac.digest(salted, b"Client Key", "sha256")
    return hashlib.sha256(client).digest(), hmac.digest(salted, b"Server Key", "sha256")


def make_verifier(password):
    salt = os.urandom(16)
    stored, server = (base64.b64encode(key).decode() for key in scram_keys(password, salt, SCRAM_ITERATIONS))
    return f"SCRAM-SHA-256${SCRAM_ITERATIONS}:{base64.b64encode(salt).decode()}${stored}:{server}"


def verifies(verifier, password):
    try:
        method, parameters, keys = verifier.split("$")
        iterations, salt = parameters.split(":")
        stored = scram_keys(password, base64.b64decode(salt), int(iterations))[0]
        return method == "SCRAM-SHA-256" and hmac.compare_digest(stored, base64.b64decode(keys.split(":")[0]))
    except ValueError:
        return False


def is_password(verifier, source):
    try:
        return verifies(verifier, read_password(source))
    except Unreadable:  # not made yet
        return False


def describe_role(options):
    role = read_role(options.role)
    if role is None:
        return f"role {options.role}: missing"
    if not role["login"]:
        return f"role {options.role}: may not log in"
    if options.password is None:
        return f"role {options.role}"
    which = "the" if is_password(role["verifier"], options.password) else "another"
    return f"role {options.role} with {which} password"


def describe_database(options):
    found = read_database(options.database)
    if found is None:
        return f"database {options.database}: missing"
    facts = ", ".join(f"{key} {value}" for key, value in found.items())
    return f"database {options.database}: {facts}"


def observe(options):
    found = read_database(options.database)
    problem = hiding(options) if found is None else wrong_locale(options, found)
    print(f"{describe_role(options)}; {describe_database(options)}" if problem is None else f"refused: {problem}")


def ensure_role(options):
    role = read_role(options.role)
    if role is None:
        psql('CREATE ROLE :"role" LOGIN;', role=options.role)
    elif not role["login"]:
        psql('ALTER ROLE :"role" LOGIN;', role=options.role)
    if options.password is None:
        return
    try:
        password = read_password(options.password)
    except Unreadable as error:
        die(f"the role's password cannot be read: {error}")
    if role is None or not verifies(role["verifier"], password):
        # On standard input, not as a psql variable: those are arguments, which every user of the host can read.
        psql(f"ALTER ROLE :\"role\" PASSWORD '{make_verifier(password)}';", role=options.role)


def create_database(options):
    version = int(psql("SHOW server_version_num;")[0][0])
    provider = "LOCALE_PROVIDER libc" if version >= 150000 else ""
    psql(
        f"""CREATE DATABASE :"database" OWNER :"role" ENCODING 'UTF8' {provider}
            LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0;""",
        database=options.database, role=options.role,
    )


def wrong_locale(options, found):
    """Why a database cannot be used as it is; None: it can."""
    wrong = [f"{key} is {found[key]} instead of {value}" for key, value in WANTED.items() if found[key] != value]
    if not wrong:
        return None
    name = options.database
    return (
        f"database {name}: {', '.join(wrong)}; Synapse would damage its data. Postgres cannot change this in place "
        f"and Hearth never drops a database. Either name another database in hearth:postgres (it is made rightly), "
        f"or move the data: stop Synapse, pg_dump -Fc {name}, rename the old database, run this update again, "
        f"then pg_restore --no-owner --role={options.role} into the new one."
    )


def ensure_database(options):
    found = read_database(options.database)
    if found is None:
        create_database(options)
        return
    problem = wrong_locale(options, found)
    if problem is not None:
        die(problem)
    if found["owner"] != options.role:
        psql('ALTER DATABASE :"database" OWNER TO :"role";', database=options.database, role=options.role)


def server_of_host(identity):
    """The name of the homeserver that was set up here; None: none was yet."""
    try:
        with open(identity, encoding="utf-8") as file:
            facts = dict(line.rstrip("\n").split("\t", 1) for line in file if "\t" in line)
    except FileNotFoundError:
        return None
    return facts.get("serverName")


def lost_data(options):
    """Why a server that does not run must not be started with an empty folder; None: it has data, or none was ever here."""
    server = server_of_host(options.identity)
    if server is None or options.data is None or os.path.exists(os.path.join(options.data, "PG_VERSION")):
        return None
    return (
        f"{options.data} holds no data of Postgres, but {server} was set up on this host. If a disk is not mounted, mount it; "
        f"if the data is lost, restore it. To begin without it all the same, remove the line serverName from {options.identity}"
    )


def hiding(options):
    """A homeserver that was set up here has its data in another database, or where nobody looks now: an empty one would hide it."""
    server = server_of_host(options.identity)
    if server is None:
        return None
    rows = psql("SELECT datname FROM pg_database WHERE NOT datistemplate AND datname <> 'postgres' ORDER BY 1;")
    there = ", ".join(name for (name,) in rows) or "none"
    return (
        f"there is no database {options.database}, but {server} was set up on this host: an empty one would hide its accounts and "
        f"messages. Databases here: {there}. If hearth:postgres.database was changed, write the old name; if a disk is not "
        f"mounted, mount it; if the data is lost, restore it. To begin with an empty database all the same, remove the line "
        f"serverName from {options.identity}"
    )


def apply(options):
    problem = hiding(options) if read_database(options.database) is None else None
    if problem is not None:
        die(problem)
    ensure_role(options)
    ensure_database(options)


def split(words):
    """What is before the first `--`, that, and what is behind."""
    at = words.index("--") if "--" in words else len(words)
    return words[:at], words[at : at + 1], words[at + 1 :]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("verb", choices=["observe", "apply"])
    parser.add_argument("--database", required=True)
    parser.add_argument("--role", required=True)
    parser.add_argument("--journal", required=True)
    parser.add_argument("--identity", required=True)
    parser.add_argument("--data")
    parser.add_argument("--password")
    arguments, separator, psql_words = split(sys.argv[1:])
    options = parser.parse_args(arguments)
    if not separator or not psql_words:
        parser.error("the command of psql is missing: write it after --")
    psql_command.extend(psql_words)
    try:
        (observe if options.verb == "observe" else apply)(options)
    except NotRunning as error:
        if options.verb == "apply":
            die(f"Postgres does not answer: {error}. See: {options.journal}")
        problem = lost_data(options)
        print("Postgres does not answer" if problem is None else f"refused: {problem}")


if __name__ == "__main__":
    main()
