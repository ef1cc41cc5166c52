"""A session from its first turn to its last, growing to a megabyte: what a turn costs on the way, drawn as a picture.

What grows with the request is what reading and writing its bytes takes, and the floor does that too; what rlmc has
beyond the floor should stay as it is.
"""

from __future__ import annotations

from collections.abc import Callable
from statistics import median

from tests.bench.measure import Measurement, Server
from tests.bench.requests import Growing
from tests.bench.rows import Table
from tests.bench.scale import Scale
from tests.load.plot import Panel, svg

_BLOCK = 10
Curve = dict[int, list[float]]
"""By the last turn of a block, a value a session."""


class Growth:
    def __init__(self, measured: Measurement, floor: Server, rlmc: Server, scale: Scale) -> None:
        self._measured = measured
        self._floor, self._rlmc = floor, rlmc
        self._scale = scale
        self.cpu: dict[str, Curve] = {"rlmc": {}, "floor": {}, "rlmc - floor": {}}
        self.first_byte: dict[str, Curve] = {"rlmc": {}, "floor": {}}

    def run(self, tell: Callable[[str], None]) -> None:
        for session in range(self._scale.sessions):
            tell(f"growing session {session + 1} of {self._scale.sessions}")
            for first in range(1, self._scale.grown + 1, _BLOCK):
                turns = min(_BLOCK, self._scale.grown - first + 1)
                spent = {
                    name: self._block(name, server, session, first, turns)
                    for name, server in (("floor", self._floor), ("rlmc", self._rlmc))
                }
                last = first + turns - 1
                self.cpu["rlmc - floor"].setdefault(last, []).append(spent["rlmc"] - spent["floor"])

    def _block(self, name: str, server: Server, session: int, first: int, turns: int) -> float:
        def ask() -> None:
            result = self._measured.ask(server, "growing", turns, first=first, conversation=f"growing-{session}")
            if result.first_byte:
                self.first_byte[name].setdefault(first + turns - 1, []).append(median(result.first_byte))

        spent = self._measured.cpu_of(server, ask) * 1000 / turns
        self.cpu[name].setdefault(first + turns - 1, []).append(spent)
        return spent

    def fill(self, table: Table) -> None:
        """The row, a session for a round, and in words what the ends of the curves are."""
        tenth = max(_BLOCK, self._scale.grown // 10)
        for session in range(self._scale.sessions):
            added = {at: values[session] for at, values in self.cpu["rlmc - floor"].items() if len(values) > session}
            late = [value for at, value in added.items() if at > self._scale.grown - tenth]
            soon = [value for at, value in added.items() if at <= tenth]
            table.note("growth", session, median(late), median(soon))
        for title, curves in (("CPU a turn", self.cpu), ("first byte", self.first_byte)):
            ends = (
                f"{name} {median(curve[min(curve)]):.2f} to {median(curve[max(curve)]):.2f} ms"
                for name, curve in curves.items()
            )
            table.facts.append(f"growing session, {title}: {', '.join(ends)}")

    def picture(self) -> str:
        growing = Growing()
        sizes = [len(growing.body_of(turn)) / 1000 for turn in (1, self._scale.grown)]
        title = f"A session from {sizes[0]:,.0f} KB at its first turn to {sizes[1]:,.0f} KB at turn {self._scale.grown}"
        panels = [
            Panel("CPU a turn, ms", _lines(self.cpu)),
            Panel("Time to the first byte, ms", _lines(self.first_byte)),
        ]
        return svg(title, panels, along=lambda turn: f"turn {turn:.0f}")


def _lines(curves: dict[str, Curve]) -> list[tuple[str, list[tuple[float, float]]]]:
    return [(name, [(at, median(values)) for at, values in curve.items()]) for name, curve in curves.items()]
