"""Builds one Python environment from wheels that are named by their hashes. Called by prepare.sh, with `python3 -I`:

  settings FOLDER   as root: what this host says about the Python index and the way to it, into FOLDER
  build FOLDER PATH SITE   as a user without rights: makes the environment in PATH and looks at it
  pip FOLDER, look FOLDER   parts of build, run by the environment's own interpreter

FOLDER holds `requirements.txt`. Of pip's settings only those that lead to the index count; what changes how packages are
installed (user, target, no-binary, constraint ...) would make another environment than the wanted one. The last line that
begins with `hearth: ` is the reason of a failure in one sentence. Values of settings may hold passwords: they are in no
argument, and are hidden in every message.
"""

import base64
import configparser
import http.client
import importlib.metadata
import json
import os
import re
import runpy
import shutil
import ssl
import subprocess
import sys
import sysconfig
import time
import urllib.error
import urllib.parse
import urllib.request

DEFAULT_INDEX = "https://pypi.org/simple"
SYSTEM_BUNDLE = "/etc/ssl/certs/ca-certificates.crt"
# Settings that may hold several values.
LISTS = ("extra-index-url", "find-links", "trusted-host")
WAYS = (*LISTS, "index-url", "no-index", "proxy", "cert", "client-cert", "cache-dir", "timeout", "retries", "resume-retries")
# A mirror that is gone is told within a minute; a slow one gets its time.
TRIES, PAUSE, PATIENCE = 3, 2, 15
LIMITS = {"timeout": ("30", 120), "retries": ("3", 10), "resume-retries": ("5", 20)}


class Fault(Exception):
    """Why there is no environment, in one sentence for the operator."""


# What the host says


def configuration_files():
    home = os.path.expanduser("~")
    folders = os.environ.get("XDG_CONFIG_DIRS", "/etc/xdg").split(":")
    return [
        *(os.path.join(folder, "pip", "pip.conf") for folder in reversed(folders) if folder),
        "/etc/pip.conf",
        os.path.join(home, ".pip", "pip.conf"),
        os.path.join(os.environ.get("XDG_CONFIG_HOME", os.path.join(home, ".config")), "pip", "pip.conf"),
    ]


def read_settings(files):
    """pip's settings that lead to the index, and where each is set; later files win, [install] wins over [global]."""
    values, places = {}, {}
    for file in files:
        parser = configparser.RawConfigParser()
        try:
            with open(file, encoding="utf-8") as lines:
                parser.read_file(lines)
        except OSError:
            continue
        except (configparser.Error, UnicodeDecodeError) as error:
            raise Fault(f"{file} is not a configuration of pip: {str(error).splitlines()[0]}") from error
        for section in ("global", "install"):
            for key, value in parser.items(section) if parser.has_section(section) else []:
                name = key.replace("_", "-").removeprefix("default-")
                if name in WAYS:
                    values[name] = value.split() if name in LISTS else value.strip()
                    places[name] = f"{name} in {file}, section [{section}]"
    return values, places


def bounded(values):
    """Times and tries as numbers that end: forever is never what an operator waits for."""
    for name, (default, most) in LIMITS.items():
        text = values.get(name, default)
        number = int(float(text)) if re.fullmatch(r"\d+(\.\d+)?", text) else int(default)
        values[name] = max(1, min(number, most))
    return values


def save_settings(folder, files=None):
    values, places = read_settings(files or configuration_files())
    values = bounded(values)
    if "cert" not in values and os.path.exists(SYSTEM_BUNDLE):
        # pip trusts its own bundle only; the host's administrator may have added authorities to the system's.
        values["cert"] = SYSTEM_BUNDLE
    for name in ("cert", "client-cert"):
        if name in values:
            # Perhaps nobody but root may read it.
            copy = os.path.join(folder, name)
            try:
                shutil.copyfile(os.path.expanduser(values[name]), copy)
            except OSError as error:
                raise Fault(f"{values[name]} ({places.get(name, name)}) cannot be read: {error.strerror}") from error
            os.chmod(copy, 0o644)
    if str(values.get("no-index", "")).lower() not in ("1", "true", "yes", "on"):
        values.pop("no-index", None)
    with open(os.path.join(folder, "settings.json"), "w", encoding="utf-8") as out:
        json.dump({"values": values, "places": places}, out)
    cache = values.get("cache-dir", "")
    if re.fullmatch(r"/[A-Za-z0-9._/-]+", cache) and os.path.isdir(cache):
        print(cache)


def load_settings(folder):
    with open(os.path.join(folder, "settings.json"), encoding="utf-8") as text:
        saved = json.load(text)
    values = saved["values"]
    # The folder is elsewhere by now.
    values.update({name: os.path.join(folder, name) for name in ("cert", "client-cert") if name in values})
    return values, saved["places"]


def wanted_of(folder):
    """Name and version of each requirement."""
    with open(os.path.join(folder, "requirements.txt"), encoding="utf-8") as lines:
        found = [re.match(r"([A-Za-z0-9._-]+)(?:\[[^]]*\])?==(\S+)", line) for line in lines]
    return [(match[1], match[2]) for match in found if match]


def normal(name):
    return re.sub(r"[-_.]+", "-", name).lower()


# The index


def hidden(url):
    """The URL without the password that may be in it."""
    return re.sub(r"(://)[^/@]*@", r"\1[hidden]@", url)


def opener_for(values, host):
    trusted = any(host in (entry, entry.rsplit(":", 1)[0]) for entry in values.get("trusted-host", []))
    context = ssl._create_unverified_context() if trusted else ssl.create_default_context(cafile=values.get("cert"))
    if "client-cert" in values:
        context.load_cert_chain(values["client-cert"])
    proxy = values.get("proxy")
    if proxy and "://" not in proxy:
        proxy = f"http://{proxy}"
    proxies = urllib.request.ProxyHandler({"http": proxy, "https": proxy} if proxy else None)
    return urllib.request.build_opener(proxies, urllib.request.HTTPSHandler(context=context))


def request_for(index, name):
    parts = urllib.parse.urlsplit(f"{index.rstrip('/')}/{normal(name)}/")
    login, _, address = parts.netloc.rpartition("@")
    headers = {"Accept": "application/vnd.pypi.simple.v1+html, text/html;q=0.5, */*;q=0.1", "User-Agent": "pip (hearth)"}
    if login:
        headers["Authorization"] = "Basic " + base64.b64encode(urllib.parse.unquote(login).encode()).decode()
    return urllib.request.Request(parts._replace(netloc=address).geturl(), headers=headers), parts.hostname or ""


def reason_of(error):
    """An exception's own words; those of the network are wrapped in those of urllib."""
    inner = getattr(error, "reason", None)
    error = inner if isinstance(inner, Exception) else error
    return getattr(error, "strerror", None) or str(error) or type(error).__name__


def ask(values, index, name):
    """None when the index has the project; else what it answered instead."""
    request, host = request_for(index, name)
    answer = ""
    for attempt in range(TRIES):
        if attempt:
            time.sleep(PAUSE)
        try:
            with opener_for(values, host).open(request, timeout=PATIENCE):
                return None
        except urllib.error.HTTPError as error:
            answer = f"answered {error.code} {error.reason} for {normal(name)}"
            if error.code < 500 and error.code != 429:
                return answer
        except (OSError, http.client.HTTPException, ValueError) as error:
            answer = f"cannot be reached: {reason_of(error)}"
    return answer


def indexes_of(values):
    if "no-index" in values:
        return []
    main = values.get("index-url") or DEFAULT_INDEX
    return [(main, "index-url"), *((url, "extra-index-url") for url in values.get("extra-index-url", []))]


def ask_indexes(values, places, name):
    """
    Ends with one sentence about every index when none of them has the project. pip itself would try for minutes and then
    say that there is no such package.
    """
    asked = [(url, setting) for url, setting in indexes_of(values) if re.match(r"https?://", url)]
    if len(asked) != len(indexes_of(values)) or values.get("find-links"):
        return  # Folders of wheels are pip's to read.
    answers = []
    for url, setting in asked:
        answer = ask(values, url, name)
        if answer is None:
            return
        place = places.get(setting, "pip's own default; another one is set as index-url in /etc/pip.conf")
        answers.append(f"the Python index {hidden(url)} {answer} ({place})")
    if answers:
        proxy = values.get("proxy")
        through = f"; asked through the proxy {hidden(proxy)} ({places.get('proxy', 'proxy')})" if proxy else ""
        raise Fault("; ".join(answers) + through)


# The build


def clean_environment(temporary):
    kept = ("http_proxy", "https_proxy", "no_proxy", "all_proxy")
    proxies = {name: value for name, value in os.environ.items() if name.lower() in kept}
    return {
        **proxies,
        "PATH": "/usr/bin:/bin",
        "LANG": "C.UTF-8",
        "HOME": temporary,
        "TMPDIR": temporary,
        # No configuration file at all; what counts is in settings.json.
        "PIP_CONFIG_FILE": os.devnull,
    }


def build(folder, path, site):
    values, places = load_settings(folder)
    wanted = wanted_of(folder)
    ask_indexes(values, places, wanted[0][0])
    environment = clean_environment(os.environ.get("TMPDIR", "/tmp"))
    me = os.path.abspath(__file__)

    def step(*words):
        streams = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
        return subprocess.run(words, env=environment, text=True, errors="replace", check=False, **streams)

    site_packages = ["--system-site-packages"] if site == "1" else []
    made = step(sys.executable, "-I", "-m", "venv", *site_packages, path)
    if made.returncode:
        print(made.stdout, end="")
        raise Fault(f"{sys.executable} -m venv failed; is the package python3-venv whole?")
    python = os.path.join(path, "bin", "python")
    installed = step(python, "-I", me, "pip", folder)
    if installed.returncode:
        print(without_passwords(installed.stdout), end="")
        missing = re.findall(r"No matching distribution found for ([A-Za-z0-9._-]+)\S*", installed.stdout)
        if missing:
            ask_indexes(values, places, missing[-1])
            here = f"Python {sys.version_info[0]}.{sys.version_info[1]} on {os.uname().machine}"
            raise Fault(f"the index has no wheel of {missing[-1]} in the locked version for {here} (an old mirror?)")
        raise Fault(last_error(installed.stdout))
    looked = step(python, "-I", me, "look", folder)
    print(looked.stdout, end="")
    return looked.returncode


def without_passwords(text):
    return re.sub(r"(://)[^/@\s]*@", r"\1[hidden]@", text)


def last_error(output):
    lines = [line for line in without_passwords(output).splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith("ERROR:")]
    return "pip: " + (errors or lines or ["no word"])[-1].removeprefix("ERROR: ").strip()


def pip(folder):
    """pip without anybody's settings; its arguments are set in here, where a process list does not show them."""
    values, _ = load_settings(folder)
    cache = values.get("cache-dir")
    usable = cache and os.access(cache, os.W_OK)
    arguments = [
        *("install", "--isolated", "--no-input", "--disable-pip-version-check", "--no-warn-script-location", "--quiet"),
        *("--require-hashes", "--only-binary", ":all:", "--no-deps", "--force-reinstall"),
        *(("--cache-dir", cache) if usable else ("--no-cache-dir",)),
        *("--timeout", str(values["timeout"]), "--retries", str(values["retries"])),
        *("--requirement", os.path.join(folder, "requirements.txt")),
    ]
    version = [int(part) for part in re.findall(r"\d+", importlib.metadata.version("pip"))[:2]]
    if version >= [25, 1]:
        arguments += ["--resume-retries", str(values["resume-retries"])]
    for name in ("cert", "client-cert", "proxy", "index-url"):
        if values.get(name):
            arguments += [f"--{name}", values[name]]
    for name in LISTS:
        for value in values.get(name, []):
            arguments += [f"--{name}", value]
    if "no-index" in values:
        arguments.append("--no-index")
    sys.argv = ["pip", *arguments]
    runpy.run_module("pip", run_name="__main__", alter_sys=True)


def look(folder):
    """Every wanted distribution is in this very environment, once, in its version, with all its files."""
    paths = sysconfig.get_paths()
    places = list(dict.fromkeys([paths["purelib"], paths["platlib"]]))
    found = {}
    for distribution in importlib.metadata.distributions(path=places):
        found.setdefault(normal(distribution.metadata["Name"]), []).append(distribution)
    faults = []
    for name, version in wanted_of(folder):
        there = found.get(normal(name), [])
        if [item.version for item in there] != [version]:
            has = ", ".join(item.version for item in there) or "nothing"
            faults.append(f"{name} {version} is not in it (there is {has})")
            continue
        gone = [str(file) for file in there[0].files or [] if not os.path.exists(there[0].locate_file(file))]
        if gone:
            faults.append(f"{name} lacks {gone[0]}")
    if faults:
        raise Fault(f"pip said that it was done, but the environment is not whole: {'; '.join(faults[:5])}")


def main(command, folder, *rest):
    try:
        if command == "settings":
            save_settings(folder)
        elif command == "build":
            return build(folder, *rest)
        elif command == "pip":
            pip(folder)
        elif command == "look":
            look(folder)
    except Fault as fault:
        print(f"hearth: {fault}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
