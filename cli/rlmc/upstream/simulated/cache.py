"""The prompt cache of the simulated provider, after the published rules of the real one.

Written only at markers; read by walking back from each marker over at most 20 places to something an earlier request
wrote; nothing below 512 tokens; 5 minutes or 1 hour from the start of the request that wrote or read it; an entry can
be read once the answer that writes it has begun. Memory is bounded: the entries used longest ago go first.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Literal

from rlmc.domain.frozen import dataclass
from rlmc.upstream.simulated.prompt import Piece

MINIMUM_TOKENS = 512
LOOK_BACK = 20
LIFETIME = {"5m": 300.0, "1h": 3600.0}

Ttl = Literal["5m", "1h"]


@dataclass(frozen=True, slots=True)
class Account:
    """The prompt's tokens by class, and what `PromptCache.store` has to remember: digests with their lifetimes."""

    fresh: int
    read: int
    written_5m: int
    written_1h: int
    started: float
    entries: tuple[tuple[bytes, Ttl], ...]


class PromptCache:
    def __init__(self, clock: Callable[[], float], limit: int = 8192) -> None:
        self._clock = clock
        self._limit = limit
        self._entries: OrderedDict[bytes, tuple[float, Ttl]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._entries)

    def look(self, pieces: Sequence[Piece]) -> Account:
        """How this prompt is billed now. Changes nothing: a request that fails leaves no trace."""
        now = self._clock()
        total = pieces[-1].tokens if pieces else 0
        kept: dict[bytes, Ttl] = {}
        read = 0
        for index, piece in enumerate(pieces):
            if piece.marker is None:
                continue
            hit = self._find(pieces, index, now)
            if hit is not None:
                read = max(read, hit.tokens)
                kept[hit.digest] = self._entries[hit.digest][1]
        written: dict[Ttl, int] = {"5m": 0, "1h": 0}
        reached = read
        for piece in pieces:
            if piece.marker is not None and piece.tokens >= MINIMUM_TOKENS and piece.tokens > reached:
                written[piece.marker] += piece.tokens - reached
                reached = piece.tokens
                kept[piece.digest] = piece.marker
        return Account(total - reached, read, written["5m"], written["1h"], now, tuple(kept.items()))

    def store(self, account: Account) -> None:
        """The answer has begun: from now on its entries can be read. Reading renews what was read."""
        for digest, ttl in account.entries:
            self._entries[digest] = (account.started + LIFETIME[ttl], ttl)
            self._entries.move_to_end(digest)
        while len(self._entries) > self._limit:
            self._entries.popitem(last=False)

    def _find(self, pieces: Sequence[Piece], marked: int, now: float) -> Piece | None:
        """The longest cached prefix within reach of one marker."""
        floor = pieces[marked].step - LOOK_BACK
        for index in range(marked, -1, -1):
            piece = pieces[index]
            if piece.step <= floor or piece.tokens < MINIMUM_TOKENS:
                return None
            entry = self._entries.get(piece.digest)
            if entry is not None and entry[0] > now:
                return piece
        return None
