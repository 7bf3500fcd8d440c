"""
Answers the questions of a test about Python modules, a line of JSON for each line of JSON. Each question runs in a fork, so it
imports the modules itself and leaves nothing to the next one; only the interpreter starts once.
"""

import io
import json
import os
import sys
import traceback


def answer(program, rows):
    """What the program prints, with `rows` as its standard input."""
    sys.stdin, sys.stdout = io.StringIO(rows), io.StringIO()
    exec(compile(program, "program", "exec"), {"__name__": "__main__"})
    return sys.stdout.getvalue()


def in_fork(program, rows):
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            said = {"said": answer(program, rows)}
        except BaseException:  # SystemExit too: the fork must not go on with the loop below.
            said = {"fault": traceback.format_exc()}
        with open(write, "w", encoding="utf-8") as out:
            json.dump(said, out)
        os._exit(0)
    os.close(write)
    with open(read, encoding="utf-8") as text:
        said = text.read()
    os.waitpid(child, 0)
    return said or '{"fault": "the program ended its process"}'


for line in sys.stdin:
    print(in_fork(*json.loads(line)), flush=True)
