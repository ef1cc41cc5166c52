"""`rlmc sessions`: the sessions there were, newest first, with what each cost and saved.

Rule: reads the ledger and nothing else. A session is shown whole, also where only a part of it lies in the period.
"""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from rlmc.commands import which
from rlmc.commands.plain import PlainTyper
from rlmc.commands.sessions_rm import sessions_rm
from rlmc.ledger.period import Period, local
from rlmc.ledger.queries import LedgerReader
from rlmc.ledger.report import SessionAccount
from rlmc.ledger.totals import Scope, session_accounts

SCHEMA = "rlmc.sessions/1"
PAGE = 50


def register(app: typer.Typer) -> None:
    group = PlainTyper(invoke_without_command=True)
    group.callback()(sessions)
    group.command("rm")(sessions_rm)
    app.add_typer(group, name="sessions")


def sessions(
    context: typer.Context,
    today: which.Today = False,
    yesterday: which.Yesterday = False,
    week: which.Week = False,
    month: which.Month = False,
    since: which.Since = None,
    until: which.Until = None,
    all: which.All = False,
    project: which.Project = None,
    branch: which.Branch = None,
    limit: which.Limit = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV.")] = False,
) -> None:
    """List the sessions: when, where, how many turns, paid, saved."""
    if context.invoked_subcommand is not None:
        return
    choice = which.only_one(
        {
            "--today": today,
            "--yesterday": yesterday,
            "--week": week,
            "--month": month,
            "--since/--until": since is not None or until is not None,
            "--all": all,
        }
    )
    which.only_one({"--json": json, "--csv": as_csv})
    from rlmc.config.paths import ledger_file

    place = which.place(project, branch)
    reader = LedgerReader.open(ledger_file())
    try:
        notes: list[str] = []
        period = which.period(reader, choice, since, until, notes, place)
        found = session_accounts(reader, period.since, period.until, place)
        # Data is whole unless a limit is asked for; a page is never longer than one looks through.
        most = limit or (len(found) if json or as_csv else PAGE)
        shown = found[:most]
        if json:
            _print_json(shown, len(found), period, place, notes)
        elif as_csv:
            _print_csv(shown)
        else:
            _print_text(reader, shown, len(found), period, place, notes)
    finally:
        reader.close()


def _print_json(shown: list[SessionAccount], there_are: int, period: Period, place: Scope, notes: list[str]) -> None:
    from rlmc.ui.result import envelope
    from rlmc.views.history_data import session_data

    since, until = (None if at is None else local(at).isoformat() for at in (period.since, period.until))
    data = {
        "period": {"name": period.name, "since": since, "until": until},
        "project": place.project,
        "branch": place.branch,
        "sessions": [session_data(one) for one in shown],
        "left_out": there_are - len(shown),
        "notes": notes,
    }
    typer.echo(envelope(SCHEMA, data))


def _print_csv(shown: list[SessionAccount]) -> None:
    from rlmc.ui.page import show_csv
    from rlmc.views.history_data import SESSION_COLUMNS, session_row

    show_csv(SESSION_COLUMNS, (session_row(one) for one in shown))


def _print_text(
    reader: LedgerReader,
    shown: list[SessionAccount],
    there_are: int,
    period: Period,
    place: Scope,
    notes: list[str],
) -> None:
    from rlmc.ui.history import LEAST_ID, session_lines
    from rlmc.ui.page import show, show_heading, show_notes

    show_heading(f"rlmc sessions: {period.name}", which.where(place))
    if not shown:
        from rlmc.commands.nothing import show_nothing

        show_nothing(reader, place, "rlmc sessions")
        return
    id_length = reader.shortest("session", [one.session.id for one in shown])
    show(["", *session_lines(shown, max(LEAST_ID, id_length), sys.stdout), ""])
    if there_are > len(shown):
        notes = [f"The newest {len(shown):,} of {there_are:,}; `--limit {there_are}` shows all.", *notes]
    if any(one.session.simulated for one in shown):
        notes = [*notes, "What is simulated has simulated prices; it is never added to what is real."]
    show_notes([*notes, "`rlmc turns ID` lists a session's turns, `rlmc stats ID` shows its account."])
