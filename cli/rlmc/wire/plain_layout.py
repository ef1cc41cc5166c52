"""A request's prompt as an automatic cache matches it: piece after piece, without markers.

Between the pieces stand bytes that no JSON text can hold, so that no two prompts run together into the same bytes.
"""

from __future__ import annotations

from typing import Any

from rlmc.domain.frozen import dataclass
from rlmc.domain.layout import Layout
from rlmc.wire.chain import DIGEST_BYTES, chain

_BLOCK, _PIECE = b"\xff", b"\xfe"  # neither occurs in UTF-8


@dataclass(frozen=True, slots=True)
class PlainStand:
    """How far a layout has come."""

    hasher: Any
    blocks: int
    messages: int
    chars: int

    def equals(self, other: PlainStand) -> bool:
        """Whether both are of the same prompt."""
        plain, others = ((one.blocks, one.messages, one.chars) for one in (self, other))
        return plain == others and self.hasher.digest() == other.hasher.digest()


class PlainLayout:
    """`key`, of at most 64 bytes, makes the digests its owner's own."""

    def __init__(self, key: bytes) -> None:
        self._go_on(chain(key))
        self._before, self._passed, self._passed_messages = Layout(), 0, 0  # another one, and how much of it is here
        self._digests: list[bytes] = []
        self._ends: list[int] = []
        self._messages: list[int] = []
        self._chars = 0

    @classmethod
    def behind(cls, stand: PlainStand, layout: Layout) -> PlainLayout:
        """Where another one stood on its way to this layout."""
        found = cls(b"")
        found._go_on(stand.hasher.copy())
        found._before, found._passed, found._passed_messages = layout, stand.blocks, stand.messages
        found._chars = stand.chars
        return found

    def _go_on(self, hasher: Any) -> None:
        self._hasher = hasher
        self._update, self._digest = hasher.update, hasher.digest  # a digest ends nothing: more may follow

    @property
    def chars(self) -> int:
        return self._chars

    def stand(self) -> PlainStand:
        messages = self._passed_messages + len(self._messages)
        return PlainStand(self._hasher.copy(), self._passed + len(self._digests), messages, self._chars)

    def message(self) -> None:
        """The next block is the first of a message."""
        self._messages.append(self._passed + len(self._digests))

    def block(self, kind: str, *pieces: bytes, chars: int) -> None:
        """One block: all the model reads of it in `pieces`, which is `chars` characters."""
        self._update(_PIECE.join((_BLOCK + kind.encode(), *pieces)))
        self._chars += chars
        self._digests.append(self._digest()[:DIGEST_BYTES])
        self._ends.append(self._chars)

    def done(self) -> Layout:
        before, passed = self._before, self._passed
        return Layout(
            digests=(*before.digests[:passed], *self._digests),
            chars=(*before.chars[:passed], *self._ends),
            positions=tuple(range(passed + len(self._digests))),
            messages=(*before.messages[: self._passed_messages], *self._messages),
        )
