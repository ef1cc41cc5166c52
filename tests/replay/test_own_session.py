"""A session played live and decided again from its ledger: the same calls, outcomes, reasons and picodollars."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from tests.support import tools
from tests.support.fake_upstream import FakeUpstream
from tests.support.live import Live, LiveSession, live_daemon
from tests.support.mixed_session import PRICES, conversation, script
from tests.support.wire_client import send

from rlmc.config.paths import ledger_file
from rlmc.errors import LedgerError
from rlmc.ledger.decisions import KeptTurn, kept_turns
from rlmc.ledger.queries import LedgerReader
from rlmc.replay.own_session import Comparison, compare
from rlmc.upstream.prices import load_prices


@pytest.fixture
def live(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Live]:
    with live_daemon(tmp_path, monkeypatch) as daemon:
        yield daemon


def open_session(live: Live, up: FakeUpstream, policy: str, id: str | None = None, **settings: str) -> LiveSession:
    return live.open_session(
        overrides={
            "upstream.anthropic.base-url": up.url,
            "policy": policy,
            "draft-model": "anthropic/claude-haiku-5-5",
            **settings,
        },
        keys={"ANTHROPIC_API_KEY": "k"},
        id=id,
    )


def kept(session: str) -> list[KeptTurn]:
    reader = LedgerReader.open(ledger_file())
    try:
        return kept_turns(reader, session)
    finally:
        reader.close()


def play(live: Live, policy: str, turns: int = 40) -> tuple[list[KeptTurn], Comparison]:
    with FakeUpstream(script, prices=PRICES) as up:
        session = open_session(live, up, policy)
        for turn in range(turns):
            send(session.base_url, conversation(turn), x_claude_code_session_id="s1")
        send(session.base_url, tools.request("Say hi.", model="claude-opus-5-5", stream=True))
        session.end()
    rows = kept(session.id)
    return rows, compare(rows, load_prices())


@pytest.mark.parametrize("policy", ["balanced", "economy", "careful", "paper", "draft-only", "verify-only"])
def test_a_session_is_decided_again_as_it_was(live: Live, policy: str) -> None:
    rows, found = play(live, policy)
    assert found.differences == []
    assert (found.turns, found.decided, found.other_prices) == (41, 41, 0)
    assert found.paid.exact == sum(call.cost or 0 for turn in rows for call in turn.calls)
    assert found.baseline.exact == sum(turn.baseline or 0 for turn in rows)


@pytest.mark.parametrize("policy", ["balanced", "careful", "paper", "verify-only"])
def test_a_session_that_a_budget_made_cheaper_and_then_stopped_is_decided_again_as_it_was(
    live: Live, policy: str
) -> None:
    settings = {"budget.session": "0.05", "budget.action": "degrade"}
    with FakeUpstream(script, prices=PRICES) as up:
        session = open_session(live, up, policy, **settings)
        for turn in range(30):
            send(session.base_url, conversation(turn), x_claude_code_session_id="s1")
        known = live.daemon._sessions.by_id(session.id)
        assert known is not None
        budgets = replace(known.parts.settings, budget_action="stop")
        known.means = replace(known.means, parts=replace(known.parts, settings=budgets))
        assert send(session.base_url, conversation(30), x_claude_code_session_id="s1").status == 402
        session.end()
    rows = kept(session.id)
    assert {turn.policy for turn in rows} == {policy, "economy"}
    assert [turn.reason for turn in rows].count("budget") == 1
    assert {tuple((turn.decision or {})["degraded"] or ()) for turn in rows if turn.policy == "economy"} == {
        ("budget.session", policy)
    }
    found = compare(rows, load_prices())
    assert found.differences == []
    assert (found.turns, found.decided) == (31, 30)


def test_what_was_changed_afterwards_is_found(live: Live) -> None:
    rows, _ = play(live, "balanced", 12)
    skipped = next(n for n, turn in enumerate(rows) if turn.outcome == "skipped")
    forged = [
        replace(t, outcome="direct", baseline=(t.baseline or 0) + 1) if n == skipped else t for n, t in enumerate(rows)
    ]
    found = compare(forged, load_prices())
    assert {what for _, what, _, _ in found.differences} == {"outcome", "baseline"}


def test_turns_that_overlap_are_decided_again_in_the_order_they_came_and_ended(live: Live) -> None:
    def one(agent: int) -> None:
        for turn in range(8):
            got = send(session.base_url, conversation(turn), x_claude_code_session_id=f"agent-{agent}")
            assert got.status == 200

    with FakeUpstream(script, prices=PRICES) as up:
        session = open_session(live, up, "economy")
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(one, range(4)))
        session.end()
    found = compare(kept(session.id), load_prices())
    assert found.differences == []
    assert found.decided == 32


@pytest.mark.parametrize("policy", ["balanced", "economy", "careful", "paper"])
def test_a_session_with_simulated_models_is_decided_again_as_it_was(live: Live, policy: str) -> None:
    session = live.open_session(
        overrides={"verify-model": "sim/verify+latency=0", "draft-model": "sim/draft+latency=0", "policy": policy}
    )
    for turn in range(20):
        got = send(session.base_url, conversation(turn), x_claude_code_session_id="s1")
        assert got.status == 200
    session.end()
    found = compare(kept(session.id), load_prices())
    assert found.differences == []
    assert found.decided == 20


def test_a_session_that_came_back_to_another_daemon_begins_with_an_empty_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with FakeUpstream(script, prices=PRICES) as up:
        for _ in range(2):
            with live_daemon(tmp_path, monkeypatch) as daemon:
                session = open_session(daemon, up, "balanced", id="0123456789abcdef")
                for turn in range(10):
                    send(session.base_url, conversation(turn), x_claude_code_session_id="s1")
                session.end()
        with_both = kept("0123456789abcdef")
    found = compare(with_both, load_prices())
    assert found.differences == []
    assert (found.decided, len({(t.decision or {})["epoch"] for t in with_both})) == (20, 2)


def test_a_decision_that_came_out_otherwise_is_a_difference_and_no_crash(live: Live) -> None:
    rows, _ = play(live, "balanced", 12)
    other = [
        replace(t, policy="economy", decision={**(t.decision or {}), "seen": {}}) if t.outcome == "direct" else t
        for t in rows
    ]
    assert compare(other, load_prices()).differences


def test_a_decision_that_cannot_be_read_is_said(live: Live) -> None:
    rows, _ = play(live, "balanced", 3)
    broken = [replace(rows[0], decision={**(rows[0].decision or {}), "setup": {}})]
    with pytest.raises(LedgerError, match=rows[0].id):
        compare(broken, load_prices())
    other = [replace(rows[0], decision={"format": 99})]
    assert compare(other, load_prices()).decided == 0
