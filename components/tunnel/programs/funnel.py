"""Keep Tailscale Funnel on one public port leading to one local URL. What is served on other ports is left alone.

Usage: funnel.py observe|apply|start|stop --port PORT --target URL

`observe` prints what the daemon serves on that port, as one line. `apply` makes it lead to the target, through the daemon,
which keeps it over reboots. `start` and `stop` are for the unit that stands for it: `start` is `apply` that waits for the
daemon and asks nothing of a machine without a network; `stop` switches it off unless the whole machine stops.
"""

import argparse
import subprocess
import sys

from tailscale import (
    Unanswered,
    die,
    name_of,
    one_line,
    read_json,
    read_status,
    refuse_stranger,
    self_of,
    tailscale,
    wait_for,
)

DNS_PAGE = "https://login.tailscale.com/admin/dns"
POLICY_PAGE = "https://login.tailscale.com/admin/acls/file"


def target_of(handler):
    for kind in ("Proxy", "Path", "Text", "Redirect"):
        if handler.get(kind):
            return handler[kind] if kind == "Proxy" else f"{kind.lower()} {handler[kind]}"
    return "nothing"


def handlers_of(config, port, name):
    """Mount points on the port and where they lead. Names that the machine no longer has are reachable by nobody."""
    tcp = config.get("TCP", {}).get(str(port))
    if tcp is None:
        return {}
    if tcp.get("TCPForward"):
        return {"tcp": tcp["TCPForward"]}
    web = config.get("Web", {}).get(f"{name}:{port}", {})
    return {mount: target_of(handler) for mount, handler in web.get("Handlers", {}).items()}


def describe_one(config, port, name):
    handlers = handlers_of(config, port, name)
    if not handlers:
        return []
    kind = "funnel" if config.get("AllowFunnel", {}).get(f"{name}:{port}") else "tailnet only"
    leads = ", ".join(target if mount == "/" else f"{mount} -> {target}" for mount, target in sorted(handlers.items()))
    return [f"{kind} {port} -> {leads}"]


def describe(config, port, name):
    lines = describe_one(config, port, name)
    for session in (config.get("Foreground") or {}).values():
        lines += [f"{line} (in a terminal)" for line in describe_one(session, port, name)]
    return "; ".join(lines) or f"nothing on {port}"


def read_served():
    return read_json("serve", "status", "--json")


def state_of(options):
    status = read_status()
    if status["BackendState"] != "Running":
        return f"not connected ({status['BackendState']})"
    return describe(read_served(), options.port, name_of(status))


def observe(options):
    try:
        print(one_line(state_of(options)))
    except Unanswered as error:
        print(error)


def wanted(options):
    return f"funnel {options.port} -> {options.target}"


def turn_off(port, mount):
    where = ["--tcp" if mount == "tcp" else "--https", str(port)]
    path = [] if mount in ("tcp", "/") else [f"--set-path={mount}"]
    run = tailscale("funnel", "=".join(where), *path, "off")
    if run.returncode != 0:
        refuse_stranger(run.stdout)
        die(f"what is served on {port} ({mount}) could not be switched off: {one_line(run.stdout)}")


def lacks(status, ability):
    return ability not in (self_of(status).get("CapMap") or {})


def policy_advice(status, port):
    """What the tailnet lacks, by what the machine was told it may do."""
    advice = []
    if lacks(status, "https"):
        advice.append(f"switch on MagicDNS and HTTPS certificates at {DNS_PAGE}")
    if lacks(status, "funnel"):
        rule = '"nodeAttrs": [{"target": ["autogroup:member"], "attr": ["funnel"]}]'
        advice.append(f"add to the tailnet's policy file at {POLICY_PAGE}: {rule} (for a tagged machine its tag as target)")
    if not advice:
        advice.append(f"look whether the tailnet's policy allows Funnel on port {port}: {POLICY_PAGE}")
    return "; ".join(advice)


def turn_on(options):
    # Where the tailnet does not allow it, the client says so and waits for a person.
    forbidden = any(lacks(read_status(), ability) for ability in ("https", "funnel"))
    seconds = 5 if forbidden else 30
    run = tailscale("funnel", "--bg", "--yes", f"--https={options.port}", options.target, seconds=seconds)
    if run.returncode == 0 and state_of(options) == wanted(options):
        return
    refuse_stranger(run.stdout)
    said = one_line(run.stdout) or f"it did not answer in {seconds} s"
    if "shields-up" in said:
        die(f"Tailscale says: {said}. Let connections in again: tailscale set --shields-up=false")
    die(f"Tailscale says: {said} -- To allow it: {policy_advice(read_status(), options.port)}. Then run pulumi up again.")


def apply(options):
    status = read_status()
    if state_of(options) == wanted(options):
        return
    for mount in handlers_of(read_served(), options.port, name_of(status)):
        if mount != "/":
            turn_off(options.port, mount)
    turn_on(options)


def is_connected():
    return read_status()["BackendState"] == "Running"


def start(options):
    # At a boot without a network the daemon does not know yet what it serves; it will by itself, for it keeps that.
    if wait_for(60, is_connected):
        wait_for(5, lambda: state_of(options) == wanted(options))
        apply(options)
    else:
        print("Tailscale is not connected; what it served before comes back by itself")


def stop(options):
    shutdown = subprocess.run(["systemctl", "is-system-running"], capture_output=True, text=True, check=False)
    if shutdown.stdout.strip() == "stopping":
        return
    # Only a connected daemon tells or changes what it serves.
    if not wait_for(15, is_connected):
        print(f"Tailscale is not connected; once it is, switch Funnel off: tailscale funnel --https={options.port} off")
    elif handlers_of(read_served(), options.port, name_of(read_status())).get("/") == options.target:
        turn_off(options.port, "/")


def main():
    verbs = {"observe": observe, "apply": apply, "start": start, "stop": stop}
    parser = argparse.ArgumentParser()
    parser.add_argument("verb", choices=verbs)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--target", required=True)
    options = parser.parse_args()
    try:
        verbs[options.verb](options)
    except Unanswered as error:
        die(f"{error}. See: journalctl -u tailscaled")


if __name__ == "__main__":
    sys.exit(main())
