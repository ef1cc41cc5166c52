"""`rlmc stats`: what was paid, what the verify model alone would have cost, and what that saved.

Rule: reads the ledger and nothing else; no daemon is needed. What is estimated or unknown is said with the figures.
"""

from __future__ import annotations

import csv
import sys
from enum import StrEnum
from typing import Annotated

import typer

from rlmc.commands import which
from rlmc.ledger.period import Period
from rlmc.ledger.queries import LedgerReader
from rlmc.ledger.report import Account
from rlmc.ledger.totals import Scope, account

SCHEMA = "rlmc.stats/1"


class By(StrEnum):
    """What `--by` groups by: a project is the directory a session was started in, a model the one that answered."""

    SESSION = "session"
    DAY = "day"
    MODEL = "model"
    OUTCOME = "outcome"
    CLIENT = "client"
    PROJECT = "project"


def register(app: typer.Typer) -> None:
    app.command("stats")(stats)


def stats(
    session: Annotated[str | None, typer.Argument(help="A session's id, the start of it, or its name.")] = None,
    today: which.Today = False,
    yesterday: which.Yesterday = False,
    week: which.Week = False,
    month: which.Month = False,
    since: which.Since = None,
    until: which.Until = None,
    all: which.All = False,
    last: Annotated[bool, typer.Option("--last", help="The session that began last.")] = False,
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
    if check:
        from rlmc.commands.budget_check import check_budgets

        beside = None if choice in ("SESSION", "--last") else choice
        which.only_one({"--check": True, beside or "": beside is not None, "--by": by is not None, "--csv": as_csv})
        check_budgets(session, as_json=json)
        return
    from rlmc.config.paths import ledger_file

    reader = LedgerReader.open(ledger_file())
    try:
        notes: list[str] = []
        if session is not None or last:
            period, scope = _session(reader, session, notes)
        else:
            period = which.period(reader, choice, since, until, notes)
            scope = Scope(period.since, period.until)
            notes += [one for one in (which.removed(reader, period),) if one]
        found = account(reader, scope, None if by is None else by.value)
        elsewhere = reader.has_turns(0)
    finally:
        reader.close()
    if json:
        _print_json(found, period, by, notes)
    elif as_csv:
        _print_csv(found, by)
    else:
        _print_text(found, period, by, notes, elsewhere)


def _session(reader: LedgerReader, text: str | None, notes: list[str]) -> tuple[Period, Scope]:
    row = which.session(reader, text, notes)
    if row is None:
        return Period("last session"), Scope(until=0)  # there is none, so it has no turns
    return Period(which.session_name(row), row.started_at, row.ended_at), Scope(session=row.id)


# --- how it is shown ------------------------------------------------------------------------------------------------


def _print_json(found: Account, period: Period, by: By | None, notes: list[str]) -> None:
    from rlmc.ui.result import envelope
    from rlmc.views.stats_data import stats_data

    typer.echo(envelope(SCHEMA, stats_data(found, period, None if by is None else by.value, notes)))


def _print_csv(found: Account, by: By | None) -> None:
    from rlmc.views.stats_data import CSV_COLUMNS, csv_row

    writer = csv.writer(sys.stdout, lineterminator="\n")
    if by is None:
        writer.writerow(CSV_COLUMNS)
        writer.writerow(csv_row(found.total))
        return
    writer.writerow([by.value, *CSV_COLUMNS])
    for key, report in found.groups:
        writer.writerow([key, *csv_row(report)])


def _print_text(found: Account, period: Period, by: By | None, notes: list[str], elsewhere: bool) -> None:
    from rlmc.ui.tables import print_account

    heading = f"rlmc stats: {period.name}"
    if found.total.turns:
        print_account(found, heading, None if by is None else by.value, notes, sys.stdout)
        return
    typer.echo(heading)
    typer.echo("No turns here. `rlmc stats --all` shows everything there is." if elsewhere else which.NO_TURNS_EVER)
