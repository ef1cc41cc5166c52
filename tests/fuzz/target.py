"""What is fuzzed, and which targets there are.

Rule: a target takes any bytes. It raises where a promise of the code does not hold, and only there: refusals the code
declares (`WireError`, an unsafe command) are answers like others.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from itertools import pairwise
from pathlib import Path

HERE = Path(__file__).parent
SEEDS = HERE / "seeds"
FOUND = HERE / "found"
"""Inputs that once broke a promise, a folder a target. They are tried again in the tests."""

_CLIENTS = ("claude-code", "codex")
_PROTOCOLS = ("anthropic", "chat", "responses")

# A module of `targets` and what it holds; known without importing any of it.
_MODULES: dict[str, tuple[str, ...]] = {
    "sse": ("sse",),
    "streams": tuple(f"streams-{name}" for name in _PROTOCOLS),
    "requests": tuple(f"requests-{name}" for name in _PROTOCOLS),
    "splice": ("splice",),
    "transcripts": tuple(f"transcripts-{name}" for name in _CLIENTS),
    "shell": ("shell",),
    "gate": ("gate",),
}

NAMES: tuple[str, ...] = tuple(name for names in _MODULES.values() for name in names)


@dataclass(frozen=True, slots=True)
class Target:
    """`run` says whether the input was taken or refused. `tokens` are words of its language, for mutations; `longest`
    is how many bytes are tried: short inputs are many."""

    name: str
    run: Callable[[bytes], bool]
    tokens: tuple[bytes, ...]
    longest: int

    @property
    def seeds(self) -> list[bytes]:
        return _contents(SEEDS / self.name)

    @property
    def found(self) -> list[bytes]:
        return _contents(FOUND / self.name)


def load(name: str) -> Target:
    module = next(module for module, names in _MODULES.items() if name in names)
    targets: tuple[Target, ...] = import_module(f"tests.fuzz.targets.{module}").TARGETS
    return next(target for target in targets if target.name == name)


def cut(data: bytes) -> list[bytes]:
    """The bytes in up to four pieces, the same for the same bytes."""
    chance = zlib.crc32(data)
    size = len(data) + 1
    marks = sorted({0, len(data), chance % size, (chance >> 8) % size, (chance >> 16) % size})
    return [data[start:end] for start, end in pairwise(marks)]


def _contents(folder: Path) -> list[bytes]:
    return [path.read_bytes() for path in sorted(folder.iterdir())] if folder.is_dir() else []
