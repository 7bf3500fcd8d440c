"""Keep this machine in one tailnet under one name. Never logs it out.

Usage: joined.py observe|apply --name NODE.TAILNET.ts.net --control-url URL --hostname NODE [--auth-key-file FILE]

`observe` prints the present state as one line. `apply` joins: with the auth key, or by a login link, which ends it with
status 1 and the link. The key is read by Tailscale's client itself and is no argument of any program.
"""

import argparse
import subprocess

from tailscale import (
    PROGRAM,
    Unanswered,
    die,
    name_of,
    normal_url,
    one_line,
    read_preferences,
    read_status,
    refuse_stranger,
    root_command,
    tailscale,
    wait_for,
)

JOIN_SECONDS = 90
KEYS_PAGE = "https://login.tailscale.com/admin/settings/keys"
MACHINES_PAGE = "https://login.tailscale.com/admin/machines"
SET_KEY = "npm run pulumi -- config set --secret --path 'hearth:secrets.tunnel.authKey'"
STATES = {
    "NeedsLogin": "not logged in",
    "NeedsMachineAuth": "not yet approved by an admin of the tailnet",
    "Stopped": "logged in, but switched off",
}


def describe(status):
    state = status["BackendState"]
    if state != "Running":
        return STATES.get(state, f"not connected ({state})")
    return f"{name_of(status)} at {normal_url(read_preferences().get('ControlURL', ''))}"


def observe(_):
    try:
        print(describe(read_status()))
    except Unanswered as error:
        print(error)


def login_settings(options):
    """What has to be named at a login. A setting that is there and not named would end it with Tailscale's own advice."""
    preferences = read_preferences()
    operator = preferences.get("OperatorUser")
    return [
        f"--login-server={options.control_url}",
        f"--hostname={options.hostname}",
        *([f"--operator={operator}"] if operator else []),
    ]


def settled():
    status = read_status()
    return status if status["BackendState"] in ("Running", "NeedsMachineAuth", "NeedsLogin", "Stopped") else None


def without_key(said, file):
    with open(file, encoding="utf-8") as stream:
        key = stream.read().strip()
    return one_line(said.replace(key, "(the auth key)") if key else said)


def join_by_key(options):
    run = tailscale(
        "up", f"--auth-key=file:{options.auth_key_file}", *login_settings(options), f"--timeout={JOIN_SECONDS}s",
        seconds=JOIN_SECONDS + 5,
    )
    if run.returncode == 0:
        return
    refuse_stranger(run.stdout)
    said = without_key(run.stdout, options.auth_key_file)
    if "invalid key" in said or "authkey" in said.replace(" ", "").lower():
        die(
            f"the auth key was refused: {said}. It has expired, was used up, or belongs to another tailnet. Make a new one at "
            f"{KEYS_PAGE}, set it by: {SET_KEY} -- and run pulumi up again. (Without a key you are shown a login link.)"
        )
    die(f"tailscale up failed: {said}. See: journalctl -u tailscaled")


def link_of(waiting):
    """The login link, once the daemon has it; nothing when the client ended before."""
    def look():
        return read_status().get("AuthURL") or waiting.poll() is not None
    found = wait_for(JOIN_SECONDS, look)
    return found if isinstance(found, str) else None


def join_by_link(options):
    """The daemon goes on waiting for the login after the client has ended, so the link stays good until it is used."""
    link = read_status().get("AuthURL")
    if not link:
        with subprocess.Popen(
            [PROGRAM, "up", *login_settings(options)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True,
        ) as waiting:
            link = link_of(waiting)
            waiting.terminate()
            said = waiting.stdout.read()
        if not link:
            refuse_stranger(said)
            die(f"tailscale up gave no login link: {one_line(said)}. See: journalctl -u tailscaled")
    die(
        f"this machine is not in a tailnet yet. Open this link, log in, then run pulumi up again:\n\n    {link}\n\n"
        f"(For machines without a person at hand: make an auth key at {KEYS_PAGE} and set it by: {SET_KEY})"
    )


def switch_on():
    # Without any setting: with one, it would want all that differ from the defaults to be named.
    run = tailscale("up", seconds=JOIN_SECONDS)
    if run.returncode != 0:
        refuse_stranger(run.stdout)
        die(f"tailscale up failed: {one_line(run.stdout)}")


def connect(options):
    status = wait_for(30, settled)
    if status is None:
        health = "; ".join(read_status().get("Health") or []) or "it does not say why"
        die(f"tailscaled is not connected: {health}. See: tailscale status")
    state = status["BackendState"]
    if state == "NeedsLogin":
        if options.auth_key_file is None:
            join_by_link(options)
        join_by_key(options)
    elif state == "Stopped":
        switch_on()


def refuse_other_tailnet(options):
    url = normal_url(read_preferences().get("ControlURL", ""))
    if url != normal_url(options.control_url):
        die(
            f"this machine is in a tailnet of {url}, but hearth:tunnel.controlUrl is {options.control_url}. Either write "
            f"that URL, or leave that tailnet first (what you reach through it is cut off): {root_command('tailscale logout')}"
        )


def name_advice(name, hostname):
    base, _, number = name.split(".")[0].rpartition("-")
    if base == hostname and number.isdigit():
        return (
            f"another machine of the tailnet has the name {hostname}: remove or rename it at {MACHINES_PAGE}, rename this "
            f"one there to {hostname}, and run pulumi up again"
        )
    return (
        f"rename it to {hostname} at {MACHINES_PAGE} if it has another name there, and run pulumi up again; what follows "
        "the first dot is the tailnet's own (admin console, DNS page)"
    )


def take_name(options):
    """Asks for the name, when the machine was not told to have it, and waits until the tailnet has given one."""
    if read_preferences().get("Hostname") != options.hostname:
        run = tailscale("set", f"--hostname={options.hostname}")
        if run.returncode != 0:
            refuse_stranger(run.stdout)
            die(f"tailscale set --hostname={options.hostname} failed: {one_line(run.stdout)}")
    wait_for(10, lambda: name_of(read_status()) == options.name)
    name = name_of(read_status())
    if name == options.name:
        return
    reason = name_advice(name, options.hostname)
    die(
        f"the machine's name in the tailnet is {name}, but hearth:homeserver.publicHost is {options.name}; Funnel serves the "
        f"machine's own name only. Either {reason}. Or, before any user exists, write {name} as publicHost (and serverName)."
    )


def apply(options):
    connect(options)
    status = wait_for(JOIN_SECONDS, settled) or {}
    if status.get("BackendState") == "NeedsMachineAuth":
        die(f"this machine waits for an admin's approval: approve it at {MACHINES_PAGE}, then run pulumi up again.")
    wait_for(JOIN_SECONDS, lambda: read_status()["BackendState"] == "Running" and name_of(read_status()))
    refuse_other_tailnet(options)
    take_name(options)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("verb", choices=["observe", "apply"])
    parser.add_argument("--name", required=True)
    parser.add_argument("--control-url", required=True)
    parser.add_argument("--hostname", required=True)
    parser.add_argument("--auth-key-file")
    options = parser.parse_args()
    try:
        (observe if options.verb == "observe" else apply)(options)
    except Unanswered as error:
        die(f"{error}. See: journalctl -u tailscaled")


if __name__ == "__main__":
    main()
