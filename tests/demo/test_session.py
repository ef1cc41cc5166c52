"""The demo agent, the real daemon and the simulated models together: honest behaviour that shows every outcome."""

from __future__ import annotations

from collections import Counter
from contextlib import closing

import pytest
from tests.support.live import Live

from rlmc.config.paths import ledger_file
from rlmc.demo.agent import Agent, Api
from rlmc.ledger.queries import LedgerReader, TurnRow


def played(live: Live, draft: str, verify: str, policy: str = "balanced") -> list[TurnRow]:
    session = live.open_session(overrides={"draft-model": draft, "verify-model": verify, "policy": policy})
    with closing(Api(session.base_url, "none")) as api:
        Agent(api).work()
    session.end()
    with closing(LedgerReader.open(ledger_file())) as reader:
        return list(reader.session_turns(session.id))


def test_a_balanced_session_shows_drafts_verdicts_and_direct_turns_and_saves(live: Live) -> None:
    turns = played(live, "sim/draft+latency=0", "sim/verify+latency=0")
    outcomes = Counter(t.outcome for t in turns)
    assert set(outcomes) == {"skipped", "accepted", "direct"}
    assert 25 <= len(turns) <= 40
    assert outcomes["skipped"] >= 10
    assert {t.ending for t in turns} == {"complete"}
    assert all(t.simulated for t in turns)
    paid = sum(call.cost or 0 for t in turns for call in t.calls)
    assert 0 < paid < sum(t.baseline or 0 for t in turns)


@pytest.mark.parametrize("fault", ["reset", "break", "leak", "bad-schema", "shell"])
def test_whatever_the_draft_model_does_the_agent_finishes_its_work(live: Live, fault: str) -> None:
    turns = played(live, f"sim/draft+latency=0+fault={fault}", "sim/verify+latency=0")
    assert {t.ending for t in turns} == {"complete"}
    main_turns = turns[1:]  # the title call has no tools and may be drafted
    assert {t.outcome for t in main_turns} <= {"direct", "accepted", "enhanced"}


def test_without_drafts_the_same_work_is_done(live: Live) -> None:
    turns = played(live, "sim/draft+latency=0", "sim/verify+latency=0", policy="verify-only")
    assert {t.outcome for t in turns} == {"direct"}
