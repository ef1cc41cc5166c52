"""What became of answers after the fact, by who gave them: signs of regret, and how many steps tasks took.

Rule: rates are of turns that could show a sign, and stand beside the same rates of the verify model's own answers; none
proves anything by itself.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import field

from rlmc.domain.frozen import dataclass
from rlmc.domain.outcome import Outcome
from rlmc.ledger.queries import LedgerReader
from rlmc.ledger.totals import Scope, Turns, turns_of


@dataclass(slots=True)
class After:
    """Of one outcome: `turns` that could show a sign, and how many of them had one of each kind. A turn may have
    several kinds; `regretted` counts it once. Side calls have none."""

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


_MAIN = "json_extract(t.signals, '$.auxiliary') = 0"
# Turns that could show a sign: they came to an answer, and their conversation went on.
_FOLLOWED = """
    t.id AS id, t.outcome AS outcome,
    lead(t.id) OVER (PARTITION BY t.session_id, t.conversation ORDER BY t.started_at, t.id) AS next
"""
_SIGNS = """
    WITH known AS MATERIALIZED (SELECT id, outcome FROM ({turns}) WHERE next IS NOT NULL)
    SELECT outcome, 'turns', count(*) FROM known GROUP BY 1
    UNION ALL SELECT outcome, 'regretted', count(DISTINCT id) FROM known JOIN regrets r ON r.turn_id = id GROUP BY 1
    UNION ALL SELECT outcome, r.kind, count(*) FROM known JOIN regrets r ON r.turn_id = id GROUP BY 1, 2
"""
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
    found = {outcome.value: After() for outcome in Outcome}
    with reader.snapshot():
        for outcome, what, count in _signs(reader, turns):
            match what:
                case "turns":
                    found[outcome].turns = count
                case "regretted":
                    found[outcome].regretted = count
                case _:
                    found[outcome].kinds[what] = count
        steps = {bool(drafted): Steps(tasks, turns) for drafted, tasks, turns in _tasks(reader, turns)}
    return Afterwards(found, steps.get(True, Steps()), steps.get(False, Steps()))


def _signs(reader: LedgerReader, turns: Turns) -> Iterator[tuple[str, str, int]]:
    answered = turns.only("t.ending NOT IN ('error', 'upstream-error')").select(_FOLLOWED)
    return reader.rows(_SIGNS.format(turns=answered), (*turns.times, *turns.values))


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
