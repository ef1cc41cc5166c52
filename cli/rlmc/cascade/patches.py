"""The patch format of Codex's `apply_patch`, which opencode has too: which files a patch changes, and how.

Rule: what the format's own reader would have to guess at is not read here: a patch is read whole or not at all.
"""

from __future__ import annotations

from collections.abc import Sequence

from rlmc.domain.frozen import dataclass

_BEGIN, _END = "*** Begin Patch", "*** End Patch"
_ADD, _DELETE, _UPDATE, _MOVE = "*** Add File: ", "*** Delete File: ", "*** Update File: ", "*** Move to: "
_END_OF_FILE = "*** End of File"
_PLACE = "@@"

MOST_CHARS = 200_000


@dataclass(frozen=True, slots=True)
class Added:
    """A file made, or written anew where there was one."""

    path: str
    text: str


@dataclass(frozen=True, slots=True)
class Removed:
    path: str


@dataclass(frozen=True, slots=True)
class Chunk:
    """`old` lines that stand together and become `new` ones; `place` is a line before them, if one is told. `at_end`
    they are the file's last."""

    old: tuple[str, ...]
    new: tuple[str, ...]
    place: str = ""
    at_end: bool = False


@dataclass(frozen=True, slots=True)
class Updated:
    """`moved_to` is the new name, if the file gets one."""

    path: str
    chunks: tuple[Chunk, ...]
    moved_to: str = ""


Change = Added | Removed | Updated


def read_patch(text: str) -> tuple[Change, ...] | None:
    """The patch's changes in their order, each of another file; None for what is no patch of this format."""
    lines = text.strip("\n").split("\n")
    if len(text) > MOST_CHARS or "\r" in text or len(lines) < 3 or lines[0] != _BEGIN or lines[-1] != _END:
        return None
    changes: list[Change] = []
    rest: Sequence[str] = lines[1:-1]
    while rest:
        length = next((n for n, line in enumerate(rest) if n and line.startswith((_ADD, _DELETE, _UPDATE))), len(rest))
        change = _change(rest[0], rest[1:length])
        if change is None:
            return None
        changes.append(change)
        rest = rest[length:]
    paths = [name for change in changes for name in _names(change)]
    return tuple(changes) if len(set(paths)) == len(paths) else None


def only_edits(changes: Sequence[Change]) -> bool:
    """Whether no file is taken away or gets another name."""
    return all(isinstance(c, Added) or (isinstance(c, Updated) and not c.moved_to) for c in changes)


def _names(change: Change) -> list[str]:
    moved_to = change.moved_to if isinstance(change, Updated) else ""
    return [change.path, moved_to] if moved_to else [change.path]


def _change(head: str, body: Sequence[str]) -> Change | None:
    kind = next((kind for kind in (_ADD, _DELETE, _UPDATE) if head.startswith(kind)), None)
    path = "" if kind is None else head[len(kind) :].strip()
    if not path:
        return None
    if kind == _DELETE:
        return None if body else Removed(path)
    if kind == _ADD:
        written = all(line.startswith("+") for line in body)
        return Added(path, "".join(f"{line[1:]}\n" for line in body)) if body and written else None
    moved_to = ""
    if body and body[0].startswith(_MOVE):
        moved_to, body = body[0][len(_MOVE) :].strip(), body[1:]
        if not moved_to:
            return None
    chunks = _chunks(body)
    return None if chunks is None or not (chunks or moved_to) else Updated(path, chunks, moved_to)


def _chunks(body: Sequence[str]) -> tuple[Chunk, ...] | None:
    chunks: list[Chunk] = []
    old: list[str] = []
    new: list[str] = []
    place, begun, at_end = "", False, False
    for number, line in enumerate([*body, _PLACE]):
        if line == _PLACE or line.startswith(f"{_PLACE} "):
            if old or new:
                chunks.append(Chunk(tuple(old), tuple(new), place, at_end))
            elif begun:
                return None  # a place without a change, or two of them
            old, new, place = [], [], line[len(_PLACE) + 1 :]
            if line != _PLACE and not place.strip():
                return None
            begun, at_end = number < len(body), False
        elif line == _END_OF_FILE and (old or new):
            if number + 1 < len(body) and not body[number + 1].startswith(_PLACE):
                return None
            at_end = True
        elif line[:1] in ("", " "):
            old.append(line[1:])
            new.append(line[1:])
        elif line[0] == "-":
            old.append(line[1:])
        elif line[0] == "+":
            new.append(line[1:])
        else:
            return None
    return tuple(chunks)
