#!/usr/local/bin/python
"""Keeps the documented contract of the official image's entry point: its modes, and what it reads of the environment."""

import json
import os
import platform
import secrets
import subprocess
import sys


def fail(message):
    print(message, file=sys.stderr)
    sys.exit(2)


def required(name):
    if name not in os.environ:
        fail(f"Environment variable '{name}' is mandatory when generating a config file.")
    return os.environ[name]


def owner():
    """Uid and gid that Synapse runs as, when not as the user it is started as."""
    if "UID" in os.environ:
        return int(os.environ["UID"]), int(os.environ.get("GID", "991"))
    return (991, 991) if os.getuid() == 0 else None


def as_owner(argv):
    if owner() is None:
        return argv
    uid, gid = owner()
    return ["setpriv", f"--reuid={uid}", f"--regid={gid}", "--clear-groups", *argv]


def chown(path, recursive):
    if owner() is not None:
        uid, gid = owner()
        subprocess.run(["chown", *(["-R"] if recursive else []), f"{uid}:{gid}", path], check=True)


def synapse(*arguments):
    return [sys.executable, "-m", os.environ.get("SYNAPSE_WORKER", "synapse.app.homeserver"), *arguments]


LOGGING = {
    "version": 1,
    "formatters": {"plain": {"format": "%(asctime)s - %(name)s - %(lineno)d - %(levelname)s - %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "plain"}},
    "root": {"level": "INFO", "handlers": ["console"]},
}


def write(path, document):
    """JSON, which is YAML too; readable by its owner."""
    with open(path, "w", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
        json.dump(document, file, indent=2)


def generate(config_dir, config_path, data_dir):
    """Synapse's own generated configuration and missing keys, with a log on the console."""
    server_name, report = required("SYNAPSE_SERVER_NAME"), required("SYNAPSE_REPORT_STATS")
    log_config = f"{config_dir}/{server_name}.log.config"
    if not os.path.exists(log_config):
        write(log_config, LOGGING)
        chown(log_config, recursive=False)
    chown(data_dir, recursive=False)
    arguments = ["--server-name", server_name, "--report-stats", report, "--config-path", config_path]
    folders = ["--config-directory", config_dir, "--data-directory", data_dir]
    subprocess.run(as_owner(synapse(*arguments, *folders, "--generate-config", "--open-private-ports")), check=True)


def migrate(config_dir, config_path, data_dir):
    """A configuration from the environment variables of older images."""
    os.makedirs(config_dir, exist_ok=True)
    environ = os.environ
    database = {"name": "sqlite3", "args": {"database": f"{data_dir}/homeserver.db"}}
    if "POSTGRES_PASSWORD" in environ:
        keys = {"user": "POSTGRES_USER", "password": "POSTGRES_PASSWORD", "dbname": "POSTGRES_DB", "host": "POSTGRES_HOST"}
        defaults = {"user": "synapse", "dbname": "synapse", "host": "db"}
        database = {"name": "psycopg2", "args": {key: environ.get(name, defaults.get(key)) for key, name in keys.items()}}
    write(f"{config_dir}/log.config", LOGGING)
    config = {
        "log_config": f"{config_dir}/log.config",
        "server_name": required("SYNAPSE_SERVER_NAME"),
        "report_stats": required("SYNAPSE_REPORT_STATS") in ("yes", "true"),
        "listeners": [{"port": 8008, "type": "http", "bind_addresses": ["0.0.0.0"], "resources": [{"names": ["client", "federation"]}]}],
        "database": database,
        "media_store_path": f"{data_dir}/media",
        "registration_shared_secret": environ.get("SYNAPSE_REGISTRATION_SHARED_SECRET", secrets.token_hex(32)),
        "macaroon_secret_key": environ.get("SYNAPSE_MACAROON_SECRET_KEY", secrets.token_hex(32)),
    }
    write(config_path, config)
    chown(data_dir, recursive=True)
    subprocess.run(as_owner(synapse("--config-path", config_path, "--keys-directory", config_dir, "--generate-keys")), check=True)


def run(arguments, config_path):
    if not any(word.startswith(("--config-path", "-c")) for word in arguments):
        if not os.path.exists(config_path):
            fail(f"Config file '{config_path}' does not exist. Make one with the `generate` argument, or set SYNAPSE_CONFIG_PATH.")
        arguments = [*arguments, "--config-path", config_path]
    argv = [sys.executable, *arguments] if "-m" in arguments else synapse(*arguments)
    allocator = f"/usr/lib/{platform.machine()}-linux-gnu/libjemalloc.so.2"
    if os.path.isfile(allocator):
        os.environ["LD_PRELOAD"] = allocator
    print("Starting synapse with args", *argv[1:], flush=True)
    argv = as_owner(argv)
    os.execvp(argv[0], argv)


def main():
    mode, arguments = (sys.argv[1] if len(sys.argv) > 1 else "run"), sys.argv[2:]
    config_dir = os.environ.get("SYNAPSE_CONFIG_DIR", "/data")
    config_path = os.environ.get("SYNAPSE_CONFIG_PATH", f"{config_dir}/homeserver.yaml")
    data_dir = os.environ.get("SYNAPSE_DATA_DIR", "/data")
    if mode == "generate":
        generate(config_dir, config_path, data_dir)
    elif mode == "migrate_config":
        migrate(config_dir, config_path, data_dir)
    elif mode == "run":
        run(arguments, config_path)
    else:
        fail(f"Unknown execution mode '{mode}'")


main()
