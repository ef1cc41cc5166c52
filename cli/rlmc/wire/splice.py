"""Surgery on the bytes of JSON, so that everything but the wanted change stays as the client wrote it.

Rule: bytes before the change are never touched (a prompt cache depends on them), and a change is made only where the
top-level member, or item, was found beyond doubt. A key that is missing or stands there twice raises `WireError`.
"""

from __future__ import annotations

import re

import msgspec

from rlmc.errors import WireError
from rlmc.wire.parse import parse

_OBJECT = msgspec.json.Decoder(dict[str, msgspec.Raw])
_LIST = msgspec.json.Decoder(list[msgspec.Raw])
_KEY = msgspec.json.Decoder(str)

_OPEN = re.compile(rb"[ \t\n\r]*\{")
_MEMBER = re.compile(rb'[ \t\n\r]*("[^"\\]*(?:\\.[^"\\]*)*")[ \t\n\r]*:[ \t\n\r]*', re.DOTALL)
_AFTER = re.compile(rb"[ \t\n\r]*([,}])")
_BLANK = re.compile(rb"[ \t\n\r]*")
_OPEN_LIST = re.compile(rb"[ \t\n\r]*\[[ \t\n\r]*")
_NEXT_ITEM = re.compile(rb"[ \t\n\r]*(?:,[ \t\n\r]*|\])")

_WHAT = "the JSON object"


def spans(raw: bytes) -> dict[str, tuple[int, int]]:
    """Where each top-level value begins and ends.

    The decoder hands out every value's bytes in the order of the document, so the object is walked in steps of whole
    values: only keys and what stands between are read here, and nested look-alikes are never met.
    """
    members = parse(_OBJECT, raw, _WHAT)
    view = memoryview(raw)
    found: dict[str, tuple[int, int]] = {}
    at = _end(_OPEN.match(raw))
    after = b"," if members else b"}"
    for key, value in members.items():
        member = _MEMBER.match(raw, at)
        if after != b"," or member is None or parse(_KEY, member[1], _WHAT) != key:
            raise _twice()
        start = member.end()
        end = start + len(value)
        if msgspec.Raw(view[start:end]) != value:
            raise _twice()
        delimiter = _AFTER.match(raw, end)
        if delimiter is None:
            raise _twice()
        found[key] = (start, end)
        after, at = delimiter[1], delimiter.end()
    if after != b"}":
        raise _twice()
    return found


def item_spans(raw: bytes) -> list[tuple[int, int]]:
    """Where each item of a JSON list begins and ends."""
    found: list[tuple[int, int]] = []
    at = _end(_OPEN_LIST.match(raw))
    for item in parse(_LIST, raw, "the JSON list"):
        found.append((at, at + len(item)))
        at = _end(_NEXT_ITEM.match(raw, at + len(item)))
    return found


def replace_value(raw: bytes, key: str, json_bytes: bytes) -> bytes:
    """The object with another value for a top-level key."""
    start, end = span(raw, key)
    view = memoryview(raw)  # slices of a view are free, those of large bytes are not
    return b"".join((view[:start], json_bytes, view[end:]))


def append_item(raw: bytes, key: str, json_bytes: bytes) -> bytes:
    """The object with one more item at the end of a top-level array."""
    start, end = span(raw, key)
    if raw[start : start + 1] != b"[":
        raise WireError(f"`{key}` is not a list")
    last = end - 1
    empty = _end(_BLANK.match(raw, start + 1)) == last
    view = memoryview(raw)
    return b"".join((view[:last], b"" if empty else b",", json_bytes, view[last:]))


def span(raw: bytes, key: str) -> tuple[int, int]:
    """Where the value of a top-level key begins and ends."""
    found = spans(raw).get(key)
    if found is None:
        raise WireError(f"`{key}` is missing")
    return found


def _end(match: re.Match[bytes] | None) -> int:
    return match.end() if match else 0


def _twice() -> WireError:
    return WireError(f"{_WHAT} holds a key twice")
