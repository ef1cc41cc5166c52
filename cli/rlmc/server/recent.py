"""The last request of each conversation under way, so that the next one is read beside it.

Rule: bounded for the whole daemon, and gone with its session: what is kept here spares time and decides nothing.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator

from rlmc.domain.chat import ChatRequest

# Of request bodies, with what was read of them.
MOST_BYTES = 12 * 1024 * 1024
# What a message, or a block, takes beside its bytes; and its bytes are there twice.
_OF_A_PART = 512
# A session's agents that work at the same time. More of them are read anew.
MOST_CONVERSATIONS = 8


class Recent:
    """The daemon's. Both a session and each of its conversations stand in the order of their last turns."""

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._most = most_bytes
        self._size = 0
        self._sessions: OrderedDict[str, OrderedDict[str, ChatRequest]] = OrderedDict()

    @property
    def size(self) -> int:
        return self._size

    def of(self, session: str) -> Iterator[ChatRequest]:
        """Those of a session, the latest first."""
        return reversed(self._sessions.get(session, {}).values())

    def keep(self, session: str, conversation: str, request: ChatRequest) -> None:
        kept = self._sessions.setdefault(session, OrderedDict())
        self._sessions.move_to_end(session)
        self._drop(kept, conversation)
        kept[conversation] = request
        self._size += _size(request)
        if len(kept) > MOST_CONVERSATIONS:
            self._drop(kept, next(iter(kept)))
        while self._size > self._most:
            oldest, others = next(iter(self._sessions.items()))
            self._drop(others, next(iter(others)))
            if not others:
                del self._sessions[oldest]

    def forget(self, session: str) -> None:
        for request in self._sessions.pop(session, {}).values():
            self._size -= _size(request)

    def _drop(self, kept: OrderedDict[str, ChatRequest], conversation: str) -> None:
        request = kept.pop(conversation, None)
        if request is not None:
            self._size -= _size(request)


def _size(request: ChatRequest) -> int:
    return 2 * len(request.raw) + _OF_A_PART * (len(request.messages) + len(request.layout.digests))
