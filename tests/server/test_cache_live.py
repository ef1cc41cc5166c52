"""Money over real sockets: the verify model finds its cache again, brief verifications, caches kept warm."""

from __future__ import annotations

import asyncio
import http.client
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.support import tools
from tests.support.fake_upstream import FakeUpstream
from tests.support.ledger_rows import call_rows, turn_rows
from tests.support.live import Live, LiveSession, live_daemon
from tests.support.mixed_session import PRICES
from tests.support.replies import Reply
from tests.support.scripts import last_text
from tests.support.wire_client import send

from rlmc.config.paths import ledger_file
from rlmc.ledger.decisions import kept_turns
from rlmc.ledger.queries import LedgerReader
from rlmc.replay.own_session import compare
from rlmc.server import keepalive
from rlmc.upstream.prices import load_prices

SYSTEM = [{"type": "text", "text": "You are a careful agent. " * 2_000, "cache_control": {"type": "ephemeral"}}]
LONG = [SYSTEM[0] | {"text": SYSTEM[0]["text"] * 7}]  # a compact context is cheaper than this
RUN = Reply(calls=(("Bash", {"command": "make deploy"}),))
READ = Reply(calls=(("Read", {"file_path": "src/next.py"}),))


@pytest.fixture
def live(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Live]:
    with live_daemon(tmp_path, monkeypatch) as daemon:
        yield daemon


def request_of(turn: int, **fields: Any) -> dict[str, Any]:
    """The n-th request of one long task: a read and its result more each time, the marker on the newest block."""
    messages: list[dict[str, Any]] = [{"role": "user", "content": [{"type": "text", "text": "Look at everything."}]}]
    for n in range(turn):
        messages += [tools.use(f"t{n}", "Read", file_path=f"src/{n}.py"), tools.result(f"t{n}", f"line {n}\n" * 100)]
    messages[-1]["content"][-1] |= {"cache_control": {"type": "ephemeral"}}
    known: dict[str, Any] = {"model": "claude-opus-5-5", "system": SYSTEM, "tools": tools.ALL, "stream": True}
    return tools.request(*messages, **(known | fields))


def open_session(live: Live, up: FakeUpstream, **overrides: str) -> LiveSession:
    return live.open_session(
        overrides={
            "upstream.anthropic.base-url": up.url,
            "draft-model": "anthropic/claude-haiku-5-5",
            **{name.replace("_", "-"): value for name, value in overrides.items()},
        },
        keys={"ANTHROPIC_API_KEY": "k"},
    )


def is_draft(body: dict[str, Any]) -> bool:
    return "haiku" in body["model"]


def is_brief(body: dict[str, Any]) -> bool:
    return not is_draft(body) and not body.get("tools")


def word(body: dict[str, Any]) -> str:
    return "ACCEPT-" + last_text(body).partition("ACCEPT-")[2][:16]


# --- the look-back ----------------------------------------------------------------------------------------------------


def test_after_twelve_skipped_turns_the_verify_model_finds_its_cache(live: Live) -> None:
    """Twelve turns are 24 places, and a provider looks back over 20 only."""
    refused_at = {14, 28}

    def script(body: dict[str, Any], _n: int) -> Reply:
        turn = sum(m["role"] == "assistant" for m in body["messages"])
        return RUN if is_draft(body) and turn in refused_at else READ

    with FakeUpstream(script, prices=PRICES) as up:
        session = open_session(live, up)
        for turn in range(40):
            send(session.base_url, request_of(turn), x_claude_code_session_id="s1")
        session.end()
        asked = [e for e in up.exchanges if e.bill is not None and not is_draft(e.json)]
        billed = up.billed
    outcomes = [row["outcome"] for row in turn_rows()]
    assert [n for n, outcome in enumerate(outcomes) if outcome == "direct"] == [0, 14, 28]
    first, again, last = (e.bill for e in asked)
    assert first is not None and again is not None and last is not None
    assert again.cache_read == first.cache_read + first.cache_write_5m, "all it had read before is still there"
    assert last.cache_read == again.cache_read + again.cache_write_5m
    original = request_of(14)
    sent = json.loads(asked[1].body)
    marked = [b for m in sent["messages"] for b in m["content"] if isinstance(b, dict) and "cache_control" in b]
    assert len(marked) == 2, "the client's own marker and one more"
    for block in marked[:1]:
        del block["cache_control"]
    assert sent == original
    assert sum(row["cost"] for row in turn_rows()) == billed


def test_without_a_long_run_the_request_is_the_clients_to_the_byte(live: Live) -> None:
    with FakeUpstream(lambda body, _n: RUN if is_draft(body) else READ, prices=PRICES) as up:
        session = open_session(live, up, policy="draft-only")
        body = request_of(3)
        send(session.base_url, request_of(2), x_claude_code_session_id="s1")
        send(session.base_url, body, x_claude_code_session_id="s1")
        session.end()
        direct = [e for e in up.exchanges if e.bill is not None and not is_draft(e.json)]
    assert json.loads(direct[-1].body) == body


def test_a_provider_that_does_not_take_the_marker_gets_the_clients_own_bytes(live: Live) -> None:
    own = json.dumps(request_of(14)["messages"])

    def script(body: dict[str, Any], _n: int) -> Reply:
        turn = sum(m["role"] == "assistant" for m in body["messages"])
        if is_draft(body):
            return RUN if turn == 14 else READ
        return Reply(status=400) if turn == 14 and json.dumps(body["messages"]) != own else READ

    with FakeUpstream(script, prices=PRICES) as up:
        session = open_session(live, up)
        for turn in range(15):
            got = send(session.base_url, request_of(turn), x_claude_code_session_id="s1")
            assert got.status == 200
        session.end()
    assert [(c["role"], c["error"]) for c in call_rows()][-2:] == [("direct", "marker-refused"), ("direct", None)]
    reader = LedgerReader.open(ledger_file())
    found = compare(kept_turns(reader, session.id), load_prices())
    reader.close()
    assert found.differences == []


def test_a_verify_model_that_cannot_be_reached_saves_nothing(live: Live) -> None:
    with FakeUpstream(prices=PRICES) as gone:
        pass
    session = open_session(live, gone, policy="verify-only")
    for _ in range(3):
        with pytest.raises(http.client.RemoteDisconnected):
            send(session.base_url, request_of(1), x_claude_code_session_id="s1")
    session.end()
    assert [(row["cost"], row["baseline"]) for row in turn_rows()] == [(0, 0)] * 3


# --- brief verification -----------------------------------------------------------------------------------------------


def brief_session(
    live: Live, judge: Callable[[dict[str, Any]], Reply], **overrides: str
) -> tuple[list[dict[str, Any]], list[dict[str, Any]], FakeUpstream]:
    def script(body: dict[str, Any], _n: int) -> Reply:
        if is_draft(body):
            return RUN
        return judge(body) if is_brief(body) else READ

    with FakeUpstream(script, prices=PRICES) as up:
        session = open_session(live, up, policy="economy", **overrides)
        for turn in range(3):
            got = send(session.base_url, request_of(turn, system=LONG), x_claude_code_session_id="s1")
            assert got.status == 200
        session.end()
        assert sum(row["cost"] for row in turn_rows()) == up.billed
    reader = LedgerReader.open(ledger_file())
    found = compare(kept_turns(reader, session.id), load_prices())
    reader.close()
    assert found.differences == []
    return turn_rows(), call_rows(), up


def test_an_unsafe_draft_is_released_once_the_verify_model_has_accepted_it_on_a_compact_context(live: Live) -> None:
    turns, calls, up = brief_session(live, lambda body: Reply(word(body)))
    assert [(t["outcome"], t["reason"]) for t in turns] == [
        ("direct", "first-turn"),
        ("accepted", "brief"),
        ("accepted", "brief"),
    ]
    assert [(c["role"], c["brief"]) for c in calls[1:3]] == [("draft", 0), ("verify", 1)]
    brief = next(e for e in up.exchanges if is_brief(e.json))
    assert brief.bill is not None and brief.bill.prompt < 4_000
    assert "make deploy" in last_text(brief.json) and "Look at everything." in last_text(brief.json)


@pytest.mark.parametrize(
    "answer",
    [
        Reply("REJECT"),
        Reply("I would rather not. ACCEPT"),
        Reply("", stop="refusal"),
        Reply(status=529),
        Reply("<html>", stop="max_tokens"),
    ],
    ids=["rejected", "talks", "refusal", "overloaded", "cut"],
)
def test_anything_but_a_clear_acceptance_goes_direct_on_the_whole_prompt(live: Live, answer: Reply) -> None:
    turns, calls, _ = brief_session(live, lambda _body: answer)
    assert (turns[1]["outcome"], turns[1]["reason"]) == ("direct", "brief-refused")
    assert [c["role"] for c in calls[1:4]] == ["draft", "verify", "direct"]
    assert [c["served"] for c in calls[1:4]] == [0, 0, 1]


def test_the_accept_word_with_more_behind_it_is_no_acceptance(live: Live) -> None:
    turns, _, _ = brief_session(live, lambda body: Reply(word(body) + ", but be careful"))
    assert turns[1]["reason"] == "brief-refused"


# --- kept warm --------------------------------------------------------------------------------------------------------


def test_a_cache_is_kept_warm_where_that_pays_and_every_ping_is_booked(
    live: Live, monkeypatch: pytest.MonkeyPatch
) -> None:
    naps: list[float] = []
    pinged = asyncio.Event()

    async def sleep(seconds: float) -> None:
        naps.append(seconds)
        if len(naps) > 2:
            live.loop.call_soon_threadsafe(pinged.set)
            await asyncio.Event().wait()

    begin = keepalive.begin
    monkeypatch.setattr(keepalive, "begin", lambda waiting: begin(waiting, sleep))
    with FakeUpstream(
        lambda body, _n: Reply("Done.") if body["max_tokens"] else Reply(output_tokens=0), prices=PRICES
    ) as up:
        session = open_session(live, up, policy="verify-only", keep_alive="true")
        live.daemon._sessions.by_id(session.id).attached = 1  # type: ignore[union-attr]  # it was just opened
        # Whether a ping pays is known once there are prices, and these do not wait.
        asyncio.run_coroutine_threadsafe(live.daemon.books._ready.wait(), live.loop).result(20)
        send(session.base_url, request_of(1), x_claude_code_session_id="s1")
        asyncio.run_coroutine_threadsafe(asyncio.wait_for(pinged.wait(), 10), live.loop).result(15)
        send(session.base_url, request_of(2), x_claude_code_session_id="s1")
        session.end()
        sent = [e.json for e in up.exchanges if e.bill is not None]
        billed = up.billed
    assert [body["max_tokens"] for body in sent] == [32_000, 0, 0, 32_000]
    assert sent[1]["stream"] is False and sent[1]["messages"] == sent[0]["messages"]
    rows = call_rows()
    assert [(c["role"], c["outcome"]) for c in rows] == [
        ("direct", "direct"), ("keepalive", "direct"), ("keepalive", "direct"), ("direct", "direct"),
    ]  # fmt: skip
    assert rows[1]["cache_read"] > 0 and rows[1]["output"] == 0
    assert sum(row["cost"] for row in turn_rows()) == billed
    reader = LedgerReader.open(ledger_file())
    found = compare(kept_turns(reader, session.id), load_prices())
    reader.close()
    assert found.differences == []


def test_no_cache_is_looked_after_by_a_machine_that_slept_through_it(
    live: Live, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the steady clock stands still meanwhile: the entry is gone, and a ping would pay for a new one."""
    real, slept, ended = time.time, [0.0], asyncio.Event()
    monkeypatch.setattr(time, "time", lambda: real() + slept[0])

    async def sleep(_: float) -> None:
        slept[0] = 8 * 3600.0

    begin, keep = keepalive.begin, keepalive._keep

    async def kept(*args: Any) -> None:
        await keep(*args)
        ended.set()

    monkeypatch.setattr(keepalive, "_keep", kept)
    monkeypatch.setattr(keepalive, "begin", lambda waiting: begin(waiting, sleep))
    with FakeUpstream(lambda _b, _n: Reply("Done."), prices=PRICES) as up:
        session = open_session(live, up, policy="verify-only", keep_alive="true")
        live.daemon._sessions.by_id(session.id).attached = 1  # type: ignore[union-attr]  # it was just opened
        asyncio.run_coroutine_threadsafe(live.daemon.books._ready.wait(), live.loop).result(20)
        send(session.base_url, request_of(1), x_claude_code_session_id="s1")
        asyncio.run_coroutine_threadsafe(asyncio.wait_for(ended.wait(), 10), live.loop).result(15)
        session.end()
    assert [c["role"] for c in call_rows()] == ["direct"]


def test_no_cache_is_kept_warm_unless_the_user_wants_it(live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[object] = []
    monkeypatch.setattr(keepalive, "begin", begun.append)
    with FakeUpstream(lambda _b, _n: Reply("Done."), prices=PRICES) as up:
        session = open_session(live, up, policy="verify-only")
        send(session.base_url, request_of(1), x_claude_code_session_id="s1")
        session.end()
    assert begun == []
