"""How much is measured: everything as the table says it, or a little of it for a rough answer."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Scale:
    """A CPU figure of a server takes about `seconds`, at most `turns`; `alone` turns are asked at one connection;
    `streams` slow streams run at once, `pause_ms` between their events. A server that takes long takes part in the
    first `slow_rounds` alone. `soon` and `late` are the turns after which memory is looked at. A decision is made
    `decisions` times a round, a command started `starts` times. `ledger` turns are counted up, `calls` replayed.
    `sessions` grow to `grown` turns."""

    rounds: int
    turns: int
    seconds: float
    alone: int
    streams: int
    pause_ms: int
    slow_rounds: int
    soon: int
    late: int
    decisions: int
    starts: int
    ledger: int
    calls: int
    sessions: int
    grown: int


FULL = Scale(
    rounds=7, turns=2000, seconds=0.6, alone=60, streams=200, pause_ms=50, slow_rounds=3, soon=5_000, late=20_000,
    decisions=20, starts=5, ledger=100_000, calls=100_000, sessions=3, grown=500,
)  # fmt: skip
QUICK = Scale(
    rounds=2, turns=300, seconds=0.3, alone=30, streams=50, pause_ms=20, slow_rounds=1, soon=200, late=400,
    decisions=4, starts=3, ledger=5_000, calls=2_000, sessions=1, grown=40,
)  # fmt: skip
