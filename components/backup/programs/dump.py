"""The database as a file, and its own record: how many rows the important tables have in the same view of the data."""

import os
import subprocess

from settings import Fault, require_room

# A client that meets one-time keys of the past cannot decrypt new messages; clients upload new ones.
LEFT_OUT = ["e2e_one_time_keys_json"]
COUNTED = [
    *["users", "devices", "access_tokens", "profiles", "rooms", "events", "room_memberships", "local_media_repository"],
    *["e2e_room_keys", "e2e_cross_signing_keys", "device_inbox", "account_data"],
]
FACTS = """SELECT 'schema', version FROM schema_version
UNION ALL SELECT 'compat', compat_version FROM schema_compat_version
UNION ALL SELECT 'bytes', coalesce(sum(pg_table_size(oid)), 0) FROM pg_class WHERE relkind IN ('r', 't')
UNION ALL SELECT 'postgres', current_setting('server_version_num')::bigint / 10000;"""
OPTIONS = ["--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--set=ON_ERROR_STOP=1"]


class Database:
    """The homeserver's database, through the superuser's psql."""

    def __init__(self, settings):
        self.name, self.console = settings["database"]["name"], settings["database"]["console"]

    def tool(self, program):
        """The command of another program of Postgres, started as psql is."""
        return [program if word == "psql" else word for word in self.console]

    def psql(self):
        return [*self.console, *OPTIONS, f"--dbname={self.name}"]

    def rows(self, sql):
        done = subprocess.run(self.psql(), input=sql, capture_output=True, text=True, cwd="/", check=False)
        if done.returncode != 0:
            raise unavailable(self.name, done.stderr)
        return [line.split("|") for line in done.stdout.splitlines()]


def unavailable(name, said):
    words = (said.strip().splitlines() or ["no message"])[-1]
    return Fault(f"the database {name} cannot be read: {words}\n  fix: see that Postgres runs on the host")


def counting(tables):
    """SQL that prints a line for each table."""
    return "".join(f"SELECT '{table}', count(*) FROM {table};\n" for table in tables)


class View:
    """One view of the data that a dump and the counts share."""

    def __init__(self, database):
        self.process = subprocess.Popen(
            database.psql(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd="/"
        )
        self.name = database.name
        begin = "BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY;\nSELECT pg_export_snapshot();\n"
        self.snapshot = self.ask(begin, 1)[0]

    def ask(self, sql, lines):
        try:
            self.process.stdin.write(sql)
            self.process.stdin.flush()
        except BrokenPipeError:
            lines = 1
        answer = [self.process.stdout.readline().rstrip("\n") for _ in range(lines)]
        if "" in answer:
            self.process.stdin.close()
            raise unavailable(self.name, self.process.stderr.read())
        return answer

    def close(self):
        self.process.communicate("ROLLBACK;\n")


def dump(database, path, progress):
    """Writes the dump; returns facts about the database and the rows of its tables, both as the dump has them."""
    facts = {key: int(value) for key, value in database.rows(FACTS)}
    require_room(path.parent, facts["bytes"] * 1.1, "the dump of the database")
    view = View(database)
    try:
        rows = dict(line.split("|") for line in view.ask(counting(COUNTED), len(COUNTED)))
        progress(f"dumping the database ({facts['bytes'] // 1024**2} MiB)")
        # Not compressed: restic compresses, and finds what is the same as in the last dump.
        options = ["--format=custom", "--compress=0", f"--snapshot={view.snapshot}", *(f"--exclude-table-data={name}" for name in LEFT_OUT)]
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            argv = [*database.tool("pg_dump"), *options, f"--dbname={database.name}"]
            done = subprocess.run(argv, stdout=file, stderr=subprocess.PIPE, text=True, cwd="/", check=False)
        if done.returncode != 0:
            raise Fault(f"pg_dump failed: {(done.stderr.strip().splitlines() or ['no message'])[-1]}\n  fix: see the log of Postgres")
    finally:
        view.close()
    return {**facts, "rows": {table: int(number) for table, number in rows.items()}}
