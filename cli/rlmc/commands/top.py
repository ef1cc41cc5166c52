"""`rlmc top`: the account of the day in the terminal, live.

Rule: reads the ledger and asks the daemon how it is; changes nothing. However it ends, the screen is as it was before.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from rlmc.commands import which

if TYPE_CHECKING:
    from rlmc.ui.top import Facts

_LEAST, _MOST = 0.2, 60.0
_LAST_TURNS = 50


def register(app: typer.Typer) -> None:
    app.command("top")(top)


def top(
    session: Annotated[str | None, typer.Argument(help="A session's id, the start of it, or its name.")] = None,
    last: Annotated[bool, typer.Option("--last", help="The session that began last.")] = False,
    once: Annotated[bool, typer.Option("--once", help="Print one frame and end.")] = False,
    interval: Annotated[
        float, typer.Option("--interval", metavar="SECONDS", min=_LEAST, max=_MOST, help="Between two looks.")
    ] = 1.0,
) -> None:
    """Watch what rlmc saves, live: today, or one session. q ends it."""
    which.only_one({"SESSION": session is not None, "--last": last})
    from rlmc.ui import console

    chosen = _session(session) if session is not None or last else None
    if once or not console.is_terminal(sys.stdout):
        for line in _frame(chosen, 10_000):
            console.out(line)
        return
    _watch(chosen, interval)


def _session(text: str | None) -> str | None:
    from rlmc.config.paths import ledger_file
    from rlmc.ledger.queries import LedgerReader

    reader = LedgerReader.open(ledger_file())
    try:
        notes: list[str] = []
        row = which.session(reader, text, notes)
    finally:
        reader.close()
    return None if row is None else row.id


def _watch(session: str | None, interval: float) -> None:
    import shutil

    from rich.console import Console
    from rich.live import Live
    from rich.text import Text

    console = Console(highlight=False, markup=False, emoji=False)
    with _keys() as pressed, Live(console=console, screen=True, auto_refresh=False) as live:
        while True:
            found = _frame(session, shutil.get_terminal_size().lines)
            live.update(Text("\n").join(Text.from_ansi(line, no_wrap=True) for line in found), refresh=True)
            if pressed(interval) in ("q", "Q", "\x03", "\x04"):
                return


@contextmanager
def _keys() -> Iterator[Callable[[float], str]]:
    """A function that waits so many seconds for a key, and gives it or nothing."""
    import select
    import time

    if not sys.stdin.isatty():

        def wait(seconds: float) -> str:
            time.sleep(seconds)
            return ""

        yield wait
        return
    import os
    import termios
    import tty

    keyboard = sys.stdin.fileno()
    before = termios.tcgetattr(keyboard)

    def pressed(seconds: float) -> str:
        ready, _, _ = select.select([keyboard], [], [], seconds)
        return os.read(keyboard, 1).decode("latin-1") if ready else ""

    try:
        tty.setcbreak(keyboard)
        yield pressed
    finally:
        termios.tcsetattr(keyboard, termios.TCSADRAIN, before)


def _frame(session: str | None, height: int) -> list[str]:
    from rlmc.ui.top import frame

    return frame(_facts(session), height, sys.stdout)


def _facts(session: str | None) -> Facts:
    from datetime import datetime

    from rlmc.config.paths import ledger_file
    from rlmc.daemon.control import status
    from rlmc.errors import RlmcError
    from rlmc.ledger import period as periods
    from rlmc.ledger.queries import LedgerReader
    from rlmc.ledger.report import Account, SavingsReport, SessionAccount
    from rlmc.ledger.totals import Scope, account
    from rlmc.ui.top import Facts

    now = datetime.now().astimezone()
    try:
        daemon = status()
    except RlmcError:
        daemon = None
    today = periods.today(now)
    name = today.name if session is None else f"session {session[:8]}"
    try:
        reader = LedgerReader.open(ledger_file())
        try:
            scope = Scope(today.since, today.until) if session is None else Scope(session=session)
            found = account(reader, scope, None)
            alive = [one["id"] for one in (daemon or {}).get("sessions") or [] if one["alive"]]
            rows = [row for id in (alive if session is None else [session]) if (row := reader.session(id)) is not None]
            accounts = [SessionAccount(row, account(reader, Scope(session=row.id), None).total) for row in rows]
            turns = list(reader.last_turns(_LAST_TURNS, session))
        finally:
            reader.close()
    except RlmcError as error:
        return Facts(name, Account(SavingsReport(), (), 0), (), (), daemon, now, error.message)
    return Facts(name, found, accounts, turns, daemon, now)
