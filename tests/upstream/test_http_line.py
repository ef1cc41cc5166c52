"""The lines to providers, byte by byte: what goes out, what may come back, and when a line is used again."""

from __future__ import annotations

import asyncio
import gc
import socket
import struct
import threading
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
import uvloop
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.said_raw import END, Provider, saying

from rlmc.errors import UpstreamError
from rlmc.upstream import pool
from rlmc.upstream.client import HttpTransport
from rlmc.upstream.http_answer import HttpResponse
from rlmc.upstream.transport import UpstreamRequest

LOOPS: dict[str, Callable[[], asyncio.AbstractEventLoop]] = {
    "asyncio": asyncio.new_event_loop,
    "uvloop": uvloop.new_event_loop,
}
OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"

Heard = tuple[int, list[tuple[str, str]], bytes, str | None]


@pytest.fixture(params=sorted(LOOPS))
def run(request: pytest.FixtureRequest) -> Callable[[Coroutine[Any, Any, Any]], Any]:
    def running(work: Coroutine[Any, Any, Any]) -> Any:
        with asyncio.Runner(loop_factory=LOOPS[request.param]) as runner:
            return runner.run(asyncio.wait_for(work, 30))

    return running


@asynccontextmanager
async def transport() -> AsyncIterator[HttpTransport]:
    it = HttpTransport()
    try:
        yield it
    finally:
        await it.close()


def asking(url: str, method: str = "POST", body: bytes = b"{}", **headers: str) -> UpstreamRequest:
    return UpstreamRequest(method, url, list(headers.items()), body if method != "GET" else b"")


async def heard(it: HttpTransport, request: UpstreamRequest) -> Heard:
    """The answer, and the kind of the error that broke its body off."""
    response = await it.send(request)
    body, error = b"", None
    try:
        async for chunk in response.chunks():
            body += chunk
    except UpstreamError as broken:
        error = broken.kind
    await response.close()
    return response.status, response.headers, body, error


def open_files() -> int:
    return len(list(Path("/dev/fd").iterdir()))


async def kind_of(it: HttpTransport, request: UpstreamRequest) -> str:
    with pytest.raises(UpstreamError) as caught:
        await heard(it, request)
    return caught.value.kind


# --- what goes out ----------------------------------------------------------------------------------------------------


def test_a_request_goes_out_as_it_was_given(run: Any) -> None:
    async def work() -> tuple[Provider, bytes]:
        async with saying(OK) as provider, transport() as it:
            headers = [("content-type", "application/json"), ("X-Key", "k"), ("x-key", "ä"), ("accept", "*/*")]
            await heard(it, UpstreamRequest("POST", provider.url("/v1/messages?a=b%20c#x"), headers, b"{}"))
        return provider, bytes(provider.connections[0].received)

    provider, received = run(work())
    assert received.decode().split("\r\n") == [
        "POST /v1/messages?a=b%20c HTTP/1.1",
        f"Host: 127.0.0.1:{provider.port}",
        "content-type: application/json",
        "X-Key: k",
        "x-key: ä",
        "accept: */*",
        "Content-Length: 2",
        "",
        "{}",
    ]


@pytest.mark.parametrize(
    ("method", "length"), [("GET", None), ("HEAD", None), ("OPTIONS", None), ("POST", "0"), ("DELETE", "0")]
)
def test_the_length_of_no_body_is_said_where_there_could_be_one(run: Any, method: str, length: str | None) -> None:
    async def work() -> bytes:
        async with saying(OK[:-2] if method == "HEAD" else OK) as provider, transport() as it:
            await heard(it, UpstreamRequest(method, provider.url(), [("content-length", "7")], b""))
        return bytes(provider.connections[0].received).lower()

    received = run(work())
    assert (f"content-length: {length}".encode() in received) == (length is not None)
    assert b"content-length: 7" not in received


def test_a_login_in_the_address_is_told_as_a_header_and_in_no_error(run: Any) -> None:
    async def work() -> tuple[bytes, str]:
        async with saying(OK) as provider, transport() as it:
            url = provider.url().replace("//", "//u:p%40@")
            await heard(it, asking(url))
            with pytest.raises(UpstreamError) as caught:
                await it.send(asking(url, authorization="Bearer t"))
            return bytes(provider.connections[0].received), caught.value.message

    received, message = run(work())
    assert b"Authorization: Basic dTpwQA==\r\n" in received
    assert "p%40" not in message and "p@" not in message


@pytest.mark.parametrize(
    ("method", "path", "name", "value"),
    [
        ("POST", "/x", "a", "b\r\nc: d"),
        ("POST", "/x", "a", "b\nc: d"),
        ("POST", "/x", "a", "b\0"),
        ("POST", "/x", "a\r\nb", "c"),
        ("POST", "/x\r\nc:%20d", "a", "b"),
        ("POST", "/x HTTP/1.1", "a", "b"),
        ("PO ST", "/x", "a", "b"),
        ("POST\r\n", "/x", "a", "b"),
    ],
)
def test_what_would_end_a_header_is_never_sent(run: Any, method: str, path: str, name: str, value: str) -> None:
    async def work() -> tuple[str, list[bytes]]:
        async with saying(OK) as provider, transport() as it:
            try:
                await it.send(UpstreamRequest(method, provider.url(path), [(name, value)], b"{}"))
                kind = ""
            except UpstreamError as error:
                kind = error.kind
            return kind, [bytes(one.received) for one in provider.connections]

    kind, received = run(work())
    # urlsplit itself takes the ends of lines out of a URL.
    assert (kind, received) == ("other", []) or b"\r\nc:" not in received[0]


@pytest.mark.parametrize("url", ["ftp://127.0.0.1/x", "http:///x", "/x", "http://127.0.0.1:99999/x", "http://[::1/x"])
def test_an_address_that_is_none_is_an_error_like_others(run: Any, url: str) -> None:
    async def work() -> str:
        async with transport() as it:
            return await kind_of(it, asking(url))

    assert run(work()) == "other"


# --- what comes back --------------------------------------------------------------------------------------------------

WHOLE: dict[str, tuple[bytes, int, bytes, bool]] = {
    # what is said -> status, body, whether the line can be used again
    "length": (OK, 200, b"hi", True),
    "no body": (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 200, b"", True),
    "chunks": (CHUNKED + b"2\r\nhi\r\n3;x=y\r\nabc\r\n0\r\n\r\n", 200, b"hiabc", True),
    "trailers": (CHUNKED + b"2\r\nhi\r\n0\r\nX-One: 1\r\nX-Two: 2\r\n\r\n", 200, b"hi", True),
    "no content": (b"HTTP/1.1 204 No Content\r\n\r\n", 204, b"", True),
    "not modified": (b"HTTP/1.1 304 Not Modified\r\ncontent-length: 9\r\n\r\n", 304, b"", True),
    "interim": (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + OK, 200, b"hi", True),
    "close": (b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nConnection: close\r\n\r\nhi", 200, b"hi", False),
    "1.0": (b"HTTP/1.0 200 OK\r\ncontent-length: 2\r\n\r\nhi", 200, b"hi", False),
    "1.0 kept": (b"HTTP/1.0 200 OK\r\ncontent-length: 2\r\nConnection: keep-alive\r\n\r\nhi", 200, b"hi", True),
    "many headers": (b"HTTP/1.1 200 OK\r\n" + b"a:\r\n" * 127 + b"content-length: 0\r\n\r\n", 200, b"", True),
    "bare line feeds": (b"HTTP/1.1 200 OK\ncontent-length: 2\n\nhi", 200, b"hi", True),
    "overloaded": (b"HTTP/1.1 529 Overloaded\r\ncontent-length: 2\r\n\r\nno", 529, b"no", True),
}


def cuts_of(said: bytes) -> Iterator[list[bytes]]:
    yield [said]
    yield [said[n : n + 1] for n in range(len(said))]
    for at in range(1, len(said)):
        yield [said[:at], said[at:]]


@pytest.mark.parametrize("name", WHOLE)
def test_an_answer_is_the_same_wherever_it_is_cut(run: Any, name: str) -> None:
    said, status, body, again = WHOLE[name]

    async def work() -> None:
        async with saying() as provider, transport() as it:
            for cut in cuts_of(said):
                provider.pieces = cut
                before = len(provider.connections)
                got = await heard(it, asking(provider.url()))
                assert (got[0], got[2], got[3]) == (status, body, None), cut
                assert all(k.lower() not in ("x-one", "x-two", "link") for k, _ in got[1]), cut
                opened = len(provider.connections) - before
                assert opened == (1 if not again or before == 0 else 0), cut

    run(work())


@settings(max_examples=40, deadline=None)
@given(
    st.sampled_from(sorted(WHOLE)),
    st.lists(st.integers(1, 120), max_size=6),
    st.lists(st.binary(max_size=300), max_size=5),
)
def test_cut_anywhere_with_any_bytes(name: str, places: list[int], chunks: list[bytes]) -> None:
    said = WHOLE[name][0]
    if name == "chunks":
        said = CHUNKED + b"".join(b"%x\r\n%b\r\n" % (len(c), c) for c in chunks if c) + b"0\r\n\r\n"
    places = sorted({place for place in places if place < len(said)})
    pieces = [said[a:b] for a, b in zip([0, *places], [*places, len(said)], strict=True)]

    async def work() -> Heard:
        async with saying(*pieces) as provider, transport() as it:
            return await heard(it, asking(provider.url()))

    got = asyncio.run(asyncio.wait_for(work(), 30))
    assert got[2:] == (b"".join(chunks) if name == "chunks" else WHOLE[name][2], None)


def test_headers_come_as_they_were_written(run: Any) -> None:
    said = b"HTTP/1.1 200 Fine\r\nX-FoO:  a b \t\r\nset-cookie: a\r\nSet-Cookie: \xe9\r\nempty:\r\n"
    said += b"content-length: 0\r\n\r\n"

    async def work() -> Heard:
        async with saying(said) as provider, transport() as it:
            return await heard(it, asking(provider.url()))

    assert run(work())[1] == [
        ("X-FoO", "a b"),
        ("set-cookie", "a"),
        ("Set-Cookie", "é"),
        ("empty", ""),
        ("content-length", "0"),
    ]


def test_a_body_without_a_length_ends_with_its_line(run: Any) -> None:
    async def work() -> Heard:
        async with saying(b"HTTP/1.1 200 OK\r\n\r\nhel", b"lo", END) as provider, transport() as it:
            return await heard(it, asking(provider.url()))

    assert run(work())[2:] == (b"hello", None)


def test_the_head_of_an_answer_to_head_has_no_body(run: Any) -> None:
    async def work() -> list[Heard]:
        async with saying(OK[:-2]) as provider, transport() as it:
            answers = [await heard(it, asking(provider.url(), "HEAD", b"")) for _ in range(2)]
            provider.pieces = [OK]
            answers.append(await heard(it, asking(provider.url())))
            assert len(provider.connections) == 1
            return answers

    assert [answer[2] for answer in run(work())] == [b"", b"", b"hi"]


@pytest.mark.parametrize(
    ("pieces", "kind"),
    [
        ((END,), "reset"),
        ((b"HT", END), "reset"),
        ((b"HTTP/1.1 200 OK\r\ncontent-", END), "reset"),
        ((b"HTTP/1.1 100 Continue\r\n\r\n", END), "reset"),
        ((b"SSH-2.0-OpenSSH_9.2\r\n",), "wire"),
        ((b"\x15\x03\x01\x00\x02\x02\x16",), "wire"),
        ((b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n",), "wire"),
        ((b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n2\r\nhi\r\n0\r\n\r\n",), "wire"),
        ((b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nhi",), "wire"),
        ((b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\nhi",), "wire"),
        ((b"HTTP/1.1 101 Switching\r\nUpgrade: ws\r\nConnection: upgrade\r\n\r\njunk",), "wire"),
        ((b"HTTP/1.1 101 Switching\r\n\r\n",), "wire"),
        ((b"HTTP/1.1 999 What\r\ncontent-length: 0\r\n\r\n",), "wire"),
        ((b"HTTP/1.1 200 OK\r\na: b\x01c\r\ncontent-length: 0\r\n\r\n",), "wire"),
        ((b"HTTP/1.1 200 OK\r\na: b\0c\r\ncontent-length: 0\r\n\r\n",), "wire"),
        ((b"HTTP/1.1 200 OK\r\na: " + b"x" * 70_000 + b"\r\ncontent-length: 0\r\n\r\n",), "wire"),
        ((b"HTTP/1.1 200 OK\r\na: " + b"x" * 1_000_000,), "wire"),
        ((b"HTTP/1.1 200 OK\r\n" + b"a: %b\r\n" % (b"x" * 9_000) * 9 + b"content-length: 0\r\n\r\n",), "wire"),
        ((b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * 128 + b"content-length: 0\r\n\r\n",), "wire"),
        ((b"HTTP/1.1 100 Continue\r\nlink: x\r\n\r\n" * 9_000,), "wire"),
    ],
)
def test_what_is_no_answer_has_a_kind_and_its_line_an_end(run: Any, pieces: tuple[Any, ...], kind: str) -> None:
    async def work() -> None:
        async with saying(*pieces) as provider, transport() as it:
            assert await kind_of(it, asking(provider.url())) == kind
            await asyncio.wait_for(provider.connections[0].ended.wait(), 5)
            assert len(provider.connections) == 1, "asked once"

    run(work())


@pytest.mark.parametrize(
    ("pieces", "body", "kind"),
    [
        ((b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhi", END), b"hi", "reset"),
        ((CHUNKED + b"2\r\nhi\r\n", END), b"hi", "reset"),
        ((CHUNKED + b"2\r\nhi\r\n0\r\n", END), b"hi", "reset"),
        ((CHUNKED + b"2\r\nhi\r\n", b"zz\r\n"), b"hi", "wire"),
        ((CHUNKED + b"2\r\nhi\r\nzz\r\n",), b"hi", "wire"),
        ((CHUNKED, b"2;" + b"x" * 200_000), b"", "wire"),
        ((CHUNKED + b"2\r\nhi\r\n0\r\n", b"x: " + b"y" * 200_000), b"hi", "wire"),
    ],
)
def test_a_body_that_does_not_end_is_told_as_such(run: Any, pieces: Any, body: bytes, kind: str) -> None:
    async def work() -> None:
        async with saying(*pieces) as provider, transport() as it:
            got = await heard(it, asking(provider.url()))
            assert got[2:] == (body, kind)
            await asyncio.wait_for(provider.connections[0].ended.wait(), 5)

    run(work())


# --- when a line is used again ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("more", [b"XX", OK, b"HTTP/1.1 200 OK\r\n"])
@pytest.mark.parametrize("together", [True, False])
def test_bytes_behind_an_answer_are_never_the_next_one(run: Any, more: bytes, together: bool) -> None:
    async def work() -> None:
        async with saying(*([OK + more] if together else [OK, more])) as provider, transport() as it:
            for n in range(3):
                assert (await heard(it, asking(provider.url())))[2:] == (b"hi", None)
                await asyncio.wait_for(provider.connections[n].ended.wait(), 5)
            assert len(provider.connections) == 3

    run(work())


def test_a_line_is_free_as_soon_as_its_answer_is_here(run: Any) -> None:
    """Also where nobody has read it yet; and what is unread is not lost by that."""

    async def work() -> None:
        async with saying(OK) as provider, transport() as it:
            first = await it.send(asking(provider.url()))
            second = await it.send(asking(provider.url()))
            assert len(provider.connections) == 1
            for response in (first, second):
                assert b"".join([chunk async for chunk in response.chunks()]) == b"hi"
                await response.close()

    run(work())


def test_the_line_that_became_free_last_is_used_first(run: Any) -> None:
    async def work() -> None:
        async with saying(OK) as provider, transport() as it:
            await asyncio.gather(*(heard(it, asking(provider.url())) for _ in range(4)))
            opened = len(provider.connections)
            used = [len(one.received) for one in provider.connections]
            for _ in range(5):
                await heard(it, asking(provider.url()))
            grown = [len(one.received) > was for one, was in zip(provider.connections, used, strict=True)]
            assert (len(provider.connections), grown.count(True)) == (opened, 1)

    run(work())


def test_a_line_that_waits_long_is_closed(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool, "IDLE_SECONDS", 0.1)

    async def work() -> None:
        async with saying(OK) as provider, transport() as it:
            await heard(it, asking(provider.url()))
            await asyncio.wait_for(provider.connections[0].ended.wait(), 5)
            await heard(it, asking(provider.url()))
            assert len(provider.connections) == 2

    run(work())


def test_a_line_that_the_provider_has_closed_is_not_used_again(run: Any) -> None:
    async def work() -> None:
        async with saying(OK, END) as provider, transport() as it:
            for n in range(3):
                assert (await heard(it, asking(provider.url())))[2] == b"hi"
                await asyncio.wait_for(provider.connections[n].ended.wait(), 5)
                await asyncio.sleep(0.02)
            assert len(provider.connections) == 3

    run(work())


@pytest.mark.parametrize(("method", "asked"), [("POST", 1), ("GET", 2)])
def test_only_what_does_no_harm_twice_is_asked_again_on_a_line_that_had_died(run: Any, method: str, asked: int) -> None:
    """The provider closes a line just as it is asked there once more."""

    async def work() -> None:
        async with saying(OK) as provider, transport() as it:
            await heard(it, asking(provider.url(), method))
            provider.pieces = [END]
            assert await kind_of(it, asking(provider.url(), method)) == "reset"
            requests = sum(bytes(one.received).count(b" HTTP/1.1\r\n") for one in provider.connections)
            assert (requests, len(provider.connections)) == (1 + asked, asked)

    run(work())


def test_a_line_that_was_in_use_while_the_machine_slept_serves_its_answer_and_no_other(
    run: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, slept = time.time, [0.0]
    monkeypatch.setattr(time, "time", lambda: real() + slept[0])

    async def work() -> None:
        async with saying(CHUNKED + b"2\r\nhi\r\n", b"0\r\n\r\n") as provider, transport() as it:
            provider.gap = 0.3
            response = await it.send(asking(provider.url()))
            slept[0], provider.pieces = 3600.0, [OK]
            await heard(it, asking(provider.url()))
            assert b"".join([chunk async for chunk in response.chunks()]) == b"hi"
            await heard(it, asking(provider.url()))
            assert [bytes(one.received).count(b"POST") for one in provider.connections] == [1, 2]

    run(work())


# --- giving up --------------------------------------------------------------------------------------------------------


def test_closing_before_the_end_ends_the_line(run: Any) -> None:
    async def work() -> None:
        async with saying(CHUNKED + b"2\r\nhi\r\n") as provider, transport() as it:
            response = await it.send(asking(provider.url()))
            assert await anext(response.chunks()) == b"hi"
            await response.close()
            await asyncio.wait_for(provider.connections[0].ended.wait(), 5)

    run(work())


@pytest.mark.parametrize("pieces", [(), (CHUNKED,)])
def test_who_is_cancelled_while_waiting_leaves_no_line(run: Any, pieces: tuple[bytes, ...]) -> None:
    async def work() -> None:
        async with saying(*pieces) as provider, transport() as it:
            task = asyncio.ensure_future(heard(it, asking(provider.url())))
            await asyncio.sleep(0.1)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            await asyncio.wait_for(provider.connections[0].ended.wait(), 5)

    run(work())


def test_who_reads_while_another_closes_is_told(run: Any) -> None:
    async def work() -> None:
        async with saying(CHUNKED) as provider, transport() as it:
            response = await it.send(asking(provider.url()))
            reading = asyncio.ensure_future(anext(response.chunks()))
            await asyncio.sleep(0)
            await response.close()
            with pytest.raises(UpstreamError):
                await asyncio.wait_for(reading, 5)

    run(work())


def test_closing_the_transport_ends_every_line(run: Any) -> None:
    async def work() -> None:
        async with saying(CHUNKED + b"2\r\nhi\r\n") as provider:
            it = HttpTransport()
            response = await it.send(asking(provider.url()))
            provider.pieces = [OK]
            await heard(it, asking(provider.url()))
            await it.close()
            with pytest.raises(UpstreamError):
                _ = [chunk async for chunk in response.chunks()]
            for connection in provider.connections:
                await asyncio.wait_for(connection.ended.wait(), 5)

    run(work())


def test_a_body_that_ends_with_its_line_is_not_whole_where_it_is_we_who_end_it(run: Any) -> None:
    async def work() -> None:
        async with saying(b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nhalf") as provider:
            it = HttpTransport()
            response = await it.send(asking(provider.url()))
            assert await anext(response.chunks()) == b"half"
            await it.close()
            with pytest.raises(UpstreamError):
                await anext(response.chunks())

    run(work())


@pytest.mark.parametrize("pieces", [(END,), (CHUNKED + b"2\r\nhi\r\n", END)])
def test_an_answer_that_failed_is_gone_with_its_request(run: Any, pieces: tuple[bytes | None, ...]) -> None:
    """Without waiting for the collector, which seldom comes to a daemon: requests are large, and are made again."""

    async def work() -> list[object]:
        async with saying(*pieces) as provider, transport() as it:
            gc.collect()
            gc.disable()
            try:
                for _ in range(3):
                    with suppress(UpstreamError):
                        await heard(it, asking(provider.url()))
                await asyncio.sleep(0.05)
                return [one for one in gc.get_objects() if isinstance(one, HttpResponse)]
            finally:
                gc.enable()

    assert run(work()) == []


def test_who_is_cancelled_while_a_line_is_made_leaves_none(run: Any) -> None:
    async def work() -> int:
        async with saying(OK) as provider, transport() as it:
            for rounds in range(12):
                task = asyncio.ensure_future(it.send(asking(provider.url())))
                for _ in range(rounds):
                    await asyncio.sleep(0)
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await (await task).close()
            await asyncio.sleep(0.1)
            return sum(line.closed is False for line in it._pool._all)

    assert run(work()) <= 1, "one may wait for the next request"


def test_a_header_that_is_no_text_is_an_error_like_others(run: Any) -> None:
    async def work() -> str:
        async with saying(OK) as provider, transport() as it:
            return await kind_of(it, UpstreamRequest("POST", provider.url(), [("x-api-key", "k\udce9")], b"{}"))

    assert run(work()) == "other"


def test_nothing_is_left_behind(run: Any) -> None:
    ways = [(OK,), (CHUNKED, END), (b"SSH\r\n",), (END,), (OK + b"XX",), (CHUNKED,), ()]

    async def once(provider: Provider, it: HttpTransport) -> None:
        for pieces in ways:
            provider.pieces = pieces
            with suppress(UpstreamError, TimeoutError):
                await asyncio.wait_for(heard(it, asking(provider.url())), 0.02)

    async def work() -> tuple[int, int]:
        async with saying() as provider, transport() as it:
            await once(provider, it)
            await asyncio.sleep(0.05)
            tasks, files = len(asyncio.all_tasks()), open_files()
            for _ in range(20):
                await once(provider, it)
            await asyncio.sleep(0.05)
            return len(asyncio.all_tasks()) - tasks, open_files() - files

    tasks, files = run(work())
    assert tasks <= 1 and files <= 2, "what may differ is one line that waits, and its other end"


# --- more than fits ---------------------------------------------------------------------------------------------------


def test_a_reader_that_is_slow_holds_the_provider_back(run: Any) -> None:
    size, sent = 30_000_000, [0]

    def tell(listener: socket.socket) -> None:
        line, _ = listener.accept()
        with line:
            line.recv(65536)
            line.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % size)
            for _ in range(size // 100_000):
                line.sendall(b"x" * 100_000)
                sent[0] += 100_000

    async def work() -> int:
        async with transport() as it:
            response = await it.send(asking(f"http://127.0.0.1:{listener.getsockname()[1]}/"))
            await asyncio.sleep(1.0)
            waited, got = sent[0], 0
            async for chunk in response.chunks():
                got += len(chunk)
            assert got == size
            await response.close()
            return waited

    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 17)
        thread = threading.Thread(target=tell, args=(listener,))
        thread.start()
        waited = run(work())
        thread.join(10)
    assert waited < size / 2


@pytest.mark.parametrize("size", [100_000, 900_000, 8_000_000])
def test_a_provider_that_refuses_before_the_body_is_there_is_heard(run: Any, size: int) -> None:
    async def work() -> None:
        said = b"HTTP/1.1 413 Too Large\r\ncontent-length: 2\r\n\r\nno"
        async with saying(said, reads_bodies=False) as provider, transport() as it:
            response = await it.send(asking(provider.url(), body=b"x" * size))
            assert response.status == 413
            assert b"".join([chunk async for chunk in response.chunks()]) == b"no"
            await response.close()

    run(work())


def test_a_provider_that_answers_while_it_reads_gets_the_rest(run: Any) -> None:
    body, whole = b"x" * 6_000_000, [0]

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(CHUNKED + b"2\r\nhi\r\n")
        whole[0] = len(await reader.readexactly(len(body)))
        writer.write(b"0\r\n\r\n")
        await reader.read()
        writer.close()

    async def work() -> None:
        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        async with transport() as it:
            url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
            assert (await heard(it, asking(url, body=body)))[2:] == (b"hi", None)
        await asyncio.sleep(0.05)
        server.close()

    run(work())
    assert whole[0] == len(body)


def test_a_provider_that_hangs_up_without_reading_is_heard_at_once(run: Any) -> None:
    async def work() -> str:
        async with transport() as it:
            url = f"http://127.0.0.1:{listener.getsockname()[1]}/"
            return await asyncio.wait_for(kind_of(it, asking(url, body=b"x" * 9_000_000)), 3)

    def hang_up(listener: socket.socket) -> None:
        line, _ = listener.accept()
        with line:
            done.wait(0.3)  # until nothing more of the request fits on its way
            line.shutdown(socket.SHUT_WR)
            done.wait(10)

    done = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=hang_up, args=(listener,))
        thread.start()
        try:
            assert run(work()) == "reset"
        finally:
            done.set()
            thread.join(10)


def test_a_line_that_is_cut_hard_is_a_reset(run: Any) -> None:
    def cut(listener: socket.socket) -> None:
        line, _ = listener.accept()
        line.recv(65536)
        line.sendall(CHUNKED)
        line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        line.close()

    async def work() -> str:
        async with transport() as it:
            request = asking(f"http://127.0.0.1:{listener.getsockname()[1]}/")
            try:
                return (await heard(it, request))[3] or ""
            except UpstreamError as error:
                return error.kind

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=cut, args=(listener,))
        thread.start()
        assert run(work()) == "reset"
        thread.join(10)
