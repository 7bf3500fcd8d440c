"""Start Synapse with the given configuration, away from everything: an empty database in memory, a socket instead of ports.

Finds what reading the configuration cannot: settings that only fail when a part of Synapse is built from them.
Meant to run as Synapse's user, without network.

Usage: <Synapse's python> dry_start.py CONFIG...
Exit status: 0 as soon as Synapse answers; 1 with its last lines on standard error when it ends or stays silent.
"""

import os
import socket
import subprocess
import sys
import tempfile
import time

import yaml

ANSWER_SECONDS = 50
LAST_LINES = 15


def write_overrides(folder):
    """A last file for Synapse: whole blocks replace the real ones."""
    path, listener = os.path.join(folder, "dry-start.yaml"), os.path.join(folder, "dry-start.sock")
    overrides = {
        "database": {"name": "sqlite3", "args": {"database": ":memory:"}},
        "listeners": [{"path": listener, "type": "http", "resources": [{"names": ["client", "federation"]}]}],
        "log_config": None,
        "pid_file": os.path.join(folder, "pid"),
    }
    with open(path, "w", encoding="utf-8") as file:
        yaml.safe_dump(overrides, file)
    return path, listener


def answers(listener):
    try:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(5)
            connection.connect(listener)
            connection.sendall(b"GET /health HTTP/1.0\r\n\r\n")
            return b" 200 " in connection.recv(64)
    except OSError:
        return False


def last_lines(path):
    with open(path, encoding="utf-8", errors="replace") as file:
        lines = [line.rstrip() for line in file if line.strip()]
    # A long log ends in the reason; INFO lines of the start before it only hide it.
    telling = [line for line in lines if " - INFO - " not in line] or lines
    return "\n".join(telling[-LAST_LINES:])


def wait(process, listener):
    """What went wrong, or nothing when Synapse answered."""
    deadline = time.monotonic() + ANSWER_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            return f"Synapse ended with status {process.returncode} while starting with this configuration"
        if answers(listener):
            return None
        time.sleep(0.1)
    return f"Synapse did not answer within {ANSWER_SECONDS} s of starting with this configuration"


def main():
    if len(sys.argv) < 2:
        sys.exit("usage: dry_start.py CONFIG...")
    with tempfile.TemporaryDirectory(prefix="dry-start-") as folder:
        overrides, listener = write_overrides(folder)
        configs = [f"--config-path={os.path.abspath(path)}" for path in [*sys.argv[1:], overrides]]
        log = os.path.join(folder, "log")
        with open(log, "w", encoding="utf-8") as output:
            environment = {key: value for key, value in os.environ.items() if key != "NOTIFY_SOCKET"}
            launcher = os.path.join(os.path.dirname(os.path.abspath(__file__)), "listen.py")
            process = subprocess.Popen(
                [sys.executable, "-B", launcher, listener, "synapse.app.homeserver", *configs],
                stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, cwd=folder, env=environment,
            )
        try:
            fault = wait(process, listener)
        finally:
            process.kill()
            process.wait()
        if fault:
            print(f"{last_lines(log)}\n{fault}", file=sys.stderr)
            sys.exit(1)


if __name__ == "__main__":
    main()
