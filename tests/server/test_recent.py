"""What of the requests before is kept to read the next one beside: the latest, within bounds."""

from __future__ import annotations

from tests.support import tools
from tests.support.fake_upstream import FakeUpstream
from tests.support.live import Live
from tests.support.scripts import always_text
from tests.support.wire_client import send

from rlmc.domain.chat import ChatRequest
from rlmc.server.recent import MOST_CONVERSATIONS, Recent


def request(size: int) -> ChatRequest:
    return ChatRequest(raw=b"x" * size, model="m", stream=False, max_tokens=None, messages=())


def test_the_latest_conversation_comes_first_and_a_request_replaces_the_one_before_it() -> None:
    recent, requests = Recent(), [request(n) for n in range(4)]
    for conversation, one in zip(("a", "b", "a", "c"), requests, strict=True):
        recent.keep("s", conversation, one)
    assert list(recent.of("s")) == [requests[3], requests[2], requests[1]]
    assert list(recent.of("other")) == []
    assert recent.size == 6


def test_what_was_not_asked_for_longest_makes_room() -> None:
    recent = Recent(most_bytes=100)
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
    assert len(list(recent.of("s"))) == MOST_CONVERSATIONS == recent.size
    recent.forget("s")
    assert list(recent.of("s")) == []
    assert recent.size == 0


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
