"""Mutations that know what the bytes are: JSON of another shape, words of the language put in, places cut and doubled.

Rule: no randomness of its own, so that one seed always makes the same input.
"""

from __future__ import annotations

import json
import random
from typing import Any

_FRAGMENTS = (
    b"null", b"true", b"-1", b"1e999", b"12345678901234567890123", b'""', b"[]", b"{}", b'"\\ud800"', b"[[[[", b"}]",
    b'"index":-1,', b'"content":null,', b'"content":5,', b'"error":{"message":null},', b"\n\n", b"\r\n\r\n", b"\r",
    b"\xff\xfe", b"\xed\xa0\x80", b"\xef\xbb\xbf", b"\x00", b"\xc2\x85", b"\xe2\x80\xa8", b"NaN", b'"\\u0000"', b'\\"',
)  # fmt: skip

_VALUES: tuple[Any, ...] = (
    None, True, False, 0, -1, 1.5, 10**30, "", " ", "x", "é🦊", "auto", "user", "system", "text", "{", '{"a":1}',
    "x" * 300, [], {}, [[]], [None], {"type": None}, [{"type": "text"}],
)  # fmt: skip


def mutated(data: bytes, chance: random.Random, tokens: tuple[bytes, ...] = ()) -> bytes:
    """Half of all that hold JSON still do, of another shape; the others are bytes with one to four damages."""
    if b"{" in data and chance.random() < 0.5 and (reshaped := _reshaped(data, chance, tokens)) is not None:
        return reshaped
    new = bytearray(data)
    for _ in range(chance.randint(1, 4)):
        _damage(new, chance, tokens)
    return bytes(new)


def _reshaped(data: bytes, chance: random.Random, tokens: tuple[bytes, ...]) -> bytes | None:
    """One line's JSON with one to three values changed; None where the line drawn holds none."""
    lines = data.split(b"\n")
    with_json = [n for n, line in enumerate(lines) if b"{" in line]
    at = chance.choice(with_json)
    head, brace, rest = lines[at].partition(b"{")
    try:
        value = json.loads(brace + rest)
    except (ValueError, RecursionError):
        return None
    for _ in range(chance.randint(1, 3)):
        _reshape(value, chance, tokens)
    try:
        lines[at] = head + json.dumps(value, ensure_ascii=chance.random() < 0.5).encode(errors="replace")
    except (ValueError, RecursionError):
        return None
    if chance.random() < 0.1:
        lines.insert(chance.choice(with_json), lines[at])
    return b"\n".join(lines)


def _reshape(root: Any, chance: random.Random, tokens: tuple[bytes, ...]) -> None:
    """One value somewhere in the tree becomes another one, goes, or comes twice."""
    places: list[tuple[Any, Any]] = []
    todo = [root]
    while todo:
        node = todo.pop()
        found = list(node.items()) if isinstance(node, dict) else list(enumerate(node))
        places += [(node, key) for key, _ in found]
        todo += [child for _, child in found if isinstance(child, dict | list)]
    if not places:
        return
    node, key = chance.choice(places)
    match chance.randrange(5):
        case 0:
            del node[key]
        case 1 if isinstance(node, list):
            node.insert(key, node[key])
        case 2:
            other, name = chance.choice(places)
            # A copy: nothing may come to hold itself.
            node[key] = json.loads(json.dumps(other[name]))
        case 3 if tokens:
            node[key] = _value(chance.choice(tokens))
        case _:
            node[key] = json.loads(json.dumps(chance.choice(_VALUES)))


def _value(token: bytes) -> Any:
    """A word as the value it is, if it is one, else as a text."""
    try:
        return json.loads(token)
    except ValueError:
        return token.decode(errors="replace")


def _damage(new: bytearray, chance: random.Random, tokens: tuple[bytes, ...]) -> None:
    at, size = chance.randrange(len(new) + 1), chance.randint(1, 60)
    match chance.randrange(8):
        case 0 if at < len(new):
            new[at] ^= 1 << chance.randrange(8)
        case 1 if chance.random() < 0.2:
            del new[at:]
        case 2:
            new[at:at] = new[at : at + size]
        case 3:
            del new[at : at + size]
        case 4:  # in the place of a value
            colon = new.find(b":", at)
            end = min((n for n in (new.find(b",", colon), new.find(b"}", colon)) if n >= 0), default=-1)
            if 0 <= colon < end:
                new[colon + 1 : end] = chance.choice(_FRAGMENTS)
        case 5:
            new[at:at] = chance.choice(_FRAGMENTS)
        case _:
            new[at:at] = chance.choice(tokens or _FRAGMENTS)
