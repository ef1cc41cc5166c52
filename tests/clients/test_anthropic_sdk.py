"""The official Python SDK through the proxy: what it does without rlmc it does with it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from tests.support import tools
from tests.support.fake_upstream import FakeUpstream, Reply
from tests.support.ledger_rows import turn_rows
from tests.support.live import Live, LiveSession

anthropic = pytest.importorskip("anthropic", reason="needs the extra 'clients'")

pytestmark = pytest.mark.clients

ASK: dict[str, Any] = {
    "model": "claude-opus-5-5",
    "max_tokens": 1_000,
    "messages": [{"role": "user", "content": "Hello?"}],
}
SCRIPT = Reply("Hello from the upstream.", thinking="hm", calls=(("Read", {"file_path": "a.py"}),))


@dataclass
class Rig:
    up: FakeUpstream
    session: LiveSession
    client: Any


@pytest.fixture
def rig(live: Live) -> Iterator[Rig]:
    with FakeUpstream(lambda _b, _n: SCRIPT) as up:
        session = live.open_session(overrides={"upstream.anthropic.base-url": up.url})
        client = anthropic.Anthropic(base_url=session.base_url, api_key="sk-ant-test", max_retries=0)
        with client:
            yield Rig(up, session, client)


def test_a_message_that_is_not_streamed(rig: Rig) -> None:
    message = rig.client.messages.create(**ASK, tools=tools.ALL)
    assert message.content[1].text == SCRIPT.text
    assert message.content[2].input == {"file_path": "a.py"}
    assert message.usage.input_tokens > 0
    assert message._request_id == "req_011fake0000000000000000"
    assert rig.up.exchanges[0].header("anthropic-version") == "2026-10-21"
    assert rig.up.exchanges[0].header("authorization") == "Bearer sk-ant-test", "its key travels as it sent it"


def test_a_streamed_message_with_tools(rig: Rig) -> None:
    with rig.client.messages.stream(**ASK, tools=tools.ALL) as stream:
        kinds = [event.type for event in stream]
        message = stream.get_final_message()
    assert "text" in kinds
    assert "input_json" in kinds
    assert message.stop_reason == "tool_use"
    assert message.content[2].name == "Read"
    assert message.content[0].signature, "the verify model's own thinking passes untouched"


def test_count_tokens_and_models(rig: Rig) -> None:
    assert rig.client.messages.count_tokens(model=ASK["model"], messages=ASK["messages"]).input_tokens > 0
    assert rig.client.models.list().data[0].id == "claude-opus-5-5"


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, "BadRequestError"),
        (401, "AuthenticationError"),
        (429, "RateLimitError"),
        (529, "OverloadedError"),
    ],
)
@pytest.mark.parametrize("stream", [True, False])
def test_errors_with_their_headers(rig: Rig, status: int, error: str, stream: bool) -> None:
    kind = {400: "invalid_request_error", 401: "authentication_error", 429: "rate_limit_error"}.get(
        status, "overloaded_error"
    )
    rig.up.script = lambda _b, _n: Reply(
        status=status, error=kind, message="words", headers=(("retry-after", "11"), ("x-should-retry", "false"))
    )
    with pytest.raises(anthropic.APIStatusError) as caught:
        rig.client.messages.create(**ASK, stream=stream)
    assert type(caught.value).__name__ in (error, "InternalServerError" if status == 529 else error)
    assert caught.value.status_code == status
    assert caught.value.response.headers["retry-after"] == "11"
    assert caught.value.body["error"] == {"type": kind, "message": "words"}
    assert len(rig.up.messages) == 1


def test_the_sdk_retries_what_it_would_retry(rig: Rig) -> None:
    rig.up.script = lambda _b, n: Reply(status=529, headers=(("retry-after-ms", "1"),)) if n < 2 else SCRIPT
    message = rig.client.with_options(max_retries=2).messages.create(**ASK)
    assert message.content[1].text == SCRIPT.text
    assert [e.header("x-stainless-retry-count") for e in rig.up.messages] == ["0", "1", "2"]


@pytest.mark.parametrize("stream", [True, False])
def test_a_drafted_answer_is_a_message_like_any_other(rig: Rig, stream: bool) -> None:
    ask = ASK | {
        "tools": tools.ALL,
        "messages": [
            {"role": "user", "content": "Look."},
            tools.use("t1", "Read", file_path="a"),
            tools.result("t1", "x"),
        ],
    }
    if stream:
        with rig.client.messages.stream(**ask) as events:
            message = events.get_final_message()
    else:
        message = rig.client.messages.create(**ask)
    rig.session.end()
    assert turn_rows()[0]["outcome"] == "skipped"
    assert message.model == "claude-haiku-5-5"
    assert message.stop_reason == "tool_use"
    assert [b.type for b in message.content] == ["text", "tool_use"]
    assert message.usage.input_tokens > 0
