"""Keep tailscaled running, now and after each boot. It is never stopped from here: other things may be reached through it.

Usage: daemon.py observe|apply
"""

import subprocess
import sys

from tailscale import UNIT, as_root, die, one_line, root_command


def systemctl(*words):
    run = subprocess.run(["systemctl", *words], capture_output=True, text=True, check=False)
    return run.returncode, run.stdout.strip(), run.stderr.strip()


def observe():
    _, enabled, _ = systemctl("is-enabled", UNIT)
    _, active, _ = systemctl("is-active", UNIT)
    print(f"{enabled or 'not installed'}, {active}")


def apply():
    command = f"systemctl enable --now {UNIT}"
    if not as_root():
        die(f"tailscaled is not running after each boot, and only root can change that: {root_command(command)}")
    status, _, said = systemctl(*command.split()[1:])
    if status != 0:
        die(f"{command} failed: {one_line(said)} See: journalctl -u {UNIT}")


if __name__ == "__main__":
    {"observe": observe, "apply": apply}[sys.argv[1]]()
