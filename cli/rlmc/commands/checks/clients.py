"""Agents on this machine: which are on PATH, and of which version."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from rlmc.commands.checks.check import Check
from rlmc.launch.integrations import PROGRAMS

PATIENCE = 5.0
_VERSION = re.compile(r"\d+\.\d+[\w.+-]*")


def check_clients(path: str | None, names: Sequence[str] = PROGRAMS, patience: float = PATIENCE) -> list[Check]:
    """One check for each agent found. `path` is a search path as in PATH."""
    found = [(name, place) for name in names if (place := shutil.which(name, path=path))]
    if not found:
        return [Check("clients", "warn", f"none found of {', '.join(names)}", "Any command works: rlmc run -- COMMAND")]
    with ThreadPoolExecutor(len(found)) as pool:
        versions = list(pool.map(lambda one: version_of(one[1], patience), found))
    return [
        Check("client", "ok", f"{name} {version or '(version unknown)'}, {place}")
        for (name, place), version in zip(found, versions, strict=True)
    ]


def version_of(program: str, patience: float) -> str | None:
    """What `--version` says, None if it says nothing in time. It must never wait for somebody to type."""
    try:
        process = subprocess.Popen(  # noqa: S603 - a program of the user's own PATH
            [program, "--version"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    except OSError:
        return None
    with process:
        try:
            said, _ = process.communicate(timeout=patience)
        except subprocess.TimeoutExpired:
            # With its children: an agent is often a script around the real program.
            os.killpg(process.pid, signal.SIGKILL)
            return None
    match = _VERSION.search(said.decode("utf-8", "replace"))
    return match[0] if match else None
