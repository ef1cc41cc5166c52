"""What a request shares, byte for byte, with the one before it in its conversation.

Conversations grow at their end, so nearly all of a request has been read before. Rule: only bytes are compared, and in
a way that proves what they mean: a beginning that is the same has been parsed to the same place, so whatever stands
behind it is what follows there. In doubt nothing is shared, and the request is read from its beginning.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any, Generic, Protocol, TypeVar

from rlmc.domain.chat import ChatRequest
from rlmc.domain.frozen import dataclass
from rlmc.errors import WireError
from rlmc.wire.splice import item_spans, span

Place = TypeVar("Place")

MOST_PLACES = 4
"""As many of the last items have one to go on from behind them: what changes of a conversation's past are its last
messages, as cache markers move on."""

_COMMA = re.compile(rb"[ \t\n\r]*,")


@dataclass(frozen=True, slots=True)
class Frame:
    """A request with one list of objects in it: `start` is right behind the list's bracket, `ends` are where its items
    end, `close` is where its closing bracket stands. No other member of the request goes by the list's name."""

    raw: bytes
    start: int
    ends: tuple[int, ...]
    close: int


@dataclass(frozen=True, slots=True)
class Growth:
    """How a request goes on from another: with its first `shared` items, then `items`, a JSON list of its own. `around`
    is the request without those it shares; None where all that stands around the list is the same."""

    shared: int
    items: bytes
    around: bytes | None
    frame: Frame


@dataclass(slots=True)
class Kept(Generic[Place]):
    """What of a request's reading the next one can go on from: the `places` behind some of the last items of the list
    `name`, ascending. `key` is the one of its digests."""

    raw: bytes
    key: bytes
    name: str
    places: tuple[tuple[int, Place], ...]
    frame: Frame | None = None
    _sought: bool = False

    def growth(self, raw: bytes) -> tuple[Place, Growth] | None:
        """The place from which `raw` can be read on, and how; None where it cannot."""
        if self.frame is None and not self._sought:
            # Only now, since most requests that are read once are not gone on from.
            self._sought = True
            self.frame = _frame_of(self.raw, self.name)
        if self.frame is None:
            return None
        found, same = None, 0
        view, ends = memoryview(self.frame.raw), self.frame.ends
        for count, place in self.places:
            end = ends[count - 1]
            if not raw.startswith(view[same:end], same):
                break
            found, same = (count, place), end
        return None if found is None else (found[1], _growth(self.frame, found[0], raw, self.name))


class Reading(Protocol):
    """What a request keeps for the next one, in its protocol's own way."""

    @property
    def kept(self) -> Kept[Any]: ...


Own = TypeVar("Own", bound=Reading)


def read_on(
    before: Iterable[ChatRequest],
    key: bytes,
    own: type[Own],
    go_on: Callable[[ChatRequest, Own], ChatRequest | None],
) -> ChatRequest | None:
    """The request as read on by `go_on` from the first of those `before` it that it goes on from; None where there is
    none, or something is wrong with it: that is said when all of it is read."""
    for one in before:
        if isinstance(one.reading, own) and one.reading.kept.key == key:
            with suppress(WireError):
                found = go_on(one, one.reading)
                if found is not None:
                    return found
    return None


def _frame_of(raw: bytes, name: str) -> Frame | None:
    """The frame of a request that has been read; None where its bytes do not tell beyond doubt where the list is."""
    try:
        start, end = span(raw, name)
        if raw[start] != 0x5B:
            return None
        spans = item_spans(raw[start:end])
    except WireError:
        return None
    return Frame(raw, start + 1, tuple([start + last for _, last in spans]), end - 1)


def _growth(frame: Frame, shared: int, raw: bytes, name: str) -> Growth:
    """How `raw` goes on behind the items both begin with. Raises `WireError` where it is no such request."""
    at = frame.ends[shared - 1]
    comma = _COMMA.match(raw, at)
    rest = comma.end() if comma is not None else at
    kept, tail, view = frame.ends[:shared], memoryview(frame.raw)[frame.close :], memoryview(raw)
    close = len(raw) - len(tail)
    if close >= rest and raw.endswith(tail):
        items = b"".join((b"[", view[rest:close], b"]"))
        spans, cut, around = _spans(items, comma is not None), rest - 1, None
    else:
        around = b"".join((view[: frame.start], view[rest:]))
        start, end = span(around, name)  # which finds that no other member has the name
        items = around[start:end]
        spans, cut = _spans(items, comma is not None), rest - 1
        close = end - 1 + rest - frame.start
    return Growth(shared, items, around, Frame(raw, frame.start, (*kept, *[cut + last for _, last in spans]), close))


def _spans(items: bytes, more: bool) -> list[tuple[int, int]]:
    """Of the items behind those that are shared, of which there are some if there are `more`."""
    spans = item_spans(items)
    if bool(spans) != more:
        raise WireError("the list holds a comma too many, or one too few")
    return spans
