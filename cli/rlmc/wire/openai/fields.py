"""Fields of a request that both protocols write alike."""

from __future__ import annotations

from hashlib import sha256

from msgspec import Raw

from rlmc.domain.shape import Shape

_LONGEST_NAME = 64


def limit(asked: int | None, shape: Shape) -> int | None:
    """How long the answer may be."""
    return asked if asked is None or shape.max_output is None else min(asked, shape.max_output)


def short(name: str | None) -> str | None:
    """What a provider takes for the name of a user or a cache: a longer one becomes its digest."""
    if not name or len(name) <= _LONGEST_NAME:
        return name or None
    return sha256(name.encode("utf-8", "replace")).hexdigest()


def number(written: bytes) -> Raw | None:
    """A number as its client wrote it."""
    return Raw(written) if written else None
