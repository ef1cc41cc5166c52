"""Other people's servers for the same table, from a folder that somebody has set up.

The folder holds `servers.py` with a table MINI and `peers.py` with a table PEERS (one of them is enough): name -> dict
of `cmd`, `port`, and if need be `env`, `cwd`, `path`, `health`, `headers` ("name: value") and `kind` ("a": speaks
Anthropic Messages; others are passed over). All of them must use an upstream at 127.0.0.1:9001, and take the bearer
token `sk-1234` where they want one.

Rule: what is not installed is passed over, what does not answer properly is left out with its reason.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.bench.process import Process, healthy

UPSTREAM_PORT = 9001
_TABLES = (("servers.py", "MINI"), ("peers.py", "PEERS"))
_START_SECONDS = 120.0
_POLL_SECONDS = 0.01
_TOKEN = ("authorization", "Bearer sk-1234")


@dataclass(frozen=True, slots=True)
class Peer:
    name: str
    command: tuple[str, ...]
    port: int
    path: str
    health: str
    headers: tuple[tuple[str, str], ...]
    env: Mapping[str, str]
    folder: Path

    @property
    def installed(self) -> bool:
        """Whether its program is there, and every file of the folder that its command names."""
        own = [Path(word) for word in self.command[1:] if word.startswith(f"{self.folder}{os.sep}")]
        return shutil.which(self.command[0]) is not None and all(path.exists() for path in own)

    def start(self, log: Path) -> Process:
        return Process(self.command, log, env={**os.environ, **self.env}, folder=self.folder)

    def wait(self, process: Process) -> str | None:
        """Until it serves; what went wrong, or None. Meant to be called at once: it is timed."""
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline:
            if healthy(self.port, self.health):
                return None
            if not process.alive:
                return f"did not start: {process.last_words()}"
            time.sleep(_POLL_SECONDS)
        return f"did not serve within {_START_SECONDS:g} s"


def read_folder(folder: Path, only: Sequence[str] = ()) -> list[Peer]:
    """The installed peers whose name contains one of `only`; all of them without it."""
    folder = folder.resolve()
    found: list[Peer] = []
    for file, table in _TABLES:
        if (folder / file).is_file():
            found += [
                _peer(name, entry, folder) for name, entry in _table(folder / file, table).items() if _fits(entry)
            ]
    return [p for p in found if p.installed and (not only or any(word in p.name for word in only))]


def _fits(entry: Mapping[str, Any]) -> bool:
    return bool(entry.get("cmd")) and entry.get("kind", "a") == "a" and not entry.get("share")


def _peer(name: str, entry: Mapping[str, Any], folder: Path) -> Peer:
    headers = [line.partition(":") for line in entry.get("headers", ())]
    return Peer(
        name=name,
        command=tuple(entry["cmd"]),
        port=entry["port"],
        path=entry.get("path", "/v1/messages"),
        health=entry.get("health", "/health"),
        headers=(_TOKEN, *((key.strip(), value.strip()) for key, _, value in headers)),
        env=entry.get("env", {}),
        folder=Path(entry.get("cwd", folder)),
    )


def _table(file: Path, name: str) -> dict[str, dict[str, Any]]:
    spec = importlib.util.spec_from_file_location(f"bench_peers_{file.stem}", file)
    if spec is None or spec.loader is None:
        return {}
    module = importlib.util.module_from_spec(spec)
    before, sys.dont_write_bytecode = sys.dont_write_bytecode, True  # it is somebody else's folder
    try:
        spec.loader.exec_module(module)
    finally:
        sys.dont_write_bytecode = before
    return dict(getattr(module, name, {}))
