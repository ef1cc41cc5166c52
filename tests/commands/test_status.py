"""`rlmc status` shows the budgets that are set, of today and of every session, and where telemetry goes."""

from __future__ import annotations

import os
import time
from dataclasses import replace

import pytest
from tests.support import tools
from tests.support.cli import run
from tests.support.collector import collector
from tests.support.fake_upstream import FakeUpstream, Reply
from tests.support.live import Live
from tests.support.mixed_session import PRICES
from tests.support.wire_client import send

import rlmc
from rlmc.commands.status import register
from rlmc.daemon.state import DaemonState, write_state
from rlmc.ledger import files


@pytest.fixture
def known(live: Live) -> Live:
    """A daemon that the command line finds."""
    write_state(DaemonState(live.port, os.getpid(), rlmc.__version__, live.control_token, time.time(), "test"))
    return live


def rows(live: Live, config: str, word: str = "budget") -> list[str]:
    file = live.folder / "config" / "config.toml"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(config)
    assert live.control("POST", "/-/reload")[1]["ok"]
    ran = run(register, "status")
    assert ran.code == 0
    return [" ".join(line.split()) for line in ran.out.splitlines() if line.startswith(word)]


def test_no_budget_is_no_line(known: Live) -> None:
    assert rows(known, "") == []


def test_the_days_and_each_sessions_own(known: Live) -> None:
    with FakeUpstream(lambda _b, _n: Reply("Hi.", output_tokens=1000), prices=PRICES) as up:
        overrides = {"upstream.anthropic.base-url": up.url, "policy": "verify-only", "budget.session": "0.01"}
        session = known.open_session(overrides=overrides)
        send(session.base_url, tools.request("Say hi.", model="claude-opus-5-5", stream=True))
        deadline = time.monotonic() + 20
        config = '[budget]\ndaily = 20\naction = "stop"\n'
        while (found := rows(known, config))[0].endswith("$20 left") and time.monotonic() < deadline:
            time.sleep(0.05)
    assert found == [
        "budget budget.daily (stop): $0.02 of $20, $19.98 left",
        f"budget session {session.id}: budget.session (stop): $0.02 of $0.01, over by $0.01",
    ]


def test_what_a_budget_cannot_do_is_said(known: Live) -> None:
    found = rows(known, 'draft-model = "none"\n[budget]\ndaily = 20\naction = "degrade"\n')
    assert found[1].startswith("budget notice budget.action is degrade, but there is no draft model")


def test_where_telemetry_goes_is_said(known: Live) -> None:
    assert rows(known, "", "telemetry") == []
    with collector() as sink:
        found = rows(known, f'otel.endpoint = "{sink.url}"\n', "telemetry")
        assert found == [f"telemetry goes to {sink.url}"]
        assert rows(known, "", "telemetry") == []


def test_ten_thousand_sessions_are_a_short_list_and_no_wait(known: Live) -> None:
    session = known.open_session()
    sessions = known.daemon._sessions
    [one] = sessions.all()
    for number in range(10_000):
        sessions.add(replace(one, id=f"{number:016x}", token=f"token-{number:020}"))
    began = time.monotonic()
    ran = run(register, "status")
    assert time.monotonic() - began < 8
    assert ran.code == 0
    lines = ran.out.splitlines()
    assert len(lines) < 60
    assert lines[-1] == "and 9,971 more: rlmc status --json"
    for number in range(10_000):
        sessions.remove(f"{number:016x}")
    session.end()


def test_what_is_unusual_about_the_machine_is_said(known: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "network_disk", lambda _: "nfs4")
    assert rows(known, "", "machine") == [
        "machine the ledger lies on a network disk (nfs4): it has no write-ahead log, and long readings delay its rows"
    ]
