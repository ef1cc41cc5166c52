"""A provider that means ill, or that somebody else answers for: it gets no further than its own answers."""

from __future__ import annotations

import gzip
import json
import socket
import zlib
from collections.abc import Callable

import pytest
from tests.security.wires import exchange, raw_upstream, request, status, token_of
from tests.support.fake_upstream import FakeUpstream, Reply
from tests.support.ledger_rows import call_rows, turn_rows
from tests.support.live import Live
from tests.support.wire_client import send

from rlmc.wire import inflate, tap

HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"
MESSAGE = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "claude-opus-5-5",
    "content": [{"type": "text", "text": "Hello."}],
    "stop_reason": "end_turn",
    "stop_sequence": None,
    "usage": {"input_tokens": 1, "output_tokens": 1},
}
ANSWER = json.dumps(MESSAGE).encode()
LENGTH = b"content-length: %d\r\n" % len(ANSWER)
TURN = {"model": "claude-opus-5-5", "max_tokens": 64, "messages": [{"role": "user", "content": "Hi."}]}
DRAFTED = {"draft-model": "deepseek/deepseek-flash", "policy": "draft-only"}


def answered(live: Live, answer: bytes | Callable[[socket.socket], None], seconds: float = 20) -> bytes:
    """What a client is given where the verify model's provider answers with this."""
    with raw_upstream(answer) as up:
        session = live.open_session(overrides={"upstream.anthropic.base-url": up.url})
        got = exchange(live.port, request(live, f"/s/{token_of(session)}/v1/messages"), seconds)
        assert len(up.asked) == 1, "asked once, as without rlmc"
        return got


def is_none(got: bytes) -> bool:
    """Whether the client got nothing of the provider's: it was hung up on, or told so."""
    return got == b"" or (status(got) == 502 and b"evil" not in got and b"hello" not in got)


def test_an_answer_passes(live: Live) -> None:
    assert answered(live, HEAD + LENGTH + b"\r\n" + ANSWER).endswith(b"\r\n\r\n" + ANSWER)


# --- redirects --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
def test_a_redirect_is_told_and_not_followed(live: Live, code: int) -> None:
    with FakeUpstream() as elsewhere:
        moved = (("location", f"{elsewhere.url}/v1/messages"),)
        with FakeUpstream(lambda _b, _n: Reply(status=code, headers=moved)) as up:
            session = live.open_session(overrides={"upstream.anthropic.base-url": up.url})
            got = send(session.base_url, TURN)
            assert (got.status, got.headers["location"]) == (code, moved[0][1])
            assert len(up.messages) == 1
        assert elsewhere.exchanges == [], "no key goes where a provider points"


@pytest.mark.parametrize("code", [302, 307])
def test_a_redirect_of_a_draft_is_a_failed_draft(live: Live, code: int) -> None:
    with FakeUpstream() as verify, FakeUpstream() as elsewhere:
        moved = (("location", f"{elsewhere.url}/v1/messages"),)
        with FakeUpstream(lambda _b, _n: Reply(status=code, headers=moved)) as draft:
            overrides = {
                **DRAFTED,
                "upstream.anthropic.base-url": verify.url,
                "upstream.deepseek.base-url": draft.url,
            }
            session = live.open_session(overrides=overrides, keys={"DEEPSEEK_API_KEY": "sk-draft"})
            assert send(session.base_url, TURN).status == 200
            assert len(draft.exchanges) == 1
        assert len(verify.messages) == 1
        assert elsewhere.exchanges == []


# --- heads ------------------------------------------------------------------------------------------------------------

NEVER_PASSED_ON = {
    "CR in a value": b"x-a: b\rset-cookie: evil=1\r\n",
    "NUL in a value": b"x-a: b\0c\r\n",
    "a control character in a value": b"x-a: b\x01c\r\n",
    "DEL in a value": b"x-a: b\x7fc\r\n",
    "a space in a name": b"x a: b\r\n",
    "brackets in a name": b"x(a): b\r\n",
    "two lengths": b"content-length: 5\r\n",
    "a length and chunks": b"transfer-encoding: chunked\r\n",
    "a thousand headers": b"".join(b"x-%d: y\r\n" % number for number in range(1_000)),
    "a header of 100 KB": b"x-a: " + b"a" * 100_000 + b"\r\n",
}


@pytest.mark.parametrize("line", NEVER_PASSED_ON.values(), ids=NEVER_PASSED_ON)
def test_a_head_that_is_none_is_not_passed_on(live: Live, line: bytes) -> None:
    got = answered(live, HEAD + LENGTH + line + b"\r\n" + ANSWER)
    assert is_none(got)


def test_folded_lines_are_one_value_and_LF_alone_ends_one(live: Live) -> None:
    """As every HTTP library reads them; what is passed on has one line for each."""
    head = answered(live, HEAD + LENGTH + b"x-a: b\r\n set-cookie: evil=1\r\nx-b: c\nx-c: d\r\n\r\n" + ANSWER).lower()
    assert b"\r\nx-a: b set-cookie: evil=1\r\n" in head
    assert b"\r\nx-b: c\r\nx-c: d\r\n" in head
    assert b"\r\nset-cookie" not in head


@pytest.mark.parametrize(
    "line", [b"101 Switching Protocols", b"199 What", b"600 What", b"999 What", b"0 What", b"20 OK"]
)
def test_a_status_that_ends_no_answer_is_not_passed_on(live: Live, line: bytes) -> None:
    got = answered(live, b"HTTP/1.1 " + line + b"\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\nhello")
    assert is_none(got)


@pytest.mark.parametrize("early", [b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n"])
def test_what_comes_before_an_answer_is_no_answer(live: Live, early: bytes) -> None:
    got = answered(live, early * 20 + HEAD + LENGTH + b"\r\n" + ANSWER)
    assert status(got) == 200
    assert got.endswith(ANSWER) and b"link" not in got.lower()


def _sent(connection: socket.socket, begin: bytes, more: bytes, sent: list[int]) -> None:
    connection.sendall(begin)
    for _ in range(20_000):
        connection.sendall(more)
        sent.append(len(more))


@pytest.mark.parametrize("more", [b"x-a: " + b"a" * 1_000 + b"\r\n", b"a" * 10_000], ids=["lines", "a line"])
def test_a_head_without_an_end_is_broken_off(live: Live, more: bytes) -> None:
    sent: list[int] = []
    got = answered(live, lambda connection: _sent(connection, HEAD + b"x-b: c", more, sent))
    assert is_none(got)
    assert sum(sent) < 15_000_000


def test_what_belongs_to_one_connection_stays_there(live: Live) -> None:
    own = b"connection: x-own, keep-alive\r\nx-own: 1\r\nkeep-alive: timeout=5\r\nupgrade: h2c\r\n"
    chunked = b"transfer-encoding: chunked\r\ntrailer: x-late\r\n\r\n%x\r\n%s\r\n0\r\nx-late: evil\r\n\r\n"
    head, _, body = answered(live, HEAD + own + chunked % (len(ANSWER), ANSWER)).lower().partition(b"\r\n\r\n")
    for name in (b"x-own", b"keep-alive", b"upgrade", b"trailer", b"x-late"):
        assert b"\r\n" + name not in head
    assert b"evil" not in body


def test_cookies_are_told_and_not_kept(live: Live) -> None:
    with FakeUpstream(lambda _b, _n: Reply(headers=(("set-cookie", "a=b; Path=/"),))) as up:
        session = live.open_session(overrides={"upstream.anthropic.base-url": up.url})
        other = live.open_session(overrides={"upstream.anthropic.base-url": up.url})
        assert send(session.base_url, TURN).headers["set-cookie"] == "a=b; Path=/"
        assert send(session.base_url, TURN).status == send(other.base_url, TURN).status == 200
        assert [seen.header("cookie") for seen in up.messages] == [None] * 3


# --- bodies -----------------------------------------------------------------------------------------------------------


def test_a_body_that_is_shorter_than_it_says_ends_in_no_clean_end(live: Live) -> None:
    got = answered(live, HEAD + b"content-length: 9999\r\n\r\n" + ANSWER)
    assert got.partition(b"\r\n\r\n")[2] == ANSWER and b"content-length: 9999" in got


def test_what_follows_a_body_is_no_answer_to_anybody(live: Live) -> None:
    evil = HEAD + b"content-length: 4\r\n\r\nevil"
    with raw_upstream(HEAD + LENGTH + b"\r\n" + ANSWER + evil) as up:
        session = live.open_session(overrides={"upstream.anthropic.base-url": up.url})
        for _ in range(3):
            got = exchange(live.port, request(live, f"/s/{token_of(session)}/v1/messages"))
            assert b"evil" not in got


def bomb(size: int) -> bytes:
    """Some bytes that unpack to `size` zeros, inside of an event of a stream."""
    engine = zlib.compressobj(9, wbits=31)
    packed = [engine.compress(b"data: ")]
    packed += [engine.compress(bytes(1 << 20)) for _ in range(size >> 20)]
    return b"".join([*packed, engine.flush()])


@pytest.mark.parametrize("kind", [b"text/event-stream", b"application/json"])
def test_a_bomb_passes_as_it_is_and_unpacks_nowhere(live: Live, kind: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inflate, "_MOST", 8 << 20)
    monkeypatch.setattr(tap, "_MOST", 4 << 20)
    made = []
    original = inflate.Inflater.feed

    def counted(self: inflate.Inflater, data: bytes) -> object:
        for piece in original(self, data):
            made.append(len(piece))
            yield piece

    monkeypatch.setattr(inflate.Inflater, "feed", counted)
    packed = bomb(64 << 20)
    head = b"HTTP/1.1 200 OK\r\ncontent-type: %s\r\ncontent-encoding: gzip\r\n" % kind
    got = answered(live, head + b"content-length: %d\r\n\r\n" % len(packed) + packed)
    assert got.partition(b"\r\n\r\n")[2] == packed
    assert sum(made) <= 8 << 20
    live.settle()
    assert turn_rows()[0]["ending"] is not None


@pytest.mark.parametrize("encoding", ["br", "zstd", "gzip, gzip", "gzip, br", "deflate, gzip", "compress"])
def test_what_is_packed_in_another_way_is_passed_on_unread(live: Live, encoding: str) -> None:
    twice = gzip.compress(gzip.compress(ANSWER))
    head = HEAD + b"content-encoding: %s\r\ncontent-length: %d\r\n\r\n" % (encoding.encode(), len(twice))
    assert answered(live, head + twice).endswith(b"\r\n\r\n" + twice)


def test_a_packed_request_is_unpacked_by_nobody_here(live: Live) -> None:
    """A bomb of the client's own is its provider's to refuse."""
    packed = bomb(16 << 20)
    with raw_upstream(HEAD + LENGTH + b"\r\n" + ANSWER) as up:
        session = live.open_session(overrides={"upstream.anthropic.base-url": up.url})
        headers = {"content-type": "application/json", "x-api-key": "k", "content-encoding": "gzip"}
        assert send(session.base_url, packed, headers=headers).status == 200
        assert up.asked[0].partition(b"\r\n\r\n")[2] == packed


ENDLESS = {
    "one piece": (b"application/json", b'{"content": "', b"a" * 65_536),
    "one event": (b"text/event-stream", b"data: ", b"a" * 65_536),
    "events": (b"text/event-stream", b"", b"event: ping\ndata: {}\n\n" * 3_000),
    "comments": (b"text/event-stream", b"", b": a\n\n" * 10_000),
}


@pytest.mark.parametrize(("kind", "begin", "more"), ENDLESS.values(), ids=ENDLESS)
def test_a_draft_without_an_end_is_given_up(
    live: Live, monkeypatch: pytest.MonkeyPatch, kind: bytes, begin: bytes, more: bytes
) -> None:
    monkeypatch.setattr("rlmc.server.driver._MAX_BUFFERED", 1 << 18)
    sent: list[int] = []
    head = b"HTTP/1.1 200 OK\r\ncontent-type: %s\r\n\r\n" % kind
    endless = raw_upstream(lambda connection: _sent(connection, head + begin, more, sent))
    with FakeUpstream() as verify, endless as draft:
        overrides = {
            **DRAFTED,
            "upstream.anthropic.base-url": verify.url,
            "upstream.deepseek.base-url": draft.url,
        }
        session = live.open_session(overrides=overrides, keys={"DEEPSEEK_API_KEY": "sk-draft"})
        assert send(session.base_url, TURN).status == 200
        assert len(verify.messages) == len(draft.asked) == 1
        session.end()
        assert [(call["role"], bool(call["error"])) for call in call_rows()] == [("draft", True), ("direct", False)]
    assert sum(sent) < 100 << 20
