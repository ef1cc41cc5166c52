"""`rlmc sessions rm`: takes sessions out of the ledger.

Rule: shows what would go and asks; never a session that is in use. What went is still said where totals lack it.
"""

from __future__ import annotations

import sys
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from rlmc.commands import which
from rlmc.errors import DaemonError, LedgerError, UsageError

if TYPE_CHECKING:
    from rlmc.ledger.report import SessionAccount

SCHEMA = "rlmc.sessions-rm/1"
_NAMED = 10


def sessions_rm(
    sessions: Annotated[
        list[str] | None,
        typer.Argument(metavar="SESSION", help="Ids, beginnings of ids, or names.", show_default=False),
    ] = None,
    older_than: Annotated[
        str | None,
        typer.Option("--older-than", metavar="DAY", help="All without a turn since a day, or for, say, `90d`."),
    ] = None,
    simulated: Annotated[bool, typer.Option("--simulated", help="All of simulated models.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print JSON; with --yes only.")] = False,
) -> None:
    """Remove sessions from the ledger, with their turns, calls and contents."""
    if not sessions and older_than is None and not simulated:
        raise UsageError("nothing says which sessions to remove", "name some, or use --older-than or --simulated")
    if json and not yes:
        raise UsageError("--json cannot ask", "add --yes")
    chosen = _chosen(sessions or [], older_than, simulated)
    what = _what(chosen)
    if chosen and not yes:
        _ask(chosen, what)
        in_use = _in_use()  # an answer may take its time
        if any(one.session.id in in_use for one in chosen):
            raise UsageError("one of these sessions is in use by now", "try again")
    _remove([one.session.id for one in chosen])
    if json:
        from rlmc.ui.result import envelope

        turns = sum(one.report.turns for one in chosen)
        typer.echo(envelope(SCHEMA, {"sessions": [one.session.id for one in chosen], "turns": turns}))
    else:
        typer.echo(f"Removed {what}." if chosen else "No session is to be removed.")


def _chosen(names: Sequence[str], older_than: str | None, simulated: bool) -> list[SessionAccount]:
    from rlmc.config.paths import ledger_file
    from rlmc.ledger.queries import LedgerReader
    from rlmc.ledger.totals import session_accounts

    before = 0 if older_than is None else _day(older_than)
    in_use = _in_use()
    reader = LedgerReader.open(ledger_file())
    try:
        notes: list[str] = []
        named = [row for name in names if (row := which.session(reader, name, notes)) is not None]
        recent = {row.id for row in reader.sessions(before)}
        every = session_accounts(reader, None, None)
    finally:
        reader.close()
    busy = next((row for row in named if row.id in in_use), None)
    if busy is not None:
        raise UsageError(f"{which.session_name(busy)} is in use", "end its agent first")
    wanted = {row.id for row in named}
    return [
        one
        for one in every
        if one.session.id not in in_use
        and (
            one.session.id in wanted
            or (older_than is not None and one.session.id not in recent)
            or (simulated and one.session.simulated)
        )
    ]


def _day(text: str) -> int:
    """What `--older-than` names: a length of time is counted back from now."""
    from datetime import datetime

    from rlmc.ledger.dates import span
    from rlmc.ledger.period import start_of

    length = span(f"{text} ago", datetime.now().astimezone()) is not None
    return start_of("--older-than", f"{text} ago" if length else text)


def _in_use() -> Collection[str]:
    from rlmc.daemon.control import status
    from rlmc.daemon.state import daemon_lock

    found = status()
    if found is None and daemon_lock().held():
        raise DaemonError("the daemon does not answer, so nobody knows which sessions are in use", "try again soon")
    known = found or {}
    # An audit may outlive its session, and what it costs is still to be written.
    return {one["id"] for one in known.get("sessions") or []} | {*known.get("audited_sessions", ())}


def _what(chosen: Sequence[SessionAccount]) -> str:
    from rlmc.ledger.report import Amount
    from rlmc.views.figures import amount, count

    paid = Amount(sum(one.report.paid.known for one in chosen), sum(one.report.paid.missing for one in chosen))
    turns = sum(one.report.turns for one in chosen)
    return f"{count(len(chosen), 'session')} with {count(turns, 'turn')} (paid {amount(paid)})"


def _ask(chosen: Sequence[SessionAccount], what: str) -> None:
    from rlmc.ui.console import is_terminal

    for one in chosen[:_NAMED]:
        typer.echo(which.session_name(one.session))
    if len(chosen) > _NAMED:
        typer.echo(f"… and {len(chosen) - _NAMED} more")
    if not is_terminal(sys.stdin):
        raise UsageError(f"this would remove {what}, and there is nobody to ask", "add --yes")
    typer.confirm(f"Remove {what}?", abort=True)


def _remove(ids: Sequence[str]) -> None:
    import sqlite3
    import time
    from contextlib import closing

    from rlmc.config.paths import ledger_file
    from rlmc.ledger import retention
    from rlmc.ledger.files import connect

    if not ids:
        return
    try:
        with closing(connect(ledger_file())) as db:
            for id in ids:  # one at a time: a daemon writes between them
                retention.remove(db, id, "asked", time.time_ns() // 1000)
            for _ in retention.give_back(db):
                pass
    except sqlite3.Error as error:
        raise LedgerError(f"the ledger {ledger_file()} cannot be changed: {error}", "try again in a moment") from error
