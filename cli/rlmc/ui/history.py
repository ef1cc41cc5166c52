"""Sessions and turns as lists: a line for each."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePath
from typing import TextIO

from rlmc.domain.outcome import Outcome
from rlmc.ledger.period import day_of, local
from rlmc.ledger.queries import SessionRow, TurnRow
from rlmc.ledger.report import SavingsReport, SessionAccount
from rlmc.ui.console import page_width
from rlmc.ui.listing import Cell, Column, Toned, lines
from rlmc.ui.palette import of_outcome, of_saving
from rlmc.views.figures import label, path, percent, seconds, short, short_saving
from rlmc.views.history_data import account_of

LEAST_ID = 8
_WIDE = 100  # columns, from which on there is room for more than is needed
_SESSION = (
    Column("id"),
    Column("when"),
    Column("client", least=10, start=True),
    Column("project", least=8),
    Column("branch", least=8, room=_WIDE),
    Column("turns", right=True),
    Column("skipped", right=True),
    Column("paid", right=True),
    Column("saved", right=True),
)
_TURN = (
    Column("id"),
    Column("time"),
    Column("class", least=4, room=_WIDE),
    Column("outcome"),
    Column("reason", least=8),
    Column("model", least=6, room=_WIDE),
    Column("paid", right=True),
    Column("baseline", right=True),
    Column("saved", right=True),
    Column("latency", right=True),
)


# --- sessions -------------------------------------------------------------------------------------------------------


def session_lines(found: Sequence[SessionAccount], id_length: int, out: TextIO) -> list[str]:
    page = page_width(out)
    whole = page is None or page >= _WIDE
    years = {local(one.session.started_at).year for one in found}
    clock = "%m-%d %H:%M" if not whole and len(years) == 1 else "%Y-%m-%d %H:%M"
    return lines(_SESSION, [_session(one.session, one.report, id_length, clock, whole) for one in found], out)


def _session(row: SessionRow, report: SavingsReport, id_length: int, clock: str, whole: bool) -> list[Cell]:
    """`whole`: client and name, and the project with the way to it."""
    turns = report.turns
    name = (f"{row.client} {row.name}" if whole else row.name) if row.name else row.client
    figures: list[Cell] = ["-", "-", "-"]
    if turns:
        skipped = report.outcomes[Outcome.SKIPPED.value] / turns
        saved = Toned(short_saving(report.saving), of_saving(report.saving))
        figures = [percent(skipped), short(report.paid), saved]
    return [
        row.id[:id_length],
        local(row.started_at).strftime(clock),
        f"simulated {name}" if row.simulated else name,
        path(row.directory or "") if whole else PurePath(row.directory or "").name,
        row.git_branch or "",
        f"{turns:,}",
        *figures,
    ]


# --- turns ----------------------------------------------------------------------------------------------------------


def turn_lines(turns: Sequence[TurnRow], id_length: int, out: TextIO) -> list[str]:
    days = {day_of(turn.started_at) for turn in turns}
    clock = "%H:%M:%S" if len(days) == 1 else "%m-%d %H:%M:%S"
    return lines(_TURN, [_turn(turn, id_length, clock) for turn in turns], out)


def _turn(turn: TurnRow, id_length: int, clock: str) -> list[Cell]:
    report = account_of(turn)
    return [
        turn.id[:id_length],
        local(turn.started_at).strftime(clock),
        turn.request_class,
        Toned(turn.outcome, of_outcome(turn.outcome)),
        turn.reason,
        turn.served_model,
        short(report.paid),
        ("~" if turn.baseline_estimated and turn.baseline else "") + short(report.baseline),
        Toned(short_saving(report.saving), of_saving(report.saving)),
        seconds(turn.latency_ms),
    ]


def turn_name(turn: TurnRow) -> str:
    return f"turn {label(turn.id)} ({local(turn.started_at):%Y-%m-%d %H:%M:%S})"
