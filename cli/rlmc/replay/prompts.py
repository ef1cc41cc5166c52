"""The prompts of a recorded session as a cache sees them: no text is left, so beginnings are told apart by what the
provider's own counts say two neighbouring prompts had in common.

Rule: a prompt begins with the one before it, except where its record says that it did not: on a thread's first call,
and where the provider found less than was warm. Only those lengths are taken from the record; lifetimes are predicted.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from operator import itemgetter
from typing import Literal

from rlmc.domain.frozen import dataclass
from rlmc.domain.layout import Layout, Lifetime
from rlmc.domain.outline import Place
from rlmc.pricing.cache import LIFE
from rlmc.pricing.sides import places_of
from rlmc.replay.recorded import RecordedCall

# Figures that were derived from hashes come in whole blocks of tokens, and automatic caches leave out the last few
# hundred: what is lost so is no break.
_BLOCK, _TAIL = 128, 1024

Expected = Literal["first", "warm", "broken", "lapsed"]


@dataclass(frozen=True, slots=True)
class RecordedPrompt:
    """`call` with its prompt. `common` is how much of it the prompt before had in common, in tokens; `given` is true
    where that was taken from the record. `expected` is what a simulated cache expects of the call, `found` how many
    tokens it predicts the provider to find given `common`, and `open_found` without being given anything. `lifetime` is
    that of what the call writes. `head` names a beginning that was in the cache before the thread began. `places` are
    those of all blocks of `layout`."""

    call: RecordedCall
    layout: Layout
    common: int
    given: bool
    expected: Expected
    found: int
    open_found: int
    lifetime: Lifetime
    head: bytes | None = None
    places: tuple[Place, ...] = ()

    @property
    def through(self) -> int:
        """How much of the prompt goes through the cache."""
        return self.call.prompt - self.call.input if self.call.provider == "anthropic" else self.call.prompt


def lay_out(calls: Sequence[RecordedCall], thread: bytes) -> list[RecordedPrompt]:
    """The calls of one thread, in the order of time."""
    marks: list[tuple[int, int, bool, Expected, int, int, Lifetime]] = []
    cached, used_at, lifetime = 0, 0, "5m"
    for number, call in enumerate(calls):
        through = call.prompt - call.input if call.provider == "anthropic" else call.prompt
        alive = number > 0 and call.at - used_at < LIFE[lifetime]  # type: ignore[index]  # one of the two, see below
        warm = min(cached, through)
        open_found = warm if alive else 0
        expected: Expected
        if number == 0:
            expected, common, given = "first", min(call.cache_read, through), True
        elif alive and call.cache != "none" and call.cache_read < warm - _slack(call):
            expected, common, given = "broken", call.cache_read, True
        else:
            expected, common, given = ("warm" if alive else "lapsed"), warm, False
        found = common if alive or number == 0 else 0
        if expected == "warm" and call.cache != "none":
            found = max(found - _slack(call), min(found, call.cache_read))
        written = call.cache_write_5m + call.cache_write_1h
        if number == 0 or written > 0:
            lifetime = "1h" if call.cache_write_1h > 0 else "5m"
        marks.append((through, common, given, expected, found, open_found, lifetime))  # type: ignore[arg-type]
        cached, used_at = through, call.at
    places, fell_back = _places([(m[0], m[1]) for m in marks], thread)
    prompts: list[RecordedPrompt] = []
    for number, (call, mark, own) in enumerate(zip(calls, marks, places, strict=True)):
        through, common, given, expected, found, open_found, lived = mark
        layout = _layout(own, fell_back, call, through, lived, number)
        head = own[0][1] if number == 0 and common > 0 else None
        before = prompts[-1] if prompts else None
        placed = places_of(layout) if before is None else places_of(layout, before.layout, before.places)
        prompts.append(RecordedPrompt(call, layout, common, given, expected, found, open_found, lived, head, placed))
    return prompts


def _slack(call: RecordedCall) -> int:
    if call.provider != "anthropic":
        return _TAIL
    return _BLOCK if call.cache == "derived" else 0


def _places(
    lengths: Sequence[tuple[int, int]], thread: bytes
) -> tuple[list[list[tuple[int, bytes]]], frozenset[bytes]]:
    """For each call the beginnings of its prompt that may be cached: (tokens, key), ascending, the last its own end.
    And the keys of those that a prompt fell back to.

    A beginning that a later prompt fell back to must have been an entry already when the earlier ones were sent.
    """
    found: list[list[tuple[int, bytes]]] = []
    fell_back: set[bytes] = set()
    for number, (through, common) in enumerate(lengths):
        before = found[-1] if found else []
        own = before[: bisect_right(before, common, key=itemgetter(0))]
        if common > 0 and (not own or own[-1][0] < common):
            fallback = (common, b"%s/c%d" % (thread, number))
            own.append(fallback)
            fell_back.add(fallback[1])
            for earlier in range(number - 1, -1, -1):
                if found[earlier][-1][0] < common:
                    break
                _insert(found[earlier], fallback)
                if lengths[earlier][1] < common:
                    break
        if through > common or not own:
            own.append((through, b"%s/%d" % (thread, number)))
        found.append(own)
    return found, frozenset(fell_back)


def _insert(places: list[tuple[int, bytes]], new: tuple[int, bytes]) -> None:
    index = len(places)
    while index > 0 and places[index - 1][0] > new[0]:
        index -= 1
    places.insert(index, new)


def _layout(
    places: list[tuple[int, bytes]],
    fell_back: frozenset[bytes],
    call: RecordedCall,
    through: int,
    lifetime: Lifetime,
    number: int,
) -> Layout:
    digests = [key for _, key in places]
    sizes = [size for size, _ in places]
    # Its own end bears the marker, and so does a beginning that others fell back to.
    end = len(digests) - 1
    marked = [n for n, key in enumerate(digests) if n == end or key in fell_back] if fell_back else [end]
    marks: tuple[tuple[int, Lifetime], ...] = tuple((n, lifetime) for n in marked) if through > 0 else ()
    if call.prompt > through:
        # What is behind the last marker is this prompt's own, also where all before it was sent before.
        digests.append(b"%s+%d" % (digests[-1], number))
        sizes.append(call.prompt)
    return Layout(tuple(digests), tuple(sizes), (0,) * len(digests), marks, (0,), len(marks))
