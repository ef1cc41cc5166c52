"""`rlmc stats`: what was paid, what the verify model alone would have cost, and what that saved.

Rule: reads the ledger and nothing else; no daemon is needed. What is estimated or unknown is said with the figures.
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from typing import Annotated

import typer

from rlmc.errors import UsageError
from rlmc.ledger import period as periods
from rlmc.ledger.period import Period
from rlmc.ledger.queries import LedgerReader, SessionRow, TurnRow
from rlmc.ledger.report import Account, account
from rlmc.ui.figures import count, label

SCHEMA = "rlmc.stats/1"
_NO_TURNS_EVER = "No turns yet. Put `rlmc run --` in front of your coding agent, or see how it works with `rlmc demo`."


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
    today: Annotated[bool, typer.Option("--today", help="Since midnight.")] = False,
    yesterday: Annotated[bool, typer.Option("--yesterday", help="The day before today.")] = False,
    week: Annotated[bool, typer.Option("--week", help="Since Monday.")] = False,
    month: Annotated[bool, typer.Option("--month", help="Since the first of the month.")] = False,
    since: Annotated[str | None, typer.Option(metavar="DAY", help="From this day or moment on.")] = None,
    until: Annotated[str | None, typer.Option(metavar="DAY", help="Up to the end of this day, or this moment.")] = None,
    all: Annotated[bool, typer.Option("--all", help="Everything in the ledger.")] = False,
    last: Annotated[bool, typer.Option("--last", help="The session that began last.")] = False,
    by: Annotated[By | None, typer.Option("--by", help="Also as a table by this.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV.")] = False,
) -> None:
    """Show what rlmc saved: paid, baseline, outcomes, latencies."""
    choices = {
        "SESSION": session is not None,
        "--today": today,
        "--yesterday": yesterday,
        "--week": week,
        "--month": month,
        "--since/--until": since is not None or until is not None,
        "--all": all,
        "--last": last,
    }
    named = [name for name, given in choices.items() if given]
    if len(named) > 1:
        raise UsageError(f"{' and '.join(named)} cannot be combined", "choose one")
    if json and as_csv:
        raise UsageError("--json and --csv cannot be combined", "choose one")
    from rlmc.config.paths import ledger_file

    reader = LedgerReader.open(ledger_file())
    try:
        notes: list[str] = []
        if session is not None or last:
            period, turns = _session(reader, session, notes)
        else:
            period = _period(reader, named, since, until, notes)
            turns = reader.turns(period.since, period.until)
        found = account(turns, None if by is None else by.value, periods.day_of)
        elsewhere = reader.has_turns(0)
    finally:
        reader.close()
    if json:
        _print_json(found, period, by, notes)
    elif as_csv:
        _print_csv(found, by)
    else:
        _print_text(found, period, by, notes, elsewhere)


# --- which turns ----------------------------------------------------------------------------------------------------


def _period(reader: LedgerReader, named: list[str], since: str | None, until: str | None, notes: list[str]) -> Period:
    now = datetime.now().astimezone()
    match named:
        case ["--today"]:
            return periods.today(now)
        case ["--yesterday"]:
            return periods.yesterday(now)
        case ["--week"]:
            return periods.this_week(now)
        case ["--month"]:
            return periods.this_month(now)
        case ["--since/--until"]:
            return periods.between(since, until)
        case ["--all"]:
            return periods.ALL
    day = periods.today(now)
    if reader.has_turns(day.since or 0) or not reader.has_turns(0):
        return day
    notes.append("No turns today, so this is everything.")
    return periods.ALL


def _session(reader: LedgerReader, text: str | None, notes: list[str]) -> tuple[Period, Iterable[TurnRow]]:
    if text is None:
        newest = reader.last_session()
        return (Period("last session"), ()) if newest is None else (_named(newest), reader.session_turns(newest.id))
    found = reader.find_sessions(text)
    if not found:
        raise UsageError(f"no session is called {label(text)}", "`rlmc stats --all --by session` lists them")
    if len(found) > 1 and found[0].name != text:
        ids = ", ".join(row.id for row in found[:3])
        raise UsageError(f"{label(text)} could be {count(len(found), 'session')}: {ids} …", "give more of the id")
    if len(found) > 1:
        notes.append(f"The newest of {count(len(found), 'session')} of that name.")
    return _named(found[0]), reader.session_turns(found[0].id)


def _named(row: SessionRow) -> Period:
    parts = [row.client, row.name, f"{periods.local(row.started_at):%Y-%m-%d %H:%M}"]
    words = ", ".join(label(part) for part in parts if part)
    return Period(f"session {row.id} ({words})", row.started_at, row.ended_at)


# --- how it is shown ------------------------------------------------------------------------------------------------


def _print_json(found: Account, period: Period, by: By | None, notes: list[str]) -> None:
    from rlmc.ui.result import envelope
    from rlmc.ui.stats_data import stats_data

    typer.echo(envelope(SCHEMA, stats_data(found, period, None if by is None else by.value, notes)))


def _print_csv(found: Account, by: By | None) -> None:
    from rlmc.ui.stats_data import CSV_COLUMNS, csv_row

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
    typer.echo("No turns here. `rlmc stats --all` shows everything there is." if elsewhere else _NO_TURNS_EVER)
