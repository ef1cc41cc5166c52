"""Lines of a file that may be anything: huge, binary, cut off, unreadable.

Rule: never more than one line and one chunk in memory, and nothing about a file is fatal. What cannot be read is
counted in `ReadingFaults` and passed over.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import msgspec

from rlmc.replay.recorded import ReadingFaults

T = TypeVar("T")

LONGEST = 64 << 20
"""Bytes of a line. A longer one is no record of any client; it is passed over as broken."""

_CHUNK = 1 << 20
_BOM = b"\xef\xbb\xbf"
# Text cut in the middle of a character outside the basic plane leaves half of a surrogate pair, which is legal JSON.
_HALVES = re.compile(
    rb"(\\\\|\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2})|\\u[dD][89a-fA-F][0-9a-fA-F]{2}"
)


def lines(path: Path, faults: ReadingFaults, progress: Callable[[int], None]) -> Iterator[bytes]:
    """The lines of a file without their ends and without blank ones. `progress` is told how many bytes were read."""
    try:
        file = path.open("rb", buffering=0)
    except OSError:
        faults.files += 1
        return
    with file:
        started: list[bytes] = []
        size = 0
        first = True
        while True:
            try:
                chunk = file.read(_CHUNK)
            except OSError:
                faults.files += 1
                break
            if not chunk:
                break
            progress(len(chunk))
            if first:
                chunk, first = chunk.removeprefix(_BOM), False
            *ended, rest = chunk.split(b"\n")
            for piece in ended:
                if size + len(piece) > LONGEST:
                    faults.broken += 1
                elif line := (b"".join([*started, piece]) if started else piece).strip():
                    yield line
                started, size = [], 0
            size += len(rest)
            # Of a line that is too long only the length is kept.
            started = [*started, rest] if 0 < size <= LONGEST else []
        if size > LONGEST:
            faults.broken += 1
        elif line := b"".join(started).strip():
            yield line


def first_lines(path: Path, count: int = 32, limit: int = 4 << 20) -> list[bytes]:
    """The first whole lines of a file, for telling what it is. Empty when it cannot be read."""
    head = b""
    try:
        with path.open("rb", buffering=0) as file:
            while len(head) < limit and head.count(b"\n") < count:
                chunk = file.read(1 << 16)
                if not chunk:
                    head += b"\n"
                    break
                head += chunk
    except OSError:
        return []
    found = [line.strip() for line in head.removeprefix(_BOM).split(b"\n")[:-1]]
    return [line for line in found if line][:count]


def decoded(decoder: msgspec.json.Decoder[T], raw: bytes | msgspec.Raw) -> T | None:
    """`raw` as the decoder's type; None for what is no JSON or of another shape."""
    try:
        return decoder.decode(raw)
    except msgspec.ValidationError:
        return None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        pass
    whole = _HALVES.sub(lambda match: match[1] or b"?", bytes(raw))
    if whole == raw:
        return None
    try:
        return decoder.decode(whole)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
