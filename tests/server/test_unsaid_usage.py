"""Clients of Chat Completions that do not ask for usage get none, nor do the books: they reckon it, and say so."""

from __future__ import annotations

from typing import Any

import pytest
from tests.support.ledger_rows import call_rows, turn_rows
from tests.support.live import Live
from tests.support.speaking import Saying, Speaker
from tests.support.wire_client import send

WORDS = "All is well. " * 40
PATH = "/v1/chat/completions"
HEADERS = {"authorization": "Bearer sk-test", "content-type": "application/json"}


def ask(live: Live, up: Speaker, **more: Any) -> bytes:
    session = live.open_session(protocol="chat", upstreams={}, overrides={"upstream.openai.base-url": up.url})
    body = {"model": "gpt-6.1-sol", "stream": True, "messages": [{"role": "user", "content": "Look. " * 500}], **more}
    got = send(session.base_url, body, PATH, headers=HEADERS)
    assert got.status == 200
    session.end()
    return got.body


def test_an_answer_without_usage_is_reckoned_and_marked_as_such(live: Live) -> None:
    with Speaker("chat", Saying(WORDS)) as up:
        answer = ask(live, up)
        assert b"usage" not in answer, "the client gets what it asked for"
        assert "stream_options" not in up.bodies[0], "and its request is not changed"
    call = call_rows()[0]
    assert call["usage_estimated"] == 1
    assert 500 <= call["input"] + call["cache_read"] + call["cache_write_5m"] <= 2000
    assert call["output"] == pytest.approx(len(WORDS) / 3.4, rel=0.1)
    assert call["cost"] > 0
    assert turn_rows()[0]["baseline"] == call["cost"], "alone the verify model would have done the same"


def test_an_answer_with_usage_is_booked_as_it_is_billed(live: Live) -> None:
    with Speaker("chat", Saying(WORDS)) as up:
        ask(live, up, stream_options={"include_usage": True})
    call = call_rows()[0]
    assert (call["usage_estimated"], call["input"], call["cache_read"], call["output"]) == (0, 100, 20, 30)


def test_a_refused_request_costs_nothing(live: Live) -> None:
    with Speaker("chat", Saying(WORDS), fault="status") as up:
        session = live.open_session(protocol="chat", overrides={"upstream.openai.base-url": up.url})
        body = {"model": "gpt-6.1-sol", "stream": True, "messages": [{"role": "user", "content": "Look."}]}
        assert send(session.base_url, body, PATH, headers=HEADERS).status == 503
        session.end()
    assert call_rows()[0]["cost"] == 0
