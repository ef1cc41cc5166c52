"""What models thought before the calls they made, kept for the models that want it back.

Rule: in memory only, and given to nobody but the model that wrote it, in the protocol it wrote it in. A client never
has it, so what it sends back is recognised by the ids of the calls, however it spells the rest.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Sequence

from rlmc.domain.prompt import Recall
from rlmc.domain.turn import Model

_MOST_CALLS = 20_000
_MOST_BYTES = 64 * 1024 * 1024

_Writer = tuple[Model, str]


class Reasoning:
    """One session's. The oldest is forgotten first."""

    def __init__(self) -> None:
        self._by_writer: dict[_Writer, dict[str, tuple[bytes, ...]]] = {}
        self._order: OrderedDict[str, tuple[_Writer, int]] = OrderedDict()
        self._bytes = 0

    def keep(self, model: Model, protocol: str, calls: Iterable[str], blocks: Sequence[bytes]) -> None:
        """`calls` are the ids the client has for the calls of one answer, `blocks` what was thought before them."""
        if not blocks:
            return
        writer, size = (model, protocol), sum(map(len, blocks))
        for call in calls:
            self._forget(call)
            self._by_writer.setdefault(writer, {})[call] = tuple(blocks)
            self._order[call] = writer, size
            self._bytes += size
        while self._order and (len(self._order) > _MOST_CALLS or self._bytes > _MOST_BYTES):
            self._forget(next(iter(self._order)))

    def of(self, model: Model, protocol: str) -> Recall:
        return self._by_writer.get((model, protocol), {})

    def _forget(self, call: str) -> None:
        known = self._order.pop(call, None)
        if known is not None:
            writer, size = known
            self._by_writer[writer].pop(call, None)
            self._bytes -= size
