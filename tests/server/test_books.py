"""The books against a provider's own bill: the same tokens, the same picodollars, whatever the turns were like."""

from __future__ import annotations

import asyncio
from typing import Any

from tests.support import tools
from tests.support.fake_upstream import FakeUpstream, Reply
from tests.support.ledger_rows import call_rows, turn_rows
from tests.support.live import Live
from tests.support.mixed_session import PRICES, conversation, script
from tests.support.scripts import always_text
from tests.support.wire_client import raw_request, send

from rlmc.server.books import Booked


def test_the_ledger_equals_the_providers_bill_over_a_mixed_session(live: Live) -> None:
    with FakeUpstream(script, prices=PRICES) as up:
        session = live.open_session(overrides={"upstream.anthropic.base-url": up.url})
        for turn in range(42):
            got = send(session.base_url, conversation(turn), x_claude_code_session_id="s1")
            assert got.status == 200
        session.end()
        billed = up.billed
    turns, calls = turn_rows(), call_rows()
    assert len(turns) == 42
    assert {t["outcome"] for t in turns} == {"skipped", "accepted", "enhanced", "direct"}
    assert sum(t["cost"] for t in turns) == billed
    for name in ("input", "cache_read", "cache_write_5m", "cache_write_1h", "output"):
        assert sum(c[name] for c in calls) == sum(getattr(b, name) for b in up.bills if _charged(b))
    assert sum(not c["served"] for c in calls) > 5, "drafts nobody saw are in the books"
    assert all(t["baseline"] is not None for t in turns)


def _charged(bill: Any) -> bool:
    return bill.prompt > 0


def test_verify_only_saves_exactly_nothing(live: Live) -> None:
    with FakeUpstream(always_text("Fine."), prices=PRICES) as up:
        session = live.open_session(overrides={"upstream.anthropic.base-url": up.url, "policy": "verify-only"})
        for turn in range(12):
            send(session.base_url, conversation(turn), x_claude_code_session_id="s1")
        session.end()
        billed = up.billed
    turns = turn_rows()
    assert [t["cost"] for t in turns] == [t["baseline"] for t in turns]
    assert not any(t["baseline_estimated"] for t in turns)
    assert sum(t["cost"] for t in turns) == billed


def test_an_unknown_price_is_unknown(live: Live) -> None:
    with FakeUpstream() as up:
        session = live.open_session(
            overrides={
                "upstream.anthropic.base-url": up.url,
                "upstream.mine.base-url": up.url,
                "verify-model": "mine/some-model",
            }
        )
        send(session.base_url, conversation(0))
        session.end()
    assert up.exchanges[0].json["model"] == "some-model"
    assert up.exchanges[0].header("x-api-key") is None, "the client's key is another vendor's"
    row = turn_rows()[0]
    assert (row["cost"], row["baseline"]) == (None, None)
    assert call_rows()[0]["input"] is not None


def test_turns_that_end_before_the_prices_are_loaded_are_entered_at_once_and_priced_later(live: Live) -> None:
    """A daemon that is killed right after its start has lost nothing but, at worst, a price."""
    books = live.daemon.books
    with FakeUpstream(always_text("Fine."), prices=PRICES) as up:
        session = live.open_session(overrides={"upstream.anthropic.base-url": up.url, "policy": "verify-only"})
        asyncio.run_coroutine_threadsafe(books._ready.wait(), live.loop).result(20)
        assert books.prices is not None
        prices, books.prices = books.prices, None
        send(session.base_url, conversation(0), x_claude_code_session_id="s1")
        asyncio.run_coroutine_threadsafe(served(live), live.loop).result(20)
        assert books.ledger.flush(10)
        assert [(t["cost"], t["baseline"]) for t in turn_rows()] == [(None, None)]
        books._adopt(prices)
        session.end()
        billed = up.billed
    assert [(t["cost"], t["baseline"]) for t in turn_rows()] == [(billed, billed)]


async def served(live: Live) -> None:
    """A client has its answer before the turn is booked: until no request is under way any more."""
    assert live.daemon._app is not None
    while live.daemon._app.active:  # noqa: ASYNC110 - the application offers no event to wait for
        await asyncio.sleep(0.005)


AFTER_READ = tools.request(
    "Fix it.",
    tools.use("t1", "Read", file_path="a.py"),
    tools.result("t1", "x"),
    model="claude-opus-5-5",
    tools=tools.ALL,
    stream=True,
)


def test_a_draft_that_never_arrived_costs_nothing(live: Live) -> None:
    with FakeUpstream(prices=PRICES) as up:
        with FakeUpstream() as gone:
            pass
        session = live.open_session(
            overrides={
                "upstream.anthropic.base-url": up.url,
                "upstream.deepseek.base-url": gone.url,
                "draft-model": "deepseek/deepseek-flash",
                "policy": "draft-only",
            },
            keys={"DEEPSEEK_API_KEY": "k"},
        )
        send(session.base_url, AFTER_READ)
        send(session.base_url, tools.request("hi", model="claude-opus-5-5", stream=True))
        session.end()
        billed = up.billed
    assert [c["cost"] for c in call_rows() if c["role"] == "draft"] == [0, 0]
    assert sum(t["cost"] for t in turn_rows()) == billed


def test_a_client_that_hangs_up_while_a_draft_is_made_leaves_a_turn_that_was_not_decided(live: Live) -> None:
    with FakeUpstream() as up, FakeUpstream(lambda _b, _n: Reply(hang_after=-1)) as draft:
        session = live.open_session(
            overrides={
                "upstream.anthropic.base-url": up.url,
                "upstream.deepseek.base-url": draft.url,
                "draft-model": "deepseek/deepseek-flash",
            },
            keys={"DEEPSEEK_API_KEY": "k"},
        )
        client = raw_request(session.base_url, AFTER_READ)
        draft.wait(lambda: len(draft.messages) == 1)
        client.close()
        draft.wait(lambda: draft.exchanges[0].client_gone)
        session.end()
    row = turn_rows()[0]
    assert (row["outcome"], row["reason"], row["ending"]) == ("direct", "undecided", "client-gone")
    assert row["cost"] is None, "the draft may have been billed, and nobody knows for what"


def test_the_end_of_a_session_waits_for_a_turn_under_way(live: Live) -> None:
    with FakeUpstream(lambda _b, _n: Reply("Fine.", delay=0.5), prices=PRICES) as up:
        session = live.open_session(overrides={"upstream.anthropic.base-url": up.url, "policy": "verify-only"})
        client = raw_request(session.base_url, AFTER_READ)
        up.wait(lambda: len(up.messages) == 1)
        session.end()
        client.close()
    assert [t["ending"] for t in turn_rows()] == ["complete"]


def test_observers_are_told_of_every_call_once_and_one_that_fails_harms_nobody(live: Live) -> None:
    told: list[Booked] = []

    def fail(_: Booked) -> None:
        raise RuntimeError("out of order")

    live.daemon.books.observers += [fail, told.append]
    with FakeUpstream(script, prices=PRICES) as up:
        session = live.open_session(overrides={"upstream.anthropic.base-url": up.url}, client="aider")
        for turn in range(12):
            assert send(session.base_url, conversation(turn), x_claude_code_session_id="s1").status == 200
        session.end()
    turns, calls = turn_rows(), call_rows()
    assert [one.turn.id for one in told] == [turn["id"] for turn in turns]
    assert all(one.first and one.client == "aider" for one in told)
    assert [call.cost for one in told for call in one.calls] == [call["cost"] for call in calls]
