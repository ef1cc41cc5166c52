"""What was met already, in bounded memory.

Clients copy the beginning of a session into the file of the one that goes on from it; without this the same call would
be paid for twice.
"""

from __future__ import annotations


class Seen:
    """Remembers at least the last `limit` keys and at most twice as many. Keys are kept as hashes."""

    def __init__(self, limit: int = 500_000) -> None:
        self._limit = limit
        self._young: set[int] = set()
        self._old: set[int] = set()

    def first(self, key: str) -> bool:
        """Whether the key is new; from now on it is not."""
        mark = hash(key)
        if mark in self._young or mark in self._old:
            return False
        if len(self._young) >= self._limit:
            self._old, self._young = self._young, set()
        self._young.add(mark)
        return True
