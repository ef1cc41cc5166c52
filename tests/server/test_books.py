"""The books against a provider's own bill: the same tokens, the same picodollars, whatever the turns were like."""

from __future__ import annotations

from typing import Any

from tests.support import tools
from tests.support.billing import Prices
from tests.support.fake_upstream import FakeUpstream, Reply
from tests.support.ledger_rows import call_rows, turn_rows
from tests.support.live import Live
from tests.support.scripts import always_text, verifier
from tests.support.wire_client import send

# Published prices of November 2026 in picodollars a token, written down here apart from the product's table.
OPUS = Prices(
    input=4_000_000, output=20_000_000, cache_read=200_000, cache_write_5m=5_000_000, cache_write_1h=8_000_000
)
HAIKU = Prices(input=100_000, output=500_000, cache_read=10_000, cache_write_5m=125_000, cache_write_1h=200_000)
PRICES = {"claude-opus-5-5": OPUS, "claude-haiku-5-5": HAIKU}
SYSTEM = [{"type": "text", "text": "You are a careful agent. " * 400, "cache_control": {"type": "ephemeral"}}]
LONG = "A long closing report on what was found. " * 50


def conversation(turn: int) -> dict[str, Any]:
    """The request of one turn of a growing conversation; every fifth is a new task, every seventh follows an error."""
    messages: list[dict[str, Any]] = [{"role": "user", "content": "Look at the project."}]
    for n in range(turn):
        if n % 5 == 4:
            messages.append({"role": "assistant", "content": [{"type": "text", "text": "Done."}]})
            messages.append({"role": "user", "content": f"Next task, number {n}."})
        else:
            messages.append(tools.use(f"t{n}", "Read", file_path=f"src/{n}.py"))
            messages.append(tools.result(f"t{n}", f"line {n}\n" * 200, is_error=n % 7 == 6))
    last = messages[-1]
    if isinstance(last["content"], str):
        last["content"] = [{"type": "text", "text": last["content"]}]
    last["content"][-1] = last["content"][-1] | {"cache_control": {"type": "ephemeral"}}
    return tools.request(
        *messages,
        model="claude-opus-5-5",
        system=SYSTEM,
        tools=tools.ALL,
        stream=turn % 3 != 0,
        thinking={"type": "adaptive"},
    )


def drafts(body: dict[str, Any], n: int) -> Reply:
    return [
        Reply(calls=(("Read", {"file_path": f"src/{n}.py"}),)),
        Reply(LONG),
        Reply(calls=(("Edit", {"file_path": "a", "old_string": "b", "new_string": "c"}),)),
        Reply(calls=(("Grep", {"pattern": "x"}),), text="Searching."),
        Reply(status=529),
        Reply("words " * 40, stop="max_tokens"),
    ][n % 6]


def script(body: dict[str, Any], n: int) -> Reply:
    return drafts(body, n) if "haiku" in body["model"] else verify(body, n)


verify = verifier(lambda seen: seen % 2 == 0, always_text("The verify model's own words. " * 4))


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
