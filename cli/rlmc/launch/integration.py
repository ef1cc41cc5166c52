"""What it takes to point one kind of agent at rlmc: a plan, worked out as a plain value before anything is done.

Rule: a plan touches nothing of the user's. It speaks of environment, arguments and temporary files of its own; files
that exist already are only read, through the `Files` it is given.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Protocol

from rlmc.domain.frozen import dataclass


class Files(Protocol):
    """Reading, so that a plan can be worked out over files that are not there. Paths are absolute."""

    def read(self, path: str) -> str | None: ...
    def exists(self, path: str) -> bool: ...


@dataclass(frozen=True, slots=True)
class TempFile:
    """A file only the user can read, made for the child and removed after it. In `argv` it stands for its path."""

    content: str = field(repr=False)
    suffix: str = ".json"


@dataclass(frozen=True, slots=True)
class LaunchRequest:
    """`base_url` is the session's address and as good as a password; `origin` and `token` are its two halves, for
    agents that take the secret apart. Models are written `provider/model`, None where none is set. `directory` is where
    the child starts; `platform` is `sys.platform`."""

    argv: tuple[str, ...]
    environ: Mapping[str, str] = field(repr=False)
    directory: str
    base_url: str = field(repr=False)
    origin: str = ""
    token: str = field(default="", repr=False)
    draft_model: str | None = None
    verify_model: str | None = None
    platform: str = "linux"


@dataclass(frozen=True, slots=True)
class LaunchPlan:
    """What to do for the child. `env_lists` are comma lists to append to. `upstreams` is where the agent was pointed
    before, by vendor (`anthropic`, `openai`), `protocol` what it mainly speaks. `seen` is the environment as the agent
    itself will see it. `warnings` are said before it starts; `doubts` only if no request of it comes."""

    argv: tuple[str | TempFile, ...]
    env: Mapping[str, str] = field(repr=False)
    env_lists: Mapping[str, tuple[str, ...]]
    seen: Mapping[str, str] = field(repr=False)
    upstreams: Mapping[str, str] = field(default_factory=dict)
    protocol: str = "anthropic"
    warnings: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()


class Integration(Protocol):
    """One kind of agent. `name` is what `--as` takes and the ledger keeps."""

    name: str

    def plan(self, request: LaunchRequest, files: Files) -> LaunchPlan: ...
