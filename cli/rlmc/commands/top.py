"""`rlmc top`: the account of the day in the terminal, live.

Rule: reads the ledger and asks the daemon how it is; changes nothing. However it ends, the screen is as it was before.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import TracebackType
from typing import TYPE_CHECKING, Annotated, Self

import typer

from rlmc.commands import which
from rlmc.domain.frozen import dataclass

if TYPE_CHECKING:
    from rlmc.ledger.period import Period
    from rlmc.ledger.quality import Known
    from rlmc.ledger.queries import LedgerReader, TurnRow
    from rlmc.ledger.report import Account, SessionAccount
    from rlmc.ui.top import Facts

_LEAST, _MOST = 0.2, 60.0
_LAST_TURNS = 50


def register(app: typer.Typer) -> None:
    app.command("top")(top)


def top(
    session: which.Session = None,
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
    with _Look(chosen) as look:
        if once or not console.is_terminal(sys.stdout):
            for line in look.frame(10_000):
                console.out(line)
            return
        _watch(look, interval)


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


def _watch(look: _Look, interval: float) -> None:
    import shutil

    from rich.console import Console
    from rich.live import Live
    from rich.text import Text

    console = Console(highlight=False, markup=False, emoji=False)
    with _keys() as pressed, Live(console=console, screen=True, auto_refresh=False) as live:
        while True:
            found = look.frame(shutil.get_terminal_size().lines)
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


@dataclass(slots=True)
class _Books:
    """What the ledger says, as far as a frame shows it."""

    account: Account
    sessions: Sequence[SessionAccount]
    turns: Sequence[TurnRow]
    known: Known | None


class _Look:
    """Looks at the ledger and the daemon again and again. What the ledger says is summed up anew only when somebody
    has written there, or the question has changed: the day, or the sessions that are alive."""

    def __init__(self, session: str | None) -> None:
        self._session = session
        self._reader: LedgerReader | None = None
        self._file: tuple[int, int] | None = None
        self._asked: object = None
        self._books: _Books | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()

    def frame(self, height: int) -> list[str]:
        from rlmc.ui.top import frame

        return frame(self.facts(), height, sys.stdout)

    def facts(self) -> Facts:
        from datetime import datetime

        from rlmc.daemon.control import status
        from rlmc.errors import RlmcError
        from rlmc.ledger import period as periods
        from rlmc.ledger.report import Account, SavingsReport
        from rlmc.ui.top import Facts

        now = datetime.now().astimezone()
        try:
            daemon = status()
        except RlmcError:
            daemon = None
        today = periods.today(now)
        name = today.name if self._session is None else f"session {self._session[:8]}"
        alive = tuple(one["id"] for one in (daemon or {}).get("sessions") or [] if one["alive"])
        try:
            books = self._look(today, alive)
        except RlmcError as error:
            self._close()
            return Facts(name, Account(SavingsReport(), (), 0), (), (), daemon, now, error.message)
        return Facts(name, books.account, books.sessions, books.turns, daemon, now, known=books.known)

    def _look(self, today: Period, alive: tuple[str, ...]) -> _Books:
        reader = self._open()
        # Read before the sums: what is written in between is seen the next time.
        version = list(reader.rows("PRAGMA data_version", ()))
        asked = (version, today.since, alive)
        books = self._books
        if books is None or asked != self._asked:
            books = _sum_up(reader, self._session, today, alive)
            self._books, self._asked = books, asked
        if not version:  # no ledger yet; the next look may find one
            self._close()
        return books

    def _open(self) -> LedgerReader:
        """The same as last time, unless there is another file now, or the first."""
        from rlmc.config.paths import ledger_file
        from rlmc.ledger.queries import LedgerReader

        path = ledger_file()
        try:
            found = path.stat()
            file = (found.st_dev, found.st_ino)
        except OSError:
            file = None
        if self._reader is None or file != self._file:
            self._close()
            self._reader, self._file = LedgerReader.open(path), file
        return self._reader

    def _close(self) -> None:
        if self._reader is not None:
            self._reader.close()
        self._reader, self._books = None, None


def _sum_up(reader: LedgerReader, session: str | None, today: Period, alive: Sequence[str]) -> _Books:
    from rlmc.commands.aim import known
    from rlmc.ledger.report import SessionAccount
    from rlmc.ledger.totals import Scope, account

    scope = Scope(today.since, today.until) if session is None else Scope(session=session)
    shown = alive if session is None else [session]
    rows = [row for id in shown if (row := reader.session(id)) is not None]
    total = account(reader, scope, None)
    return _Books(
        total,
        [SessionAccount(row, account(reader, Scope(session=row.id), None).total) for row in rows],
        reader.last_turns(_LAST_TURNS, session),
        known(reader, total.total),
    )
