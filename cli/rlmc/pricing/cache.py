"""A provider's prompt cache for one model, simulated: what is warm, what a request reads, what it writes.

Rules, as the providers publish them (November 2026): an entry is one beginning of a prompt, and belongs to one model.
It lives from the start of the request that last wrote or read it. Where caching is asked for by markers, entries are
written at markers only, and each marker looks back over at most 20 places for an entry; where it is automatic, the
longest beginning that was sent before is found. Prompts shorter than the model's minimum are not cached.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from typing import NamedTuple

from rlmc.domain.chat import Usage
from rlmc.domain.frozen import dataclass
from rlmc.domain.layout import Lifetime
from rlmc.domain.outline import Outline
from rlmc.domain.turn import Model

MINUTE = 60_000_000
LIFE: dict[Lifetime, int] = {"5m": 5 * MINUTE, "1h": 60 * MINUTE}
LOOK_BACK = 20
MOST_MARKERS = 4
_ENTRIES = 4096

# The shortest prompt each Claude model caches; the first prefix that fits decides.
_CLAUDE_MINIMUM: tuple[tuple[str, int], ...] = (
    ("claude-opus-5", 512),
    ("claude-opus-4-8", 1024),
    ("claude-opus-4-7", 2048),
    ("claude-opus-4", 4096),
    ("claude-sonnet-5-5", 512),
    ("claude-sonnet", 1024),
    ("claude-haiku-5", 512),
    ("claude-haiku", 4096),
    ("claude-fable", 512),
    ("claude-mythos", 512),
)
_DEFAULT_MINIMUM = 1024


@dataclass(frozen=True, slots=True)
class CacheRule:
    """`automatic`: prompts are cached without markers. `life` (microseconds) is that of an entry without a marker."""

    minimum: int
    automatic: bool
    life: int


def rule_for(model: Model) -> CacheRule:
    name = model.name.lower().rsplit("/", 1)[-1].replace(".", "-")
    if model.provider == "sim":  # the embedded models behave like the newest Claude
        return CacheRule(minimum=512, automatic=False, life=LIFE["5m"])
    if name.startswith("claude-"):
        for prefix, minimum in _CLAUDE_MINIMUM:
            if name.startswith(prefix):
                return CacheRule(minimum=minimum, automatic=False, life=LIFE["5m"])
        return CacheRule(minimum=_DEFAULT_MINIMUM, automatic=False, life=LIFE["5m"])
    # Automatic caches publish no lifetime one could count on (30 minutes to days): an hour is on the careful side.
    return CacheRule(minimum=_DEFAULT_MINIMUM, automatic=True, life=LIFE["1h"])


@dataclass(slots=True)
class Entry:
    used_at: int
    life: int

    def alive(self, at: int) -> bool:
        # A request that started earlier but is booked later finds the entry, too; one from long before it was read
        # is of a clock that was set back, and tells nothing of the cache.
        return abs(at - self.used_at) < self.life

    def renew(self, at: int, life: int) -> None:
        """Read or written once more; what was booked before may have been later, or for longer."""
        if at > self.used_at:
            self.used_at = at
        if life > self.life:
            self.life = life

    def hit(self, place: int, at: int) -> Hit:
        return Hit(place, self.life - max(0, at - self.used_at), self.life)


class Hit(NamedTuple):
    """The longest entry a request finds: at which of the outline's places, and how long it still lives (microseconds)
    of its full `life`."""

    place: int
    left: int
    life: int


class PromptCache:
    """The entries of one model. Nothing here knows how many tokens a place stands for; see `TokenScale`."""

    def __init__(self, rule: CacheRule) -> None:
        self.rule = rule
        self._entries: OrderedDict[bytes, Entry] = OrderedDict()
        self._until = 0  # from then on no entry lives, unless one is used again
        self._last: tuple[Outline, tuple[int, ...], int, Split] | None = None

    def __len__(self) -> int:
        return len(self._entries)

    def holds(self, key: bytes, at: int) -> bool:
        entry = self._entries.get(key)
        return entry is not None and entry.alive(at)

    def last_held(self, keys: Sequence[bytes], at: int) -> int | None:
        """Which of these is the last one with an entry."""
        entries = self._entries
        # Behind a long pause all are dead, and a long prompt need not be gone through to find that out.
        if not entries or at >= self._until:
            return None
        for n in range(len(keys) - 1, -1, -1):
            entry = entries.get(keys[n])
            if entry is not None and entry.alive(at):
                return n
        return None

    def longest(self, keys: Sequence[bytes], at: int) -> Hit | None:
        """The last of these with an entry, whose `place` is its number among them."""
        n = self.last_held(keys, at)
        return None if n is None else self._entries[keys[n]].hit(n, at)

    def find(self, outline: Outline, at: int) -> Hit | None:
        """What the request, as it is marked, would read: the longest entry that is in reach of a marker."""
        if self.rule.automatic:
            return self.newest(outline, at)
        places, entries = outline.places, self._entries
        marker: int | None = None  # the position of the nearest one that looks back over the place
        for n in range(len(places) - 1, -1, -1):
            place = places[n]
            if place.mark is not None:
                marker = place.position
            if marker is not None and marker - place.position < LOOK_BACK:
                entry = entries.get(place.key)
                if entry is not None and entry.alive(at):
                    return entry.hit(n, at)
        return None

    def newest(self, outline: Outline, at: int) -> Hit | None:
        """The longest beginning of this prompt that is warm, whether or not a marker reaches it."""
        found = self._back(outline, len(outline.places) - 1, at, None)
        return None if found is None else self._entries[outline.places[found].key].hit(found, at)

    def use(self, outline: Outline, at: int, *, lost: bool = False) -> None:
        """The model has read this prompt. `lost` is true when the provider did not have what was expected here."""
        self._last = None
        places = outline.places
        if not places:
            return
        if lost:
            self._lose(outline, at)
        automatic = self.rule.automatic
        if automatic and not lost:
            self._refresh(outline, self._back(outline, len(places) - 1, at, None), at)
        self._mark(outline, at, look_back=not automatic and not lost)
        if automatic:
            self._write(places[-1].key, at, self.rule.life)
        while len(self._entries) > _ENTRIES:
            self._entries.popitem(last=False)

    def seed(self, key: bytes, at: int, life: int) -> None:
        """An entry somebody else's request has written."""
        self._last = None
        self._write(key, at, life)
        while len(self._entries) > _ENTRIES:
            self._entries.popitem(last=False)

    def split(self, outline: Outline, tokens: tuple[int, ...], at: int) -> Split:
        """As the function of this name. A turn asks several times: the last answer is kept until an entry changes."""
        last = self._last
        if last is not None and last[0] is outline and last[1] is tokens and last[2] == at:
            return last[3]
        found = split(self, outline, tokens, at)
        self._last = (outline, tokens, at, found)
        return found

    def _mark(self, outline: Outline, at: int, *, look_back: bool) -> None:
        """Writes an entry at each marker; one that is alive lives on.

        A marker reads the longest entry in reach, which is its own or, if it may `look_back`, the first one before it.
        What earlier markers have read and written by now is as fresh as it would be made here.
        """
        entries, automatic, life = self._entries, self.rule.automatic, self.rule.life
        for n, place in enumerate(outline.places):
            if place.mark is None:
                continue
            if not automatic:
                life = LIFE[place.mark]
            key = place.key
            entry = entries.get(key)
            if entry is not None and entry.alive(at):
                entry.renew(at, life)
                self._lives(entry)
                entries.move_to_end(key)
            else:
                if look_back:
                    self._refresh(outline, self._back(outline, n, at, LOOK_BACK, below=True), at)
                entries[key] = fresh = Entry(at, life)
                self._lives(fresh)
                if entry is not None:  # a dead one stood where it was first written
                    entries.move_to_end(key)

    def _lose(self, outline: Outline, at: int) -> None:
        """The longest entry that was to be found is gone; what else a marker found has been read all the same. Several
        markers may find the same entry, which is lost but once."""
        places = outline.places
        automatic = self.rule.automatic
        starts = [len(places) - 1] if automatic else [n for n, place in enumerate(places) if place.mark is not None]
        hits = [self._back(outline, n, at, None if automatic else LOOK_BACK) for n in reversed(starts)]
        found = [n for n in dict.fromkeys(hits) if n is not None]
        for n in found[1:]:
            self._refresh(outline, n, at)
        if found:
            del self._entries[places[found[0]].key]

    def _back(self, outline: Outline, start: int, at: int, reach: int | None, *, below: bool = False) -> int | None:
        """The first place with an entry, going back from `start` (or from the one `below` it)."""
        places, entries = outline.places, self._entries
        end = places[start].position if reach is not None else 0
        for n in range(start - 1 if below else start, -1, -1):
            place = places[n]
            if reach is not None and end - place.position >= reach:
                return None
            entry = entries.get(place.key)
            if entry is not None and entry.alive(at):
                return n
        return None

    def _refresh(self, outline: Outline, found: int | None, at: int) -> None:
        """The entry at this place, which is alive, is being read."""
        if found is not None:
            key = outline.places[found].key
            entry = self._entries[key]
            entry.renew(at, entry.life)
            self._lives(entry)
            self._entries.move_to_end(key)

    def _write(self, key: bytes, at: int, life: int) -> None:
        entry = self._entries.get(key)
        if entry is not None and entry.alive(at):
            entry.renew(at, life)
        else:
            self._entries[key] = entry = Entry(at, life)
        self._lives(entry)
        self._entries.move_to_end(key)

    def _lives(self, entry: Entry) -> None:
        until = entry.used_at + entry.life
        if until > self._until:
            self._until = until


class Split(NamedTuple):
    """How the input of one request divides, in tokens. `prompt` is the whole; `hit` what was found."""

    prompt: int
    read: int
    write_5m: int
    write_1h: int
    hit: Hit | None

    @property
    def input(self) -> int:
        return self.prompt - self.read - self.write_5m - self.write_1h

    @property
    def through(self) -> int:
        """How much of the prompt passes through the cache."""
        return self.read + self.write_5m + self.write_1h

    def usage(self, output: int = 0) -> Usage:
        return Usage(self.input, self.read, self.write_5m, self.write_1h, output)


def split(cache: PromptCache, outline: Outline, tokens: tuple[int, ...], at: int) -> Split:
    """What the request would read and write. `tokens` are those up to each place of the outline."""
    if not tokens:
        return Split(0, 0, 0, 0, None)
    hit, rule = cache.find(outline, at), cache.rule
    prompt = tokens[-1]
    read = tokens[hit.place] if hit is not None else 0
    if read < rule.minimum:
        read = 0
    if rule.automatic:
        return Split(prompt, read, prompt - read if prompt >= rule.minimum else 0, 0, hit)
    places, done, short, long = outline.places, read, 0, 0
    for n in range(hit.place + 1 if hit is not None and read else 0, len(places)):
        mark, end = places[n].mark, tokens[n]
        if mark is not None and end > done and end >= rule.minimum:
            if mark == "1h":
                long += end - done
            else:
                short += end - done
            done = end
    return Split(prompt, read, short, long, hit)


def marker_for(cache: PromptCache, outline: Outline, at: int) -> tuple[int, Lifetime] | None:
    """The one marker without which the model would not find its own cache: too much was said since it was last asked.

    None when its newest entry is in reach, when there is nothing to reach, or when the request has no marker to spare.
    """
    if cache.rule.automatic or outline.markers >= MOST_MARKERS:
        return None
    newest = cache.newest(outline, at)
    if newest is None:
        return None
    found = cache.find(outline, at)
    if (found is not None and found.place >= newest.place) or outline.lifetime is None:
        return None
    later = {place.mark for place in outline.places[newest.place :]}
    # Longer lifetimes must stand first, so the marker may not be shorter than any behind it.
    lifetime: Lifetime = "1h" if "1h" in later or newest.life >= LIFE["1h"] else "5m"
    earlier = {place.mark for place in outline.places[: newest.place]}
    if lifetime == "1h" and "5m" in earlier:
        return None
    return outline.places[newest.place].block, lifetime
