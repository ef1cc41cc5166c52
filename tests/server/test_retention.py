"""Old sessions go while a daemon serves: no turn that comes in is lost, nobody's session goes, and it is said."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.support.books import CENT, call, session, turn
from tests.support.fake_upstream import FakeUpstream
from tests.support.ledger_rows import ledger_path, turn_rows
from tests.support.live import live_daemon
from tests.support.mixed_session import conversation
from tests.support.scripts import always_text
from tests.support.wire_client import send

from rlmc.commands.status import _lines
from rlmc.ledger.retention import DAY
from rlmc.ledger.store import Ledger
from rlmc.server import housekeeping

OLD = [f"old{number}" for number in range(80)]


def until(reached: Callable[[], bool], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not reached():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def old_books(folder: Path, ids: list[str]) -> None:
    at = time.time_ns() // 1000 - 40 * DAY
    ledger = Ledger.open(folder / "data" / "ledger.db")
    for id in ids:
        ledger.start_session(session(id, started_at=at))
        for number in range(5):
            ledger.record(turn(call(cost=CENT), session=id, at=at + number))
    assert ledger.flush(20)
    ledger.close()


def test_turns_come_in_while_old_ones_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    old_books(tmp_path, OLD)
    monkeypatch.setattr(housekeeping, "FIRST_SECONDS", 1.0)
    caplog.set_level(logging.INFO, "rlmc.ledger")
    with (
        FakeUpstream(always_text("Fine.")) as up,
        live_daemon(tmp_path, monkeypatch, "[ledger]\nmax-age = 30\n") as live,
    ):
        overrides = {"upstream.anthropic.base-url": up.url, "policy": "verify-only"}
        new, kept = live.open_session(overrides=overrides), live.open_session(overrides=overrides, id="old7")
        sent = 0

        def all_went() -> bool:
            nonlocal sent
            assert send(new.base_url, conversation(0)).status == 200
            sent += 1
            return live.control("GET", "/-/status")[1]["removed_turns"] == {"age": 5 * (len(OLD) - 1)}

        until(all_went)
        shown = _lines(live.control("GET", "/-/status")[1])
        assert any("395 turns removed since the start, past ledger.max-age" in line for line in shown)
        assert live.daemon.books.ledger.error is None
        new.end()
        kept.end()
    assert ledger_path().is_relative_to(tmp_path)
    by_session = [row["session_id"] for row in turn_rows()]
    assert (by_session.count(new.id), by_session.count("old7")) == (sent, 5)
    assert len(by_session) == sent + 5
    assert "past ledger.max-age: removed sessions: 79, the oldest ones" in caplog.text


def test_a_run_whose_daemon_died_has_time_to_come_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old_books(tmp_path, ["old0"])
    with live_daemon(tmp_path, monkeypatch, "[ledger]\nmax-age = 30\n") as live:
        time.sleep(0.3)
        assert live.control("GET", "/-/status")[1]["removed_turns"] == {}
        live.open_session(id="old0").end()
    assert len(turn_rows()) == 5
