"""`rlmc status` shows the budgets that are set, of today and of every session, and where telemetry goes."""

from __future__ import annotations

import os
import time

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
