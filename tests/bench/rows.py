"""The rows of the table: what is measured, beside what, and how much it may be.

Rule: a ratio is made of two values of one round; where a row has no other side, it is held against a number.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Literal

from tests.bench.scale import FULL, Scale

FLOOR_NAME = "floor"
_TYPER = "`import typer`"


@dataclass(frozen=True, slots=True)
class Row:
    """`group` is what `--only` calls it. `most` is the most that the ratio to `beside` may be, or the value itself
    where there is no `beside`; such a row says something at full scale alone."""

    key: str
    group: str
    name: str
    unit: str
    decimals: int
    most: float
    beside: str | None = None

    def title(self, scale: Scale) -> str:
        return self.name.format(scale=scale)


ROWS: tuple[Row, ...] = (
    Row("cpu", "cpu", "CPU a direct streaming turn, 100 KB, 32 at once", "ms", 3, 4, FLOOR_NAME),
    Row("first-byte", "first-byte", "added to the first byte, 100 KB, one at a time", "ms", 2, 3, FLOOR_NAME),
    Row("event", "event", "CPU an event, {scale.streams} slow streams", "us", 1, 2, FLOOR_NAME),
    Row("decision first 100k", "decision", "decision, 100 KB, first of a session", "us", 0, 5, "typed decode"),
    Row("decision following 100k", "decision", "decision, 100 KB, following", "us", 0, 5, "typed decode"),
    Row("decision first 1m", "decision", "decision, 1 MB, first of a session", "us", 0, 5, "typed decode"),
    Row("decision following 1m", "decision", "decision, 1 MB, following", "us", 0, 5, "typed decode"),
    Row("memory idle", "memory", "memory of the daemon, idle", "MB", 1, 60),
    Row("memory soon", "memory", "memory after {scale.soon:,} turns", "MB", 1, 60),
    Row("memory late", "memory", "memory after {scale.late:,} turns", "MB", 1, 60),
    Row("memory flat", "memory", "memory, late beside soon", "MB", 1, 1.05, "after {scale.soon:,} turns"),
    Row("run", "run", "`rlmc run -- true`, daemon warm, CPU", "ms", 0, 1.5, _TYPER),
    Row("cold", "cold", "cold start to the first byte served", "ms", 0, 2, "importing its libraries"),
    Row("cold cpu", "cold", "cold start, CPU", "ms", 0, 2, "importing its libraries"),
    Row("stats", "stats", "`rlmc stats --today`, {scale.ledger:,} turns, CPU", "ms", 0, 1.5, f"{_TYPER} and queries"),
    Row("replay", "replay", "`rlmc replay`, {scale.calls:,} calls, CPU", "s", 1, 30),
    Row("replay memory", "replay", "`rlmc replay`, peak memory", "MB", 0, 1.25, "a tenth of the calls"),
    Row("growth", "growth", "CPU a turn beyond the floor's, end of a growing session", "ms", 2, 1.25, "its begin"),
)  # fmt: skip
GROUPS = tuple(dict.fromkeys(row.group for row in ROWS))


@dataclass(frozen=True, slots=True)
class More:
    """A figure of rlmc's beside the floor's, without a target."""

    name: str
    unit: str
    decimals: int
    own: dict[int, float]
    beside: dict[int, float]


Verdict = Literal["reached", "missed"]


@dataclass(slots=True)
class Table:
    """`own` and `beside` have a value a round by row, `peers` what others take, by name and row. `more` are figures
    without a target. `facts` is what stands in no row and belongs to one, in words."""

    scale: Scale
    own: defaultdict[str, dict[int, float]] = field(default_factory=lambda: defaultdict(dict))
    beside: defaultdict[str, dict[int, float]] = field(default_factory=lambda: defaultdict(dict))
    peers: dict[str, dict[str, dict[int, float]]] = field(default_factory=dict)
    more: list[More] = field(default_factory=list)
    facts: list[str] = field(default_factory=list)

    def note(self, key: str, number: int, own: float, beside: float | None = None) -> None:
        self.own[key][number] = own
        if beside is not None:
            self.beside[key][number] = beside

    def rows(self) -> list[Row]:
        return [row for row in ROWS if self.own.get(row.key)]

    def ratios(self, row: Row, values: dict[int, float] | None = None) -> list[float]:
        """To the other side in the same round; `values` of a peer in place of rlmc's own."""
        return ratios(self.own[row.key] if values is None else values, self.beside[row.key])

    def judged(self, row: Row) -> list[float]:
        """What the row is held to: ratios, or values where there is nothing beside it."""
        return self.ratios(row) if row.beside else list(self.own[row.key].values())

    def verdict(self, row: Row) -> Verdict | None:
        values = self.judged(row)
        if not values or (row.beside is None and not whole(self.scale)):
            return None
        return "reached" if median(values) <= row.most else "missed"


def ratios(values: dict[int, float], others: dict[int, float]) -> list[float]:
    return [value / others[number] for number, value in values.items() if others.get(number, 0) > 0]


def whole(scale: Scale) -> bool:
    """Whether rows without another side mean what their target says."""
    return (scale.late, scale.calls) == (FULL.late, FULL.calls)


def spread(values: Sequence[float], decimals: int, unit: str = "") -> str:
    """A median, with the lowest and the highest."""
    text = f"{median(values):,.{decimals}f}{unit}"
    return text if len(values) == 1 else f"{text} ({min(values):,.{decimals}f}-{max(values):,.{decimals}f})"
