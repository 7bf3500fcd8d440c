"""Load a configuration with the Synapse that will run it, and name every key which that Synapse never reads.

Synapse ignores keys it does not know without a word. So the configuration is handed to Synapse's own parser in
mappings that record what was asked of them; what is left over is a misspelt, misplaced or removed setting.

Usage: <Synapse's python> check_config.py CONFIG...   (files and directories, later ones win, as Synapse itself takes them)
Exit status: 0 when nothing is wrong; 1 with one line for each fault on standard error.
"""

import contextlib
import difflib
import io
import os
import re
import sys

import jinja2
import yaml
from synapse.config._base import Config, ConfigError, find_config_files
from synapse.config.homeserver import HomeServerConfig
from synapse.util import SYNAPSE_VERSION

# Settings that Synapse keeps as a mapping and looks into only while it runs.
READ_LATER = {
    ("password_config", "policy"): {
        "minimum_length",
        "require_digit",
        "require_lowercase",
        "require_symbol",
        "require_uppercase",
    },
    ("database",): {
        "allow_unsafe_locale",
        "args",
        "idle_in_transaction_session_timeout",
        "statement_timeout",
        "synchronous_commit",
        "txn_limit",
    },
}

# Mappings whose keys are the operator's own.
FREE_FORM = {("extra_well_known_client_content",)}


class Record:
    """What was asked of the mappings of one configuration, over all passes."""

    def __init__(self):
        self.asked = {}  # path of a mapping -> the keys that were asked for
        self.copied = set()  # paths of mappings that were walked as a whole: their keys are data
        self.section = None  # the section of Synapse's configuration that is being read
        self.switches = {}  # (path, key) of everything that was off -> the section that asked
        self.turned_on = None  # the one switch that this pass pretends to be on
        self.last = ()  # what was asked for last: where the parser stood when it gave up

    def ask(self, path, key):
        self.asked.setdefault(path, set()).add(key)
        self.last = path + (key,)


class Recorded(dict):
    """A mapping that notes what is asked of it. Behaves as the plain one otherwise."""

    def __init__(self, content, path, record):
        self.path, self.record = path, record
        super().__init__({key: recorded(value, path + (key,), record) for key, value in content.items()})

    def __getitem__(self, key):
        self.record.ask(self.path, key)
        return super().__getitem__(key)

    def __contains__(self, key):
        self.record.ask(self.path, key)
        return super().__contains__(key)

    def get(self, key, default=None):
        self.record.ask(self.path, key)
        value = super().get(key, default)
        if value is False or value is None:
            self.record.switches.setdefault((self.path, key), self.record.section)
            if self.record.turned_on == (self.path, key):
                return True
        return value

    def pop(self, key, *default):
        self.record.ask(self.path, key)
        return super().pop(key, *default)

    def setdefault(self, key, default=None):
        self.record.ask(self.path, key)
        return super().setdefault(key, default)

    def __iter__(self):
        self.record.copied.add(self.path)
        return super().__iter__()

    def keys(self):
        self.record.copied.add(self.path)
        return super().keys()

    def values(self):
        self.record.copied.add(self.path)
        return super().values()

    def items(self):
        self.record.copied.add(self.path)
        return super().items()


def recorded(value, path, record):
    if isinstance(value, dict):
        return Recorded(value, path, record)
    if isinstance(value, list):
        return [recorded(item, path + (index,), record) for index, item in enumerate(value)]
    return value


def load(paths):
    """The merged configuration: top-level keys of later files replace those of earlier ones."""
    files = find_config_files(paths)
    content = {}
    for file in files:
        with open(file, encoding="utf-8") as stream:
            part = yaml.safe_load(stream)
        if not isinstance(part, dict):
            raise ConfigError(f"{file} holds no settings (it must be a mapping)")
        content.update(part)
    for key in ("server_name", "report_stats"):
        if key not in content:
            raise ConfigError("is missing", (key,))
    return files, content


def places(files):
    return {"config_dir_path": os.path.dirname(os.path.abspath(files[-1])), "data_dir_path": os.getcwd()}


def read_section(section, content, files, record):
    record.section = section.section
    section.read_config(recorded(content, (), record), allow_secrets_in_config=False, **places(files))


def parse(files, content, record):
    """One honest pass. Inline secrets are refused: they belong in files that `*_path` settings name."""
    root = HomeServerConfig(files)
    for section in root.config_classes:
        read_section(getattr(root, section.section), content, files, record)
    root.validate_config()
    return root


def parse_with_switches(root, files, content, record):
    """Read again with one switch at a time pretended on, to see what is read only then. Errors mean nothing here."""
    for module in [module for name, module in sys.modules.items() if name.startswith("synapse.config.")]:
        if hasattr(module, "check_requirements"):  # optional libraries of what is off need not be there
            module.check_requirements = lambda *_: None
    Config.read_templates = lambda _self, names, *_: [jinja2.Template("")] * len(names)
    for switch, section in list(record.switches.items()):
        record.turned_on = switch
        with contextlib.suppress(Exception):  # any: a part that is suddenly on may lack whatever it needs
            read_section(type(getattr(root, section))(root), content, files, record)


def unknown_keys(content, record, path=()):
    """Paths that Synapse did not read, next to others that it read. A mapping that it did not look into is kept for later."""
    found = []
    asked = record.asked.get(path, set()) | READ_LATER.get(path, set())
    everything = path in record.copied | FREE_FORM or (path and path not in record.asked)
    for key, value in content.items():
        if not everything and key not in asked:
            found.append(path + (key,))
        else:
            found += unknown_below(value, record, path + (key,))
    return found


def unknown_below(value, record, path):
    if isinstance(value, dict):
        return unknown_keys(value, record, path)
    if isinstance(value, list):
        return [bad for index, item in enumerate(value) for bad in unknown_below(item, record, path + (index,))]
    return []


def dotted(path):
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text


def explain_unknown(path, record):
    parent = path[:-1]
    known = sorted(str(key) for key in record.asked.get(parent, set()) | READ_LATER.get(parent, set()))
    near = difflib.get_close_matches(str(path[-1]), known, n=2, cutoff=0.75)
    hint = ""
    if near:
        hint = f" Did you mean {' or '.join(near)}?"
    elif path[-1] in record.asked.get((), set()):
        hint = " It is a setting of the top level."
    elif parent and len(known) < 12:
        hint = f" Known there: {', '.join(known)}."
    return f"{dotted(path)}: Synapse {SYNAPSE_VERSION} never reads this setting.{hint} Correct or remove it."


def patterns(content):
    """Regular expressions that Synapse compiles only when it needs them, long after its start."""
    for index, rule in enumerate(content.get("allowed_local_3pids") or []):
        if isinstance(rule, dict):
            yield ("allowed_local_3pids", index, "pattern"), rule.get("pattern")
    for index, rule in enumerate(content.get("url_preview_url_blacklist") or []):
        for key, value in rule.items() if isinstance(rule, dict) else ():
            if isinstance(value, str) and value.startswith("^"):
                yield ("url_preview_url_blacklist", index, key), value


def bad_patterns(content):
    for path, pattern in patterns(content):
        try:
            re.compile(pattern)
        except (re.error, TypeError) as error:
            yield f"{dotted(path)}: {pattern!r} is not a regular expression: {error}. Correct it."


def faults(paths):
    files, content = load(paths)
    record = Record()
    try:
        root = parse(files, content, record)
    except Exception as error:  # any: a wrong type makes Synapse's parser raise whatever Python raises
        return [describe(error, record)]
    if unknown_keys(content, record):
        parse_with_switches(root, files, content, record)
    bad = [explain_unknown(path, record) for path in unknown_keys(content, record)]
    return bad + list(bad_patterns(content))


def describe(error, record):
    """One line for what stopped the parser."""
    if isinstance(error, ConfigError):
        where = dotted(tuple(error.path)) + ": " if error.path else ""
        cause = f" ({error.__cause__})" if error.__cause__ else ""
        return " ".join(f"{where}{error.msg}{cause}".split())
    if isinstance(error, yaml.YAMLError):
        return " ".join(f"not valid YAML: {error}".split())
    place = f" at {dotted(record.last)}" if record.last else ""
    return f"Synapse {SYNAPSE_VERSION} cannot read this configuration{place}: {type(error).__name__}: {error}"


def main():
    if len(sys.argv) < 2:
        sys.exit("usage: check_config.py CONFIG...")
    try:
        with contextlib.redirect_stderr(io.StringIO()):  # Synapse prints advice there
            found = faults(sys.argv[1:])
    except (ConfigError, yaml.YAMLError, OSError) as error:
        found = [describe(error, Record())]
    for fault in found:
        print(fault, file=sys.stderr)
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
