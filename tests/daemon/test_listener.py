"""HTTP as the daemon speaks it: requests cut anywhere, sent ahead, never ending or strange, and answers to them."""

from __future__ import annotations

import asyncio
import gc
import socket
import time
import tracemalloc
import weakref
from collections.abc import Iterator
from contextlib import closing, suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.listening import Listening, listening, read_to_end, read_until

from rlmc.server.exchange import ClientGone, Exchange, TooLarge

MB = 1 << 20
LIMIT = 4 * MB
HEAD = b"HTTP/1.1 200 OK\r\n"


async def echo(exchange: Exchange) -> None:
    """Says the method, the path and the body."""
    try:
        body = await exchange.body(LIMIT)
    except TooLarge:
        exchange.begin(413, [(b"content-length", b"0")])
        await exchange.end()
        return
    said = f"{exchange.method} {exchange.path}?{exchange.query} ".encode() + body
    exchange.begin(200, [(b"content-length", str(len(said)).encode())])
    await exchange.end(said)


@pytest.fixture(scope="module")
def served() -> Iterator[Listening]:
    with listening(echo) as one:
        yield one


def answer_of(said: bytes, *, last: bool = False) -> bytes:
    return HEAD + b"content-length: %d\r\n%b\r\n" % (len(said), b"connection: close\r\n" if last else b"") + said


def post(body: bytes, *more: bytes, path: bytes = b"/a") -> bytes:
    head = [b"POST " + path + b" HTTP/1.1", b"host: x", *more, b"content-length: %d" % len(body)]
    return b"\r\n".join(head) + b"\r\n\r\n" + body


@given(st.lists(st.integers(0, 140), max_size=6), st.binary(max_size=60))
@settings(max_examples=60, deadline=None)
def test_a_request_cut_anywhere_is_read_as_one(served: Listening, cuts: list[int], body: bytes) -> None:
    raw = post(body, b"connection: close", path=b"/a%20b?c=%2f")
    with closing(served.connect()) as line:
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        at = 0
        for cut in [*sorted(cuts), len(raw)]:
            line.sendall(raw[at:cut])
            at = max(at, cut)
        assert read_to_end(line) == answer_of(b"POST /a b?c=%2f " + body, last=True)


@pytest.mark.parametrize("size", [0, 1, 65_536, 65_537, MB - 1, MB + 1, 3 * MB])
def test_a_body_is_what_was_sent(served: Listening, size: int) -> None:
    body = (bytes(range(256)) * (size // 256 + 1))[:size]
    with closing(served.connect()) as line:
        line.sendall(post(body, b"connection: close"))
        assert read_to_end(line) == answer_of(b"POST /a? " + body, last=True)


def test_a_body_in_frames_with_headers_after_it(served: Listening) -> None:
    raw = b"POST /a HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n"
    raw += b"3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nhost: other\r\n\r\n"
    with closing(served.connect()) as line:
        for _ in range(2):
            line.sendall(raw)
            assert read_until(line, b"abcde") == answer_of(b"POST /a? abcde")


def test_one_over_the_limit_is_refused_before_it_is_complete(served: Listening) -> None:
    with closing(served.connect()) as line:
        line.sendall(b"POST /a HTTP/1.1\r\nhost: x\r\ncontent-length: 999999999\r\n\r\n" + bytes(LIMIT + 1))
        assert read_until(line, b"\r\n\r\n").startswith(b"HTTP/1.1 413 ")


def test_a_large_body_is_in_memory_once() -> None:
    peaks: list[int] = []

    async def measure(exchange: Exchange) -> None:
        tracemalloc.start()
        body = await exchange.body(64 * MB)
        peaks.append(tracemalloc.get_traced_memory()[1] - len(body))
        tracemalloc.stop()
        exchange.begin(200, [(b"content-length", b"0")])
        await exchange.end()

    with listening(measure) as served, closing(served.connect()) as line:
        line.sendall(post(bytes(16 * MB)))
        read_until(line, b"\r\n\r\n")
    assert peaks[0] < 8 * MB


def test_a_body_nobody_asks_for_stays_with_its_sender() -> None:
    ask = asyncio.Event()

    async def slow(exchange: Exchange) -> None:
        await ask.wait()
        await echo(exchange)

    with listening(slow) as served, closing(served.connect()) as line:
        line.settimeout(0.5)
        sent, body = 0, bytes(64 * MB)
        raw = post(body, b"connection: close")
        with suppress(TimeoutError):
            while sent < len(raw):
                sent += line.send(raw[sent : sent + MB])
        assert sent < 32 * MB
        served.loop.call_soon_threadsafe(ask.set)
        line.settimeout(10)
        line.sendall(raw[sent : sent + 2 * LIMIT])
        assert read_until(line, b"\r\n\r\n").startswith(b"HTTP/1.1 413 ")


def test_requests_sent_ahead_are_answered_in_their_order(served: Listening) -> None:
    with closing(served.connect()) as line:
        line.sendall(b"".join(post(b"%d" % n) for n in range(5)) + post(b"end", b"connection: close"))
        answers = [answer_of(b"POST /a? %d" % n) for n in range(5)]
        assert read_to_end(line) == b"".join(answers) + answer_of(b"POST /a? end", last=True)


def test_a_client_that_asks_first_whether_to_send_is_told_to(served: Listening) -> None:
    with closing(served.connect()) as line:
        line.sendall(b"POST /a HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-length: 2\r\n\r\n")
        assert read_until(line, b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        line.sendall(b"ab")
        assert read_until(line, b"ab") == answer_of(b"POST /a? ab")


def test_the_head_of_an_answer_without_the_answer(served: Listening) -> None:
    with closing(served.connect()) as line:
        line.sendall(b"HEAD /a HTTP/1.1\r\nhost: x\r\n\r\n")
        assert read_until(line, b"\r\n\r\n") == HEAD + b"content-length: 9\r\n\r\n"
        line.sendall(post(b"x"))
        assert read_until(line, b" x") == answer_of(b"POST /a? x")


@pytest.mark.parametrize("cut", [0, 1, 30, 90, 130, 140, 1000])
@pytest.mark.parametrize("chunked", [False, True])
def test_another_protocol_is_not_begun_and_the_request_that_offers_it_is_served(
    served: Listening, chunked: bool, cut: int
) -> None:
    head = b"POST /a HTTP/1.1\r\nhost: x\r\nconnection: Upgrade, HTTP2-Settings\r\nupgrade: h2c\r\n"
    body = b"transfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n" if chunked else b"content-length: 3\r\n\r\nabc"
    raw = head + body + b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
    with closing(served.connect()) as line:
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        line.sendall(raw[:cut])
        time.sleep(0.02)
        line.sendall(raw[cut:])
        assert read_to_end(line) == answer_of(b"POST /a? abc", last=True)


@pytest.mark.parametrize(
    "raw",
    [b"\x16\x03\x01\x02\x00\x01", b"GET / HTTP/1.1\r\nhost x\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n"],
)
def test_what_is_no_request_is_refused(served: Listening, raw: bytes) -> None:
    with closing(served.connect()) as line:
        line.sendall(raw)
        assert read_to_end(line).startswith(b"HTTP/1.1 400 ")


@pytest.mark.parametrize(
    "behind",
    [
        b"?\0?",
        b"CONNECT foo HTTP/1.1\r\nhost: x\r\n\r\n",
        b"GET http://[ HTTP/1.1\r\nhost: x\r\n\r\n",
        b"POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nzz",
    ],
)
def test_what_is_no_request_does_not_cut_the_answer_before_it(served: Listening, behind: bytes) -> None:
    with closing(served.connect()) as line:
        line.sendall(post(b"x") + behind)
        assert read_to_end(line) == answer_of(b"POST /a? x", last=True)


def test_a_line_that_has_ended_holds_nothing() -> None:
    """With what had come of a body, which may be large; without waiting for the collector, which seldom comes."""
    gone: list[weakref.ref[object]] = []

    async def never(exchange: Exchange) -> None:
        gone.append(weakref.ref(exchange._line))  # type: ignore[attr-defined]  # of this one
        with suppress(ClientGone):
            await exchange.body(LIMIT)

    with listening(never) as served:
        gc.disable()
        try:
            for raw in (post(bytes(1000))[:-1], post(b"x")):
                with closing(served.connect()) as line:
                    line.sendall(raw)
                    time.sleep(0.1)
            time.sleep(0.2)
            assert [one() for one in gone] == [None, None]
        finally:
            gc.enable()


def test_an_answer_without_a_length_comes_in_frames() -> None:
    large = bytes(100_000)

    async def pieces(exchange: Exchange) -> None:
        exchange.begin(200, [(b"content-type", b"text/plain")])
        for piece in (b"ab", b"", large):
            await exchange.write(piece)
        await exchange.end(b"c")

    with listening(pieces) as served, closing(served.connect()) as line:
        line.sendall(post(b"", b"connection: close"))
        head, _, body = read_to_end(line).partition(b"\r\n\r\n")
    assert b"transfer-encoding: chunked" in head
    assert body == b"2\r\nab\r\n186a0\r\n" + large + b"\r\n1\r\nc\r\n0\r\n\r\n"


def test_an_answer_shorter_than_it_was_said_to_be_ends_its_line() -> None:
    async def short(exchange: Exchange) -> None:
        exchange.begin(200, [(b"content-length", b"5")])
        await exchange.end(b"abc")

    with listening(short) as served, closing(served.connect()) as line:
        line.sendall(post(b""))
        assert read_to_end(line).endswith(b"\r\n\r\nabc")


@pytest.mark.parametrize("begun", [False, True])
def test_a_failure_of_the_application_is_no_whole_answer(begun: bool) -> None:
    async def failing(exchange: Exchange) -> None:
        if begun:
            exchange.begin(200, [])
            await exchange.write(b"ab")
        raise RuntimeError("made to fail")

    with listening(failing) as served, closing(served.connect()) as line:
        line.sendall(post(b""))
        answer = read_to_end(line)
    if begun:
        assert answer.endswith(b"2\r\nab\r\n")
    else:
        assert answer.startswith(b"HTTP/1.1 500 ")
        assert b"\r\nconnection: close\r\n" in answer


@pytest.mark.parametrize("begun", [False, True])
def test_hanging_up_says_nothing_more(begun: bool) -> None:
    async def rude(exchange: Exchange) -> None:
        if begun:
            exchange.begin(200, [])
            await exchange.write(b"ab")
        exchange.hang_up()

    with listening(rude) as served, closing(served.connect()) as line:
        line.sendall(post(b""))
        assert read_to_end(line)[-7:] == (b"2\r\nab\r\n" if begun else b"")


def test_who_hangs_up_is_noticed_while_the_body_comes_and_after_it() -> None:
    seen: list[str] = []

    async def waiting(exchange: Exchange) -> None:
        try:
            await exchange.body(LIMIT)
        except ClientGone:
            seen.append("body")
            return
        exchange.when_gone(lambda: seen.append("told"))
        await exchange.gone()
        seen.append("gone")

    with listening(waiting) as served:
        for raw in (post(b"abc")[:-1], post(b"abc")):
            line = served.connect()
            line.sendall(raw)
            time.sleep(0.1)
            line.close()
            time.sleep(0.1)
    assert seen == ["body", "told", "gone"]


def test_who_does_not_read_holds_up_what_is_written() -> None:
    written: list[int] = []

    async def pouring(exchange: Exchange) -> None:
        exchange.begin(200, [])
        for _ in range(64):
            await exchange.write(bytes(MB))
            written.append(MB)
        await exchange.end()

    with listening(pouring) as served, closing(served.connect()) as line:
        line.sendall(post(b"", b"connection: close"))
        time.sleep(0.5)
        assert len(written) < 32
        assert len(read_to_end(line)) > 64 * MB
    assert len(written) == 64


def test_a_drain_lets_answers_end_and_tells_clients_to_come_back_elsewhere() -> None:
    go = asyncio.Event()

    async def slow(exchange: Exchange) -> None:
        await go.wait()
        await echo(exchange)

    with listening(slow) as served, closing(served.connect()) as busy, closing(served.connect()) as idle:
        busy.sendall(post(b"x"))
        time.sleep(0.1)
        served.stop()
        assert read_to_end(idle) == b""
        with pytest.raises(OSError, match="refused"):
            served.connect()
        served.loop.call_soon_threadsafe(go.set)
        answer = read_to_end(busy)
    assert b"\r\nconnection: close\r\n" in answer
    assert answer.endswith(b"POST /a? x")


def test_a_drain_ends_what_takes_too_long() -> None:
    async def endless(exchange: Exchange) -> None:
        exchange.begin(200, [])
        await exchange.write(b"ab")
        await asyncio.sleep(60)

    with listening(endless) as served, closing(served.connect()) as line:
        served.drain_seconds = 0.2
        line.sendall(post(b""))
        read_until(line, b"2\r\nab\r\n")
        served.stop()
        assert read_to_end(line) == b""


def test_lines_are_closed_when_their_time_is_over() -> None:
    async def fine(exchange: Exchange) -> None:
        await echo(exchange)

    with listening(fine, keep_alive=0.3) as served, closing(served.connect()) as line:
        for _ in range(3):
            line.sendall(post(b"x"))
            read_until(line, b" x")
            time.sleep(0.2)
        began = time.monotonic()
        assert read_to_end(line) == b""
        assert time.monotonic() - began < 5
        assert not served.listener.lines
