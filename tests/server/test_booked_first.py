"""Whoever has an answer has a row: a turn is in the ledger's journal before the last bytes of its answer leave."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from tests.server.test_cascade_live import LONG, READ_AGAIN, accept, after_read, pair, verdict
from tests.support import tools
from tests.support.fake_openai import FakeOpenAi
from tests.support.fake_upstream import FakeUpstream, Reply
from tests.support.ledger_rows import turn_rows
from tests.support.live import Live
from tests.support.scripts import Script, always_text
from tests.support.speaking import Saying
from tests.support.wire_client import raw_request, send

from rlmc.daemon.exchange import HttpExchange
from rlmc.domain.record import TurnRecord
from rlmc.ledger.store import Ledger

Events = list[tuple[str, Any]]


@pytest.fixture
def events(monkeypatch: pytest.MonkeyPatch) -> Events:
    """What happened, in order: bytes to the client, rows to the ledger."""
    seen: Events = []
    put, record = HttpExchange._put, Ledger.record

    def sent(self: HttpExchange, data: bytes, *, last: bool = False) -> None:
        if data and self.path.startswith("/s/"):
            seen.append(("bytes", data))
        put(self, data, last=last)

    def recorded(self: Ledger, turn: TurnRecord) -> None:
        seen.append(("row", turn))
        record(self, turn)

    monkeypatch.setattr(HttpExchange, "_put", sent)
    monkeypatch.setattr(Ledger, "record", recorded)
    return seen


def booked_first(events: Events, ending: str = "complete") -> None:
    kinds = [kind for kind, _ in events]
    assert "bytes" in kinds[kinds.index("row") :], kinds
    row = next(what for kind, what in events if kind == "row")
    assert row.ending == ending
    assert all(call.usage is not None or ending != "complete" for call in row.calls)


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize(
    "reply",
    [
        Reply(status=502, raw=b"<html></html>", content_type="text/html"),
        Reply("Hello."),
        Reply("Hello. " * 99, compress=True),
        Reply(status=429),
        Reply(calls=(("Read", {}),)),
    ],
)
def test_a_relayed_answer(live: Live, events: Events, reply: Reply, stream: bool) -> None:
    body = tools.request("hi", model="claude-opus-5-5", stream=stream)
    with FakeUpstream(lambda _b, _n: reply) as up:
        session = live.open_session(overrides={"policy": "verify-only", "upstream.anthropic.base-url": up.url})
        got = send(session.base_url, body, accept_encoding="gzip")
        assert got.body == bytes(up.exchanges[0].sent)
    booked_first(events, "complete" if reply.status == 200 else "upstream-error")


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize(
    ("verify", "draft"),
    [
        pytest.param(always_text("x"), READ_AGAIN, id="skipped"),
        pytest.param(verdict(accept), Reply(LONG), id="accepted"),
        pytest.param(verdict(always_text("Better. " * 9)), Reply(LONG), id="enhanced"),
    ],
)
def test_an_answer_of_the_cascade(live: Live, events: Events, verify: Script, draft: Reply, stream: bool) -> None:
    with FakeUpstream(verify) as up, FakeUpstream(lambda _b, _n: draft) as cheap:
        session = pair(live, up, cheap)
        assert send(session.base_url, after_read(stream)).status == 200
    booked_first(events)


def test_a_draft_streamed_live(live: Live, events: Events) -> None:
    body = tools.request("A title, please.", model="claude-opus-5-5", stream=True)
    with FakeUpstream() as up, FakeUpstream(always_text("A title")) as cheap:
        session = pair(live, up, cheap)
        assert send(session.base_url, body, x_claude_code_request_class="auxiliary").status == 200
        assert len(cheap.messages) == 1
    booked_first(events)


@pytest.mark.parametrize("stream", [True, False])
def test_a_translated_answer(live: Live, events: Events, stream: bool) -> None:
    body = tools.request("hi", model="claude-opus-5-5", stream=stream)
    with FakeOpenAi(lambda _ask: Saying("Hello.")) as up:
        overrides = {
            "policy": "verify-only",
            "verify-model": "deepseek/deepseek-pro",
            "upstream.deepseek.base-url": up.url,
            "upstream.deepseek.protocol": "chat",
        }
        session = live.open_session(overrides=overrides, keys={"DEEPSEEK_API_KEY": "sk-deep-0000"})
        send(session.base_url, body)
    booked_first(events)


def test_a_stream_whose_line_stays_open_after_its_last_event(live: Live) -> None:
    """Agents go on at the last event; the row must not wait for the end of the line."""
    with FakeUpstream(lambda _b, _n: Reply("Hello.", hang_after=7)) as up:
        session = live.open_session(overrides={"policy": "verify-only", "upstream.anthropic.base-url": up.url})
        with raw_request(session.base_url, tools.request("hi", model="claude-opus-5-5", stream=True)) as client:
            read = b""
            while b'"message_stop"}\n\n' not in read:
                read += client.recv(65536)
            live.settle()
            assert [row["ending"] for row in turn_rows()] == ["complete"]


def test_a_line_that_breaks_after_the_last_event_corrects_the_row(live: Live, events: Events) -> None:
    with FakeUpstream(lambda _b, _n: Reply("Hello.", break_after=7)) as up:
        session = live.open_session(overrides={"policy": "verify-only", "upstream.anthropic.base-url": up.url})
        body = tools.request("hi", model="claude-opus-5-5", stream=True)
        with raw_request(session.base_url, body) as client, suppress(ConnectionResetError):
            while client.recv(65536):
                pass
        session.end()
    rows = [what for kind, what in events if kind == "row"]
    assert (rows[0].ending, rows[-1].ending) == ("complete", "upstream-error")
    assert {row.id for row in rows} == {rows[0].id}
    assert [row["ending"] for row in turn_rows()] == ["upstream-error"]
