"""What of the requests before is kept to read the next one beside: the latest, within bounds."""

from __future__ import annotations

import gc
import json
import socket
import time
from contextlib import closing
from dataclasses import replace
from urllib.parse import urlsplit

import pytest
from tests.support import tools
from tests.support.fake_upstream import FakeUpstream, Reply
from tests.support.listening import read_to_end
from tests.support.live import Live
from tests.support.scripts import always_text
from tests.support.wire_client import raw_request, send

from rlmc.domain.chat import ChatRequest, Message, Text
from rlmc.server.recent import MOST_CONVERSATIONS, Recent
from rlmc.server.run import Run


def request(size: int) -> ChatRequest:
    return ChatRequest(raw=b"x" * size, model="m", stream=False, max_tokens=None, messages=())


def test_the_latest_conversation_comes_first_and_a_request_replaces_the_one_before_it() -> None:
    recent, requests = Recent(), [request(n) for n in range(4)]
    for conversation, one in zip(("a", "b", "a", "c"), requests, strict=True):
        recent.keep("s", conversation, one)
    assert list(recent.of("s")) == [requests[3], requests[2], requests[1]]
    assert list(recent.of("other")) == []
    assert recent.size == 12


def test_what_was_not_asked_for_longest_makes_room() -> None:
    recent = Recent(most_bytes=200)
    recent.keep("old", "a", request(40))
    recent.keep("new", "b", request(40))
    recent.keep("old", "c", request(10))
    recent.keep("new", "d", request(30))
    assert [len(one.raw) for one in recent.of("old")] == [10]
    assert [len(one.raw) for one in recent.of("new")] == [30, 40]
    recent.keep("new", "e", request(101))
    assert list(recent.of("old")) == list(recent.of("new")) == []
    assert recent.size == 0


def test_a_session_has_so_many_conversations_and_takes_them_with_it() -> None:
    recent = Recent()
    for number in range(MOST_CONVERSATIONS + 3):
        recent.keep("s", str(number), request(1))
    assert len(list(recent.of("s"))) == MOST_CONVERSATIONS == recent.size // 2
    recent.forget("s")
    assert list(recent.of("s")) == []
    assert recent.size == 0


def test_many_small_messages_are_counted_as_what_they_take() -> None:
    recent = Recent()
    messages = tuple(Message("user", (Text("x"),)) for _ in range(1000))
    recent.keep("s", "a", replace(request(10_000), messages=messages))
    assert recent.size > 400_000
    recent.forget("s")
    assert recent.size == 0


def test_a_turn_whose_session_ended_meanwhile_is_not_kept(live: Live) -> None:
    with FakeUpstream(always_text("Hello.")) as up, closing(socket.socket()) as line:
        session = live.open_session(overrides={"policy": "verify-only", "upstream.anthropic.base-url": up.url})
        parts = urlsplit(session.base_url)
        body = json.dumps(tools.request({"role": "user", "content": "Hi."}, model="claude-opus-5-5")).encode()
        line.connect((parts.hostname, parts.port))
        head = f"POST {parts.path}/v1/messages HTTP/1.1\r\nhost: {parts.netloc}\r\ncontent-length: {len(body)}\r\n"
        head += "content-type: application/json\r\nx-api-key: k\r\nconnection: close\r\n\r\n"
        line.sendall(head.encode() + body[:-5])
        time.sleep(0.2)
        recent = live.daemon._sessions.by_id(session.id).recent  # type: ignore[union-attr]
        session.end()
        line.sendall(body[-5:])
        assert read_to_end(line).startswith(b"HTTP/1.1 200 ")
        assert recent.size == 0


@pytest.mark.parametrize("refused", [False, True])
def test_a_turn_that_comes_to_no_end_is_not_kept_either(live: Live, refused: bool) -> None:
    """Without waiting for the collector, which seldom comes to a daemon."""
    with FakeUpstream(lambda _body, _number: Reply("Hello.", delay=5.0)) as up:
        url = "http://127.0.0.1:9" if refused else up.url
        session = live.open_session(overrides={"policy": "verify-only", "upstream.anthropic.base-url": url})
        asked = tools.request({"role": "user", "content": "Hi."}, model="claude-opus-5-5")
        gc.collect()
        gc.disable()
        try:
            for _ in range(3):
                with closing(raw_request(session.base_url, asked)):
                    time.sleep(0.3)
            time.sleep(0.3)
            assert [one for one in gc.get_objects() if isinstance(one, Run)] == []
        finally:
            gc.enable()


def test_a_turn_is_read_beside_the_one_before_it(live: Live) -> None:
    asked = {"role": "user", "content": "Look at the project."}
    more = (tools.use("t1", "Read", file_path="a.py"), tools.result("t1", "print(1)"))
    with FakeUpstream(always_text("Hello.")) as up:
        session = live.open_session(overrides={"policy": "verify-only", "upstream.anthropic.base-url": up.url})
        seen = []
        for messages in ((asked,), (asked, *more)):
            send(session.base_url, tools.request(*messages, model="claude-opus-5-5", tools=tools.ALL, stream=True))
            (latest,) = live.daemon._sessions.by_id(session.id).recent.of(session.id)  # type: ignore[union-attr]
            seen.append(latest.messages)
    assert [len(messages) for messages in seen] == [1, 3]
    assert seen[0][0] is seen[1][0]
