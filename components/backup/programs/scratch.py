"""A Postgres cluster of its own for a drill: it shares nothing with the server's, listens on a socket only, and is removed afterwards."""

import contextlib
import os
import pathlib
import shutil
import subprocess

from settings import Fault

# Small: the server needs the memory. Nothing of it must survive a power cut.
SETTINGS = {
    "listen_addresses": "", "shared_buffers": "32MB", "maintenance_work_mem": "32MB", "max_connections": "10",
    "max_parallel_maintenance_workers": "0", "autovacuum": "off", "fsync": "off", "full_page_writes": "off", "synchronous_commit": "off",
    "wal_level": "minimal", "max_wal_senders": "0", "max_wal_size": "256MB", "dynamic_shared_memory_type": "mmap", "jit": "off",
}
DATABASE = "drill"


class Scratch:
    """Runs programs of Postgres as its user, against the cluster."""

    def __init__(self, settings, folder):
        self.programs, self.user = settings["database"]["programs"], settings["database"]["user"]
        self.folder = pathlib.Path(folder)
        self.data = self.folder / "data"

    def run(self, program, *arguments, what, **options):
        argv = [f"{self.programs}/{program}", *arguments]
        environment = {"PATH": os.defpath, "LC_ALL": "C", "PGHOST": str(self.folder), "PGDATABASE": DATABASE, "PGUSER": self.user}
        done = subprocess.run(
            argv, user=self.user, group=self.user, extra_groups=[], env=environment, cwd=self.folder, check=False,
            stderr=subprocess.PIPE, text=True, **{"stdout": subprocess.PIPE, "stdin": subprocess.DEVNULL, **options},
        )
        if done.returncode != 0:
            words = f"{done.stdout or ''}\n{done.stderr or ''}".strip().splitlines() or ["no message"]
            raise Fault(f"{what}: {words[-1]}\n  fix: see journalctl -u hearth-drill")
        return done.stdout

    def rows(self, sql):
        output = self.run("psql", "--no-psqlrc", "-qAt", "--set=ON_ERROR_STOP=1", "-c", sql, what="the restored database cannot be read")
        return [line.split("|") for line in output.splitlines()]

    def load(self, dump):
        with open(dump, "rb") as file:
            options = ["--no-owner", "--no-privileges", "--exit-on-error", f"--dbname={DATABASE}"]
            self.run("pg_restore", *options, what="the dump cannot be restored", stdin=file)


@contextlib.contextmanager
def scratch(settings, folder):
    """A running cluster with an empty database. FOLDER is made, and removed afterwards."""
    cluster = Scratch(settings, folder)
    shutil.rmtree(folder, ignore_errors=True)
    os.mkdir(folder, 0o700)
    shutil.chown(folder, cluster.user, cluster.user)
    started = False
    try:
        made = ["--auth=peer", "--encoding=UTF8", "--locale=C", f"--username={cluster.user}", "--no-sync", f"--pgdata={cluster.data}"]
        cluster.run("initdb", *made, what="a separate database cannot be made")
        settings_words = " ".join(f"-c {key}={value}" for key, value in {**SETTINGS, "unix_socket_directories": cluster.folder}.items())
        control = ["pg_ctl", f"--pgdata={cluster.data}", "--wait", "--timeout=120", "--silent"]
        # Its words go to a file: the server would keep a pipe open.
        start = [*control, f"--log={cluster.folder}/log", f"--options={settings_words}", "start"]
        cluster.run(*start, what="the separate database does not start", stdout=subprocess.DEVNULL)
        started = True
        cluster.run("createdb", "--template=template0", DATABASE, what="a separate database cannot be made")
        yield cluster
    finally:
        if started:
            with contextlib.suppress(Fault):
                cluster.run(*control, "--mode=immediate", "stop", what="stop")
        shutil.rmtree(folder, ignore_errors=True)
