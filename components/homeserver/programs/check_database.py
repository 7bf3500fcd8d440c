"""Connect to the configured database as Synapse would, and check what Synapse checks at its start, and a bit more.

Usage, as Synapse's user: <Synapse's python> check_database.py CONFIG...
Exit status: 0 when Synapse can use the database, 1 with one line on standard error when not.
"""

import sys

import psycopg2
import yaml
from synapse.config._base import find_config_files

OLDEST = 140000
CONNECT_SECONDS = 5
WANTED = {"encoding": "UTF8", "collation": "C", "ctype": "C", "locale provider": "c"}
PROVIDERS = {"c": "libc", "i": "icu", "b": "builtin"}


def die(message):
    print(message, file=sys.stderr)
    sys.exit(1)


def connection_arguments(paths):
    database = {}
    for path in find_config_files(paths):
        with open(path, encoding="utf-8") as file:
            database = (yaml.safe_load(file) or {}).get("database", database)
    if database.get("name") != "psycopg2":
        die(f"database.name is {database.get('name')!r}: only Postgres (psycopg2) is fit for a server")
    arguments = database.get("args", {})
    # The pool's own settings (cp_min, cp_max …) are Synapse's, the rest is libpq's.
    return {key: value for key, value in arguments.items() if not key.startswith("cp_")}


def connect(arguments):
    where = f"database {arguments.get('dbname')} at {arguments.get('host')} as role {arguments.get('user')}"
    try:
        return where, psycopg2.connect(**{**arguments, "connect_timeout": CONNECT_SECONDS})
    except (psycopg2.Error, TypeError) as error:
        why = " ".join(str(error).split())
        look = "systemctl status 'postgresql@*'; in containers: systemctl --user status hearth-postgres"
        die(f"{where} cannot be reached: {why}. Is Postgres running ({look})?")


def read_facts(connection):
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT pg_encoding_to_char(encoding), datcollate, datctype,
                      coalesce(to_jsonb(d) ->> 'datlocprovider', 'c'),
                      has_schema_privilege(current_user, 'public', 'CREATE')
               FROM pg_database d WHERE datname = current_database()"""
        )
        encoding, collation, ctype, provider, may_create = cursor.fetchone()
    facts = {"encoding": encoding, "collation": collation, "ctype": ctype, "locale provider": provider}
    return facts, may_create


def check(where, connection):
    if connection.server_version < OLDEST:
        die(f"{where}: Postgres {connection.server_version // 10000} is too old, Synapse needs {OLDEST // 10000} or later")
    facts, may_create = read_facts(connection)
    wrong = [
        f"{key} is {PROVIDERS.get(facts[key], facts[key]) if key == 'locale provider' else facts[key]}"
        f" instead of {'libc' if key == 'locale provider' else value}"
        for key, value in WANTED.items()
        if facts[key] != value
    ]
    if wrong:
        die(
            f"{where}: {', '.join(wrong)}; text would sort wrongly and damage the data. It cannot be changed in place: "
            "use another database (hearth:postgres.database) or dump, recreate and restore this one"
        )
    if not may_create:
        die(f"{where}: the role may not create tables there; make it the owner: ALTER DATABASE … OWNER TO …")


def main():
    if len(sys.argv) < 2:
        sys.exit("usage: check_database.py CONFIG...")
    where, connection = connect(connection_arguments(sys.argv[1:]))
    try:
        check(where, connection)
    finally:
        connection.close()


if __name__ == "__main__":
    main()
