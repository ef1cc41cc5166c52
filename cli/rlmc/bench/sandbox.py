"""Executes what a model wrote, with the tests behind it, in a process of its own. Never in this one.

The process has its own group, an empty temporary folder, no environment, and limits on processor time, memory, file
size and processes; a wall clock ends the group. Files cannot be written, programs and sockets not be opened through
Python's own functions. The network as such is not cut off, and code that sets out to break out can: whoever does not
trust a model that far runs `rlmc bench` in a container.

Rule: whatever the program does, what comes back is a value. Only where no program can be run at all there is an error,
for that says nothing of the program.
"""

from __future__ import annotations

import json
import os
import secrets
import signal
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

from rlmc.bench.task import RIGHT, Verdict
from rlmc.domain.frozen import dataclass
from rlmc.errors import RlmcError

_RUNNER = Path(__file__).with_name("runner.py")
_END_SECONDS = 5.0
_MOST_WORD = 80


class SandboxError(RlmcError):
    """There is no process to be had."""

    code = "sandbox"


@dataclass(frozen=True, slots=True)
class Limits:
    """`wall_seconds` counts from the start, also while the program sleeps."""

    cpu_seconds: int = 10
    wall_seconds: float = 20.0
    memory: int = 1 << 30
    file: int = 1 << 20


LIMITS = Limits()


def passes(program: str, limits: Limits = LIMITS) -> Verdict:
    """Whether the program comes to its end without an error."""
    word = secrets.token_hex(16)
    task = {
        "program": program,
        "word": word,
        "seconds": limits.cpu_seconds,
        "memory": limits.memory,
        "file": limits.file,
    }
    with tempfile.TemporaryDirectory(prefix="rlmc-bench-") as folder:
        try:
            process = subprocess.Popen(  # noqa: S603 - this Python, our own script
                [sys.executable, "-I", "-S", "-X", "utf8", str(_RUNNER)],
                cwd=folder,
                env={},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
        except OSError as error:
            raise SandboxError(f"the sandbox does not start: {error.strerror}", "try a smaller --parallel") from error
        with process:
            return _verdict(process, json.dumps(task).encode(), word, limits.wall_seconds)


def _verdict(process: subprocess.Popen[bytes], task: bytes, word: str, seconds: float) -> Verdict:
    try:
        said, _ = process.communicate(task, timeout=seconds)
    except subprocess.TimeoutExpired:
        return Verdict(False, "timeout")
    finally:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        with suppress(subprocess.TimeoutExpired):
            process.wait(_END_SECONDS)
    if process.returncode in (-signal.SIGXCPU, -signal.SIGKILL):
        return Verdict(False, "timeout")
    if said == word.encode():
        return RIGHT
    name = said[:_MOST_WORD].decode("ascii", "replace")
    match name:
        case "MemoryError":
            return Verdict(False, "out of memory")
        case "AssertionError":
            return Verdict(False, "a test fails")
        case "Refused":
            return Verdict(False, "refused by the sandbox")
        case "":
            return Verdict(False, "ended early")
    return Verdict(False, "a test ends in an error" if name != "SyntaxError" else "no valid Python")
