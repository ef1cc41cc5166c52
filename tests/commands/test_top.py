"""`rlmc top`: the account of the day, once in a pipe and live in a terminal that it leaves as it was."""

from __future__ import annotations

import json
import os
import sys
import time
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from tests.support import cli
from tests.support.audited import Audited
from tests.support.books import CENT, call, session, turn
from tests.support.terminal import Terminal

from rlmc.commands import stats, top
from rlmc.config.paths import ledger_file
from rlmc.domain.outcome import Outcome
from rlmc.domain.record import SessionRecord, TurnRecord
from rlmc.errors import UsageError
from rlmc.ledger.queries import LedgerReader
from rlmc.ledger.store import Ledger


def write(*records: SessionRecord | TurnRecord) -> None:
    ledger = Ledger.open(ledger_file())
    for record in records:
        ledger.start_session(record) if isinstance(record, SessionRecord) else ledger.record(record)
    assert ledger.flush(10)
    ledger.close()


def now() -> int:
    return round(time.time() * 1_000_000)


@pytest.fixture
def day() -> None:
    at = now()
    write(
        session(started_at=at),
        turn(call(cost=20 * CENT), at=at, baseline=20 * CENT),
        turn(call("draft", cost=CENT), at=at + 1, outcome=Outcome.SKIPPED, baseline=15 * CENT),
    )


@pytest.mark.usefixtures("day")
def test_one_frame_has_the_figures_of_stats() -> None:
    told = cli.run(stats.register, "stats", "--today").out
    shown = cli.run(top.register, "top", "--once").out
    for figure in ("$0.21", "$0.35", "$0.14"):
        assert figure in told
        assert figure in shown
    assert "saved $0.14 (40 %)   paid $0.21   baseline $0.35" in shown
    assert "The daemon is not running" in shown
    assert shown.index("skipped") < shown.index("direct")


def test_the_quality_line_is_that_of_stats() -> None:
    epoch = Audited(ledger_file(), at=now())
    epoch.audited(0.0, 3)
    epoch.close()
    line = json.loads(cli.run(stats.register, "stats", "--today", "--json").out)["data"]["quality"]["line"]
    assert "3 audits" in line
    assert f"quality: {line}" in cli.run(top.register, "top", "--once").out


@pytest.mark.usefixtures("day")
def test_one_session_instead_of_the_day() -> None:
    shown = cli.run(top.register, "top", "s1").out
    assert "session s1" in shown
    assert "project" in shown
    assert "saved $0.14" in cli.run(top.register, "top", "--last").out
    with pytest.raises(UsageError, match="cannot be combined"):
        top.top("s1", last=True)


def test_before_the_first_turn_it_says_what_to_do() -> None:
    assert "rlmc run --" in cli.run(top.register, "top").out


@pytest.mark.usefixtures("day")
@pytest.mark.parametrize("ends", ["q", "\x03"], ids=["q", "ctrl-c"])
def test_in_a_terminal_it_follows_the_ledger_and_leaves_the_screen_as_it_was(ends: str, tmp_path: Path) -> None:
    env = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "80", "LINES": "24"}
    with Terminal([sys.executable, "-m", "rlmc", "top", "--interval", "0.2"], env) as terminal:
        terminal.expect("\x1b[?1049h")
        terminal.expect("saved $0.14")
        write(turn(call(cost=100 * CENT), at=now(), baseline=101 * CENT))
        terminal.expect("saved $0.15")
        terminal.type(ends)
        terminal.expect("\x1b[?1049l")
        assert terminal.process.wait(10) in (0, 130)
    assert "Traceback" not in terminal.seen


@pytest.mark.usefixtures("day")
@pytest.mark.parametrize("height", [10, 24, 60])
def test_a_frame_fits_the_terminal(height: int) -> None:
    with top._Look(None) as look:
        assert len(look.frame(height)) <= height


@pytest.fixture
def sums(monkeypatch: pytest.MonkeyPatch) -> list[str | None]:
    """Of what the ledger was summed up, each time."""
    found: list[str | None] = []

    def told(reader: LedgerReader, session: str | None, *rest: Any) -> Any:
        found.append(session)
        return before(reader, session, *rest)

    before = top._sum_up
    monkeypatch.setattr(top, "_sum_up", told)
    return found


@pytest.mark.usefixtures("day")
def test_the_ledger_is_summed_up_again_only_when_somebody_wrote(sums: list[str | None]) -> None:
    with top._Look(None) as look:
        assert look.facts().account.total.turns == 2
        for _ in range(3):
            assert look.facts().account.total.turns == 2
        assert sums == [None]
        write(turn(call(), at=now()))
        assert look.facts().account.total.turns == 3
        assert sums == [None, None]


def test_a_ledger_that_comes_while_it_looks_is_seen(sums: list[str | None]) -> None:
    with top._Look(None) as look:
        assert look.facts().account.total.turns == 0
        ledger_file().parent.mkdir(parents=True)
        ledger_file().touch()  # what a daemon's first moment looks like
        assert look.facts().account.total.turns == 0
        write(turn(call(), at=now()))
        assert look.facts().account.total.turns == 1


def test_a_ledger_that_is_replaced_while_it_looks_is_seen(tmp_path: Path) -> None:
    write(turn(call(), at=now()))
    with top._Look(None) as look:
        assert look.facts().account.total.turns == 1
        ledger_file().rename(tmp_path / "old.db")
        assert look.facts().account.total.turns == 0
        write(turn(call(), at=now()), turn(call(), at=now()))
        assert look.facts().account.total.turns == 2


def test_a_ledger_that_cannot_be_read_is_said_and_looked_at_again() -> None:
    ledger_file().parent.mkdir(parents=True)
    ledger_file().write_bytes(b"no database at all" * 100)
    with top._Look(None) as look:
        assert "ledger" in str(look.facts().trouble)
        ledger_file().unlink()
        write(turn(call(), at=now()))
        found = look.facts()
    assert (found.trouble, found.account.total.turns) == (None, 1)


def test_it_counts_the_day_from_local_midnight() -> None:
    midnight = datetime.now().astimezone().replace(hour=0, minute=0, second=0, microsecond=0)
    before = round(midnight.timestamp() * 1_000_000) - 1
    write(session(started_at=before), turn(call(), at=before))
    assert "No turns yet" in cli.run(top.register, "top").out
