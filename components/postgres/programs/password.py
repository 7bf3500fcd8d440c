"""Where a password on this host is: a file, or `podman:NAME`, a Podman secret of this user."""

import subprocess

PODMAN = "podman:"


class Unreadable(Exception):
    """There is no such password, or it cannot be read."""


def read_password(source):
    if not source.startswith(PODMAN):
        try:
            with open(source, encoding="ascii") as file:
                return file.read().strip()
        except OSError as error:
            raise Unreadable(str(error)) from error
    show = ["podman", "secret", "inspect", "--showsecret", "--format", "{{.SecretData}}", source.removeprefix(PODMAN)]
    try:
        run = subprocess.run(show, capture_output=True, text=True, check=False)
    except FileNotFoundError as error:
        raise Unreadable(str(error)) from error
    if run.returncode != 0:
        raise Unreadable(" ".join(run.stderr.split()))
    return run.stdout.strip()
