"""Sessions and turns as lists: a line for each."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePath
from typing import TextIO

from rlmc.domain.turn import Outcome
from rlmc.ledger.period import day_of, local
from rlmc.ledger.queries import SessionRow, TurnRow
from rlmc.ledger.report import SavingsReport, SessionAccount
from rlmc.ui.listing import Column, lines
from rlmc.views.figures import label, percent, seconds, short, short_saving
from rlmc.views.history_data import account_of

LEAST_ID = 8
_SESSION = (
    Column("id"),
    Column("when"),
    Column("client", least=8),
    Column("project", least=8),
    Column("turns", right=True),
    Column("skipped", right=True),
    Column("paid", right=True),
    Column("saved", right=True),
)
_TURN = (
    Column("id"),
    Column("time"),
    Column("class", least=4),
    Column("outcome"),
    Column("reason", least=8),
    Column("model", least=6),
    Column("paid", right=True),
    Column("baseline", right=True),
    Column("latency", right=True),
)


# --- sessions -------------------------------------------------------------------------------------------------------


def session_lines(found: Sequence[SessionAccount], id_length: int, out: TextIO) -> list[str]:
    return lines(_SESSION, [_session(one.session, one.report, id_length) for one in found], out)


def _session(row: SessionRow, report: SavingsReport, id_length: int) -> list[str]:
    turns = report.turns
    name = f"{row.client} {row.name}" if row.name else row.client
    figures = ["-", "-", "-"]
    if turns:
        skipped = report.outcomes[Outcome.SKIPPED.value] / turns
        figures = [percent(skipped), short(report.paid), short_saving(report.saving)]
    return [
        row.id[:id_length],
        f"{local(row.started_at):%Y-%m-%d %H:%M}",
        f"{name} (simulated)" if row.simulated else name,
        PurePath(row.directory or "").name,
        f"{turns:,}",
        *figures,
    ]


# --- turns ----------------------------------------------------------------------------------------------------------


def turn_lines(turns: Sequence[TurnRow], id_length: int, out: TextIO) -> list[str]:
    days = {day_of(turn.started_at) for turn in turns}
    clock = "%H:%M:%S" if len(days) == 1 else "%m-%d %H:%M:%S"
    return lines(_TURN, [_turn(turn, id_length, clock) for turn in turns], out)


def _turn(turn: TurnRow, id_length: int, clock: str) -> list[str]:
    report = account_of(turn)
    return [
        turn.id[:id_length],
        local(turn.started_at).strftime(clock),
        turn.request_class,
        turn.outcome,
        turn.reason,
        turn.served_model,
        short(report.paid),
        ("~" if turn.baseline_estimated and turn.baseline else "") + short(report.baseline),
        seconds(turn.latency_ms),
    ]


def turn_name(turn: TurnRow) -> str:
    return f"turn {label(turn.id)} ({local(turn.started_at):%Y-%m-%d %H:%M:%S})"
