"""Which tool an answer must, may or must not call."""

from __future__ import annotations

from typing import Any, Literal

import msgspec
from msgspec import UnsetType

from rlmc.errors import UnknownShape
from rlmc.wire.chat.request_shape import WHAT
from rlmc.wire.parse import parse

Choice = Literal["auto", "any", "tool", "none"]

_WORDS: dict[str, Choice] = {"auto": "auto", "required": "any", "any": "any", "none": "none"}


class _Named(msgspec.Struct, gc=False):
    name: str = ""


class _Choice(msgspec.Struct, gc=False):
    type: str = ""
    function: _Named | None = None
    custom: _Named | None = None


_CHOICE = msgspec.json.Decoder(str | _Choice | None)


def read_choice(raw: msgspec.Raw | UnsetType) -> tuple[Choice | None, str]:
    """The choice, and the name of the tool that is forced. A list of allowed tools is not told from all of them."""
    if isinstance(raw, UnsetType):
        return None, ""
    choice = parse(_CHOICE, raw, WHAT)
    if choice is None:
        return None, ""
    if isinstance(choice, str):
        word = _WORDS.get(choice)
        if word is None:
            raise UnknownShape(f"{WHAT} holds the tool_choice {choice[:40]!r}")
        return word, ""
    named = choice.function or choice.custom
    if named is not None:
        return "tool", named.name
    if choice.type == "allowed_tools":
        return "auto", ""
    raise UnknownShape(f"{WHAT} holds a tool_choice of the type {choice.type[:40]!r}")


def write_choice(choice: Choice | None, tool: str) -> Any:
    if choice == "tool":
        return {"type": "function", "function": {"name": tool}}
    return "required" if choice == "any" else choice
