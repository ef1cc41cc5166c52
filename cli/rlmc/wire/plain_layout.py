"""A request's prompt as an automatic cache matches it: piece after piece, without markers.

Between the pieces stand bytes that no JSON text can hold, so that no two prompts run together into the same bytes.
"""

from __future__ import annotations

from hashlib import blake2b

from rlmc.domain.layout import Layout

_DIGEST_BYTES = 8
_BLOCK, _PIECE = b"\xff", b"\xfe"  # neither occurs in UTF-8


class PlainLayout:
    """`key`, of at most 64 bytes, makes the digests its owner's own."""

    def __init__(self, key: bytes) -> None:
        hasher = blake2b(key=key, digest_size=_DIGEST_BYTES)
        self._update, self._digest = hasher.update, hasher.digest  # a digest ends nothing: more may follow
        self._digests: list[bytes] = []
        self._ends: list[int] = []
        self._messages: list[int] = []
        self._chars = 0

    @property
    def chars(self) -> int:
        return self._chars

    def message(self) -> None:
        """The next block is the first of a message."""
        self._messages.append(len(self._digests))

    def block(self, kind: str, *pieces: bytes, chars: int) -> None:
        """One block: all the model reads of it in `pieces`, which is `chars` characters."""
        self._update(_PIECE.join((_BLOCK + kind.encode(), *pieces)))
        self._chars += chars
        self._digests.append(self._digest())
        self._ends.append(self._chars)

    def done(self) -> Layout:
        return Layout(
            digests=tuple(self._digests),
            chars=tuple(self._ends),
            positions=tuple(range(len(self._digests))),
            messages=tuple(self._messages),
        )
