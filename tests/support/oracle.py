"""The account by adding up rows one by one in Python: what the ledger's totals have to come to."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from rlmc.domain.outcome import Outcome
from rlmc.ledger.period import day_of, local
from rlmc.ledger.queries import SessionRow, TurnRow
from rlmc.ledger.report import Account, Grouping, SavingsReport

_OUTCOMES = [outcome.value for outcome in Outcome]


def report_of(turns: Iterable[TurnRow]) -> SavingsReport:
    report = SavingsReport()
    for turn in turns:
        report.add(turn)
    return report


def account_of_rows(
    turns: Iterable[TurnRow], by: Grouping | None, branches: Mapping[str, str | None] | None = None
) -> Account:
    """`branches` are the git branches by session, which a turn's row does not have."""
    rows: dict[bool, list[TurnRow]] = {False: [], True: []}
    for turn in turns:
        rows[bool(turn.simulated)].append(turn)
    kind = not rows[False]
    groups: dict[str, list[TurnRow]] = {}
    if by is not None:
        for turn in rows[kind]:
            groups.setdefault(_key(by, branches or {})(turn), []).append(turn)
    found = sorted(((key, report_of(group)) for key, group in groups.items()), key=lambda one: _order(one[0], by))
    return Account(report_of(rows[kind]), tuple(found), 0 if kind else len(rows[True]))


def sessions_of_rows(sessions: Iterable[SessionRow], turns: Iterable[TurnRow]) -> list[tuple[str, SavingsReport]]:
    """Newest first; turns whose session is not among these make one of their own."""
    began = {row.id: row.started_at for row in sessions}
    groups: dict[str, list[TurnRow]] = {id: [] for id in began}
    for turn in turns:
        groups.setdefault(turn.session, []).append(turn)
        began.setdefault(turn.session, turn.started_at)
    newest = sorted(groups, key=lambda id: (began[id], id), reverse=True)
    return [(id, report_of(groups[id])) for id in newest]


def _key(by: Grouping, branches: Mapping[str, str | None]) -> Callable[[TurnRow], str]:
    keys: dict[Grouping, Callable[[TurnRow], str]] = {
        "session": lambda turn: turn.session,
        "day": lambda turn: day_of(turn.started_at),
        "hour": lambda turn: f"{local(turn.started_at):%Y-%m-%dT%H}",
        "model": lambda turn: turn.served_model,
        "outcome": lambda turn: turn.outcome,
        "client": lambda turn: turn.client,
        "project": lambda turn: turn.directory or "",
        "branch": lambda turn: branches.get(turn.session) or "",
    }
    return keys[by]


def _order(key: str, by: Grouping | None) -> tuple[int, str]:
    return (_OUTCOMES.index(key) if by == "outcome" and key in _OUTCOMES else len(_OUTCOMES)), key
