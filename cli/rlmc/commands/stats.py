"""`rlmc stats`: what was paid, what the verify model alone would have cost, and what that saved.

Rule: reads the ledger and nothing else; no daemon is needed. What is estimated or unknown is said with the figures.
"""

from __future__ import annotations

import sys
from dataclasses import field, replace
from enum import StrEnum
from typing import Annotated

import typer

from rlmc.commands import which
from rlmc.domain.frozen import dataclass
from rlmc.ledger.period import Period
from rlmc.ledger.queries import LedgerReader, SessionRow
from rlmc.ledger.report import Account
from rlmc.ledger.totals import ANYWHERE, Scope, account

SCHEMA = "rlmc.stats/1"


class By(StrEnum):
    """What `--by` groups by: a project is the directory a session was started in, a branch the one of git it was on, a
    model the one that answered."""

    SESSION = "session"
    DAY = "day"
    MODEL = "model"
    OUTCOME = "outcome"
    CLIENT = "client"
    PROJECT = "project"
    BRANCH = "branch"


def register(app: typer.Typer) -> None:
    app.command("stats")(stats)


def stats(
    session: which.Session = None,
    today: which.Today = False,
    yesterday: which.Yesterday = False,
    week: which.Week = False,
    month: which.Month = False,
    since: which.Since = None,
    until: which.Until = None,
    all: which.All = False,
    last: Annotated[bool, typer.Option("--last", help="The session that began last.")] = False,
    project: which.Project = None,
    branch: which.Branch = None,
    by: Annotated[By | None, typer.Option("--by", help="Also as a table by this.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV.")] = False,
    check: Annotated[
        bool, typer.Option("--check", help="Hold today and a session against their budgets; exit code 4 if over.")
    ] = False,
) -> None:
    """Show what rlmc saved: paid, baseline, outcomes, latencies."""
    choice = which.only_one(
        {
            "SESSION": session is not None,
            "--today": today,
            "--yesterday": yesterday,
            "--week": week,
            "--month": month,
            "--since/--until": since is not None or until is not None,
            "--all": all,
            "--last": last,
        }
    )
    which.only_one({"--json": json, "--csv": as_csv})
    for option, text in (("--project", project), ("--branch", branch)):
        other = "--check" if check else choice if choice in ("SESSION", "--last") else None
        which.only_one({option: text is not None, other or "": other is not None})
    if check:
        from rlmc.commands.budget_check import check_budgets

        beside = None if choice in ("SESSION", "--last") else choice
        which.only_one({"--check": True, beside or "": beside is not None, "--by": by is not None, "--csv": as_csv})
        check_budgets(session, as_json=json)
        return
    from rlmc.config.paths import ledger_file

    reader = LedgerReader.open(ledger_file())
    try:
        if session is not None or last:
            asked = _session(reader, session)
        else:
            asked = _period(reader, choice, since, until, which.place(project, branch))
        if json:
            _print_json(reader, asked, by)
        elif as_csv:
            _print_csv(reader, asked, by)
        else:
            _print_text(reader, asked, by)
    finally:
        reader.close()


@dataclass(frozen=True, slots=True)
class _Asked:
    """What is to be shown: a session, or a period of the sessions of a place."""

    period: Period
    scope: Scope
    session: SessionRow | None = None
    place: Scope = ANYWHERE
    notes: list[str] = field(default_factory=list)


def _session(reader: LedgerReader, text: str | None) -> _Asked:
    notes: list[str] = []
    row = which.session(reader, text, notes)
    if row is None:
        return _Asked(Period("last session"), Scope(until=0))  # there is none, so it has no turns
    period = Period(which.session_name(row), row.started_at, row.ended_at)
    return _Asked(period, Scope(session=row.id), row, notes=notes)


def _period(reader: LedgerReader, choice: str | None, since: str | None, until: str | None, place: Scope) -> _Asked:
    notes: list[str] = []
    period = which.period(reader, choice, since, until, notes, place)
    notes += [one for one in (which.removed(reader, period),) if one]
    return _Asked(period, replace(place, since=period.since, until=period.until), place=place, notes=notes)


# --- how it is shown ------------------------------------------------------------------------------------------------


def _print_json(reader: LedgerReader, asked: _Asked, by: By | None) -> None:
    from rlmc.commands.aim import known
    from rlmc.ui.result import envelope
    from rlmc.views.standing_data import quality_data
    from rlmc.views.stats_data import stats_data

    found = account(reader, asked.scope, None if by is None else by.value)
    row = asked.session
    data = {
        **stats_data(found, asked.period, None if by is None else by.value, asked.notes),
        "quality": quality_data(found.total, known(reader, found.total)),
        "project": asked.place.project if row is None else row.directory,
        "branch": asked.place.branch if row is None else row.git_branch,
        "session": None if row is None else {"id": row.id, "name": row.name, "client": row.client},
        "after_the_fact": _after_data(reader, asked, by, found),
    }
    typer.echo(envelope(SCHEMA, data))


def _print_csv(reader: LedgerReader, asked: _Asked, by: By | None) -> None:
    from rlmc.ui.page import show_csv
    from rlmc.views.stats_data import CSV_COLUMNS, csv_row

    found = account(reader, asked.scope, None if by is None else by.value)
    if by is None:
        show_csv(CSV_COLUMNS, [csv_row(found.total)])
    else:
        show_csv([by.value, *CSV_COLUMNS], ([key, *csv_row(report)] for key, report in found.groups))


def _print_text(reader: LedgerReader, asked: _Asked, by: By | None) -> None:
    from rlmc.ui.page import show, show_heading, show_notes

    # By day where no table is asked for: the account shows the days as a line of small bars.
    found = account(reader, asked.scope, "day" if by is None else by.value)
    below = which.where(asked.place) if asked.session is None else which.session_place(asked.session)
    show_heading(f"rlmc stats: {asked.period.name}", below)
    if not found.total.turns:
        from rlmc.commands.nothing import NO_TURNS, show_nothing

        if asked.session is None:
            show_nothing(reader, asked.place, "rlmc stats")
        else:
            show_notes([NO_TURNS])
        show_notes(asked.notes)
        return
    from rlmc.commands.aim import known
    from rlmc.ui.tables import account_lines

    ids = [key for key, _ in found.groups] if by is By.SESSION else []
    grouping, shortest = None if by is None else by.value, reader.shortest("session", ids)
    lines = account_lines(found, grouping, shortest, sys.stdout, known(reader, found.total))
    show(["", *lines])
    if _wants_after(asked, by):
        from rlmc.ledger.regrets import afterwards
        from rlmc.ui.after import after_lines

        after = after_lines(afterwards(reader, asked.scope, simulated=found.total.simulated), sys.stdout)
        show(["", *after] if after else [])
    show_notes(asked.notes)


def _wants_after(asked: _Asked, by: By | None) -> bool:
    """It takes a look at every turn's signals: only where it is asked for, or of one session."""
    return asked.session is not None or by is By.OUTCOME


def _after_data(reader: LedgerReader, asked: _Asked, by: By | None, found: Account) -> dict[str, object] | None:
    if not _wants_after(asked, by):
        return None
    from rlmc.ledger.regrets import afterwards
    from rlmc.views.after import after_data

    return after_data(afterwards(reader, asked.scope, simulated=found.total.simulated))
