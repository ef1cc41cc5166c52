"""The settings files Claude Code reads, in the order in which one overrides another.

Rule: only read. Their `env` wins over the process environment, which is why they must be known before a start.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import field
from typing import Any

from rlmc.domain.frozen import dataclass
from rlmc.launch.integration import Files, LaunchRequest

_MANAGED = {
    "darwin": "/Library/Application Support/ClaudeCode/managed-settings.json",
    "linux": "/etc/claude-code/managed-settings.json",
}


@dataclass(frozen=True, slots=True)
class Flag:
    """The user's own `--settings`: its value and the arguments it takes up, `argv[start:end]`."""

    value: str = field(repr=False)
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Source:
    """One settings object and where it stands, for people."""

    name: str
    values: Mapping[str, Any] = field(repr=False)

    @property
    def env(self) -> dict[str, str]:
        env = self.values.get("env")
        return {k: str(v) for k, v in env.items()} if isinstance(env, dict) else {}


@dataclass(frozen=True, slots=True)
class ClaudeSettings:
    """`sources` from weakest to strongest: user, project, local, `--settings`. `managed` is stronger than all of them
    and cannot be overridden. `flag_unreadable` when there is a `--settings` that makes no sense."""

    sources: tuple[Source, ...]
    managed: Source | None
    flag: Flag | None
    flag_values: Mapping[str, Any] = field(repr=False)
    flag_unreadable: bool = False

    @property
    def all(self) -> tuple[Source, ...]:
        return (*self.sources, self.managed) if self.managed else self.sources

    def env(self) -> dict[str, str]:
        """What all of them together put into the agent's environment."""
        merged: dict[str, str] = {}
        for source in self.all:
            merged.update(source.env)
        return merged


def config_dir(environ: Mapping[str, str]) -> str:
    own = environ.get("CLAUDE_CONFIG_DIR")
    return own.rstrip("/") if own else f"{environ.get('HOME', '').rstrip('/')}/.claude"


def read_settings(request: LaunchRequest, files: Files) -> ClaudeSettings:
    folder = request.directory.rstrip("/")
    places = [
        ("your settings", f"{config_dir(request.environ)}/settings.json"),
        ("the project's settings", f"{folder}/.claude/settings.json"),
        ("the project's local settings", f"{folder}/.claude/settings.local.json"),
    ]
    sources = []
    for name, path in places:
        values = _object(files.read(path))
        if values is not None:
            sources.append(Source(f"{name} ({path})", values))
    flag = find_flag(request.argv)
    flag_values: Mapping[str, Any] | None = {}
    if flag is not None:
        flag_values = _flag_values(flag.value, folder, files)
        if flag_values is not None:
            sources.append(Source("--settings", flag_values))
    path = _MANAGED.get(request.platform, "")
    managed = _object(files.read(path)) if path else None
    return ClaudeSettings(
        sources=tuple(sources),
        managed=Source(f"your organisation's settings ({path})", managed) if managed is not None else None,
        flag=flag,
        flag_values=flag_values or {},
        flag_unreadable=flag_values is None,
    )


def find_flag(argv: tuple[str, ...]) -> Flag | None:
    """The last `--settings` before a `--`, as the agent itself would take it."""
    found = None
    position = 1
    while position < len(argv) and argv[position] != "--":
        word = argv[position]
        if word == "--settings" and position + 1 < len(argv):
            found = Flag(argv[position + 1], position, position + 2)
            position += 2
            continue
        if word.startswith("--settings="):
            found = Flag(word.partition("=")[2], position, position + 1)
        position += 1
    return found


def _flag_values(value: str, folder: str, files: Files) -> Mapping[str, Any] | None:
    text = value.strip()
    if text.startswith("{"):
        return _object(text)
    return _object(files.read(text if text.startswith("/") else f"{folder}/{text}"))


def _object(text: str | None) -> Mapping[str, Any] | None:
    try:
        values = json.loads(text) if text is not None else None
    except ValueError:
        return None  # the agent itself will say so
    return values if isinstance(values, dict) else None
