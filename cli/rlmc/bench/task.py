"""A task: what is asked, and a check that says of any answer whether it is right.

Rule: a verdict's `why` is a word of ours on what was wrong; it never holds a word of the answer.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from typing import Any, Literal

from rlmc.domain.frozen import dataclass

Kind = Literal["maths", "instruct", "code", "tools"]
KINDS: tuple[Kind, ...] = ("maths", "instruct", "code", "tools")

Tool = Mapping[str, Any]
"""As the Anthropic API takes it: name, description, input_schema."""


@dataclass(frozen=True, slots=True)
class Call:
    """A tool call of an answer."""

    name: str
    arguments: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Answer:
    text: str
    calls: tuple[Call, ...] = ()


@dataclass(frozen=True, slots=True)
class Verdict:
    passed: bool
    why: str = ""


RIGHT = Verdict(True)

Check = Callable[[Answer], Verdict]


@dataclass(frozen=True, slots=True)
class Task:
    """`id` is stable: a result is found again by it. A check's repr says what it checks, the same in every process."""

    id: str
    kind: Kind
    prompt: str
    check: Check
    tools: tuple[Tool, ...] = ()


def digest(tasks: tuple[Task, ...]) -> str:
    """Names these very tasks in this order."""
    said = [[task.id, task.kind, task.prompt, task.tools, repr(task.check)] for task in tasks]
    return hashlib.blake2b(json.dumps(said, sort_keys=True, default=str).encode(), digest_size=8).hexdigest()
