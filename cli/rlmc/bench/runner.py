"""Runs one program on itself and says what came of it. A script: `sandbox` starts it, nothing imports it.

It reads {"program", "word", "seconds", "memory", "file"} from stdin. The word goes to stdout only after the program's
last line, so that a program that leaves early has not passed. What the program prints is thrown away.

Rule: this keeps accidents from doing harm; it is no wall against code that sets out to break it.
"""

import contextlib
import json
import os
import resource
import sys
import types

# What a program here never needs. An audit hook stays for the life of the process, and holds for root as well, whom
# no limit on processes binds.
_REFUSED = ("os.", "shutil.", "subprocess.", "socket.", "ctypes.", "pty.", "signal.", "sqlite3.", "fcntl.")
_ALLOWED = ("os.listdir", "os.scandir", "os.walk", "os.fwalk", "os.putenv", "os.unsetenv")
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


class Refused(Exception):
    """The program asked for something a task never needs."""


def _watch(event: str, arguments: tuple[object, ...]) -> None:
    if event == "open":
        mode, flags = arguments[1], arguments[2]
        writes = isinstance(flags, int) and flags & _WRITES
        if writes or (isinstance(mode, str) and set(mode) & set("wax+")):
            raise Refused("writing a file")
    elif event.startswith(_REFUSED) and event not in _ALLOWED:
        raise Refused(event)


def _limit(kind: str, value: int) -> None:
    """Not every system knows every limit, or lets it be set."""
    with contextlib.suppress(AttributeError, ValueError, OSError):
        resource.setrlimit(getattr(resource, kind), (value, value))


def main() -> None:
    task = json.load(sys.stdin)
    said = os.dup(1)
    nothing = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nothing, descriptor)
    sys.dont_write_bytecode = True
    _limit("RLIMIT_CPU", task["seconds"])
    _limit("RLIMIT_AS", task["memory"])
    _limit("RLIMIT_FSIZE", task["file"])
    _limit("RLIMIT_CORE", 0)
    _limit("RLIMIT_NPROC", 0)
    sys.addaudithook(_watch)
    word = task.pop("word")
    module = types.ModuleType("answer")
    sys.modules["answer"] = module  # a dataclass looks its own module up
    try:
        exec(compile(task["program"], "<answer>", "exec"), module.__dict__)  # noqa: S102 - what it is for
    except BaseException as error:
        word = type(error).__name__
    os.write(said, word.encode())
    os._exit(0)


main()
