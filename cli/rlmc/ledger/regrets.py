"""What became of answers after the fact, by who gave them: signs of regret, and how many steps tasks took.

Rule: rates are of turns that could show a sign, and stand beside the same rates of the verify model's own answers; none
proves anything by itself.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from rlmc.domain.outcome import Outcome
from rlmc.ledger.queries import LedgerReader
from rlmc.ledger.totals import Scope, Turns, turns_of


@dataclass(slots=True)
class After:
    """Of one outcome: `turns` that are no side calls, and how many of them had a sign of each kind. A turn may have
    several kinds; `regretted` counts it once."""

    turns: int = 0
    regretted: int = 0
    kinds: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class Steps:
    """Tasks, and the turns they took together."""

    tasks: int = 0
    turns: int = 0

    @property
    def mean(self) -> float | None:
        return self.turns / self.tasks if self.tasks else None


@dataclass(frozen=True, slots=True)
class Afterwards:
    """`outcomes` by outcome. `drafted` are tasks in which a draft answered at least one turn, `direct` those in which
    none did."""

    outcomes: dict[str, After]
    drafted: Steps
    direct: Steps


# From the few signs to their turns, not the other way round.
_SIGNS_FIRST = "regrets r CROSS JOIN turns t ON t.id = r.turn_id"
_MAIN = "json_extract(t.signals, '$.auxiliary') = 0"
# A task begins with a turn that follows the user's words, and goes on to the next such turn of its conversation.
_TASK = """
    t.outcome IN ('skipped', 'accepted') AS drafted, t.session_id AS session, t.conversation AS conversation,
    sum(json_extract(t.signals, '$.first_turn')) OVER (
        PARTITION BY t.session_id, t.conversation ORDER BY t.started_at, t.id
    ) AS task
"""


def afterwards(reader: LedgerReader, scope: Scope, *, simulated: bool) -> Afterwards:
    """Of the turns in a scope, real or simulated ones as its account is."""
    turns = turns_of(scope, simulated=simulated).only(_MAIN)
    signs = replace(turns, tables=_SIGNS_FIRST)
    found = {outcome.value: After() for outcome in Outcome}
    with reader.snapshot():
        for _, outcome, count in turns.rows(reader, "t.outcome, count(*)", "GROUP BY t.outcome"):
            found[outcome].turns = count
        for _, outcome, kind, count in signs.rows(reader, "t.outcome, r.kind, count(*)", "GROUP BY t.outcome, r.kind"):
            found[outcome].kinds[kind] = count
        for _, outcome, count in signs.rows(reader, "t.outcome, count(DISTINCT t.id)", "GROUP BY t.outcome"):
            found[outcome].regretted = count
        steps = {bool(drafted): Steps(tasks, turns) for drafted, tasks, turns in _tasks(reader, turns)}
    return Afterwards(found, steps.get(True, Steps()), steps.get(False, Steps()))


def _tasks(reader: LedgerReader, turns: Turns) -> Iterator[tuple[int, int, int]]:
    tasks = f"""
        SELECT max(drafted) AS drafted, count(*) AS turns FROM ({turns.select(_TASK)})
        WHERE task > 0 GROUP BY session, conversation, task
    """  # noqa: S608 - only words of this file; what a user says is among the values
    sql = f"SELECT drafted, count(*), sum(turns) FROM ({tasks}) GROUP BY drafted"  # noqa: S608 - as above
    return reader.rows(sql, (*turns.times, *turns.values))


def regrets_of(reader: LedgerReader, turn: str) -> tuple[str, ...]:
    """The signs of one turn."""
    return tuple(kind for (kind,) in reader.rows("SELECT kind FROM regrets WHERE turn_id = ? ORDER BY kind", (turn,)))
