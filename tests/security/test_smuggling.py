"""Requests on which two readers could disagree, and paths that lead elsewhere than they say. None reaches a provider,
or it does as the one request it is, at the address of the configuration."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.security.wires import BODY, exchange, raw_upstream, request, status, token_of
from tests.support.fake_upstream import FakeUpstream
from tests.support.live import Live, LiveSession
from tests.support.wire_client import send

CHUNKED = b"%x\r\n%s\r\n0\r\n\r\n" % (len(BODY), BODY)


@pytest.fixture
def up() -> Iterator[FakeUpstream]:
    with FakeUpstream() as fake:
        yield fake


@pytest.fixture
def session(live: Live, up: FakeUpstream) -> LiveSession:
    return live.open_session(overrides={"upstream.anthropic.base-url": up.url})


def turn(session: LiveSession) -> str:
    return f"/s/{token_of(session)}/v1/messages"


def test_a_plain_request_is_served(live: Live, up: FakeUpstream, session: LiveSession) -> None:
    assert status(exchange(live.port, request(live, turn(session)))) == 200
    chunked = request(live, turn(session), "Transfer-Encoding: chunked", length=False, body=CHUNKED)
    assert status(exchange(live.port, chunked)) == 200
    assert [exchange.body for exchange in up.exchanges] == [BODY, BODY]


TWO_LENGTHS = {
    "length and chunked": ("Transfer-Encoding: chunked",),
    "two lengths": ("Content-Length: 3",),
    "the same length twice": (f"Content-Length: {len(BODY)}",),
}
NO_LENGTH = {
    "a list of lengths": (f"Content-Length: {len(BODY)}, {len(BODY)}",),
    "a signed length": (f"Content-Length: +{len(BODY)}",),
    "a length in hex": (f"Content-Length: 0x{len(BODY):x}",),
    "a length below nothing": ("Content-Length: -1",),
    "an unknown coding": ("Transfer-Encoding: xchunked",),
    "a coding before chunked": ("Transfer-Encoding: gzip, chunked",),
    "a coding after chunked": ("Transfer-Encoding: chunked, identity",),
    "two codings": ("Transfer-Encoding: chunked", "Transfer-Encoding: identity"),
    "chunked twice": ("Transfer-Encoding: chunked", "Transfer-Encoding: chunked"),
    "chunked behind a tab": ("Transfer-Encoding: \x0bchunked",),
}


@pytest.mark.parametrize("lines", TWO_LENGTHS.values(), ids=TWO_LENGTHS)
def test_a_body_of_two_lengths_is_refused(
    live: Live, up: FakeUpstream, session: LiveSession, lines: tuple[str, ...]
) -> None:
    assert status(exchange(live.port, request(live, turn(session), *lines))) == 400
    assert up.exchanges == []


@pytest.mark.parametrize("lines", NO_LENGTH.values(), ids=NO_LENGTH)
def test_a_body_of_doubtful_length_is_refused(
    live: Live, up: FakeUpstream, session: LiveSession, lines: tuple[str, ...]
) -> None:
    raw = request(live, turn(session), *lines, length=False, body=CHUNKED)
    assert status(exchange(live.port, raw)) in (400, 501)
    assert up.exchanges == []


@pytest.mark.parametrize("size", ["-1", "+5", "0x5", "g", "", "5 5", "ffffffffffffffffff", "5\x0b"])
def test_a_chunk_of_doubtful_length_is_refused(live: Live, up: FakeUpstream, session: LiveSession, size: str) -> None:
    body = size.encode() + b"\r\nhello\r\n0\r\n\r\n"
    raw = request(live, turn(session), "Transfer-Encoding: chunked", length=False, body=body)
    assert status(exchange(live.port, raw)) in (0, 400)
    assert up.exchanges == []


LINES = {
    "folded": "x-a: b\r\n c: d",
    "folded by a tab": "x-a: b\r\n\tc",
    "ended by LF": "x-a: b\nx-b: c",
    "with CR": "x-a: b\rx-b: c",
    "with NUL": "x-a: b\0c",
    "with a control character": "x-a: b\x01c",
    "a space before the colon": "x-a : b",
    "no name": ": b",
    "no colon": "x-a",
    "a space in the name": "x a: b",
    "brackets in the name": "x(a): b",
    "a name beyond ASCII": "x-\xff: b",
}


@pytest.mark.parametrize("line", LINES.values(), ids=LINES)
def test_a_header_that_is_none_is_refused(live: Live, up: FakeUpstream, session: LiveSession, line: str) -> None:
    assert status(exchange(live.port, request(live, turn(session), line))) == 400
    assert up.exchanges == []


@pytest.mark.parametrize(
    "line",
    [
        *("Host: evil.example", "Origin: null", "Content-Type: text/plain", "Sec-Fetch-Site: none"),
        *("content-type: application/json", "x-rlmc-token: other", "Authorization: Bearer other"),
    ],
)
def test_what_is_decided_by_is_there_once(live: Live, up: FakeUpstream, session: LiveSession, line: str) -> None:
    lines = (line,)
    if line.split(":")[0] in ("Origin", "Sec-Fetch-Site", "x-rlmc-token", "Authorization"):
        lines = (line.split(":")[0] + ": none", line)
    assert status(exchange(live.port, request(live, turn(session), *lines))) == 400
    assert up.exchanges == []


def test_headers_after_the_body_are_none(live: Live, up: FakeUpstream, session: LiveSession) -> None:
    for after in (b"x-evil: 1", b"origin: http://evil.example", b"x-api-key: sk-other", b"host: evil.example"):
        body = CHUNKED.removesuffix(b"\r\n") + after + b"\r\n\r\n"
        raw = request(live, turn(session), "Transfer-Encoding: chunked", "Trailer: x-evil", length=False, body=body)
        assert status(exchange(live.port, raw)) == 200
    for seen in up.exchanges:
        assert seen.body == BODY
        assert [value for name, value in seen.headers if name.lower() == "x-api-key"] == ["sk-ant-test-0000"]
        assert not {"x-evil", "origin", "trailer"} & {name.lower() for name, _ in seen.headers}
    assert len(up.exchanges) == 4


@pytest.mark.parametrize(
    ("version", "refused"), [("1.0", 505), ("2.0", 505), ("0.9", 505), ("1.2", 400), ("3.0", 400), ("1.1x", 400)]
)
def test_another_version_of_http_is_refused(
    live: Live, up: FakeUpstream, session: LiveSession, version: str, refused: int
) -> None:
    assert status(exchange(live.port, request(live, turn(session), version=version))) == refused
    assert up.exchanges == []


@pytest.mark.parametrize("method", ["TRACE", "CONNECT", "PURGE", "PROPFIND", "SUBSCRIBE", "get", "EVIL", "PRI"])
def test_a_method_no_api_has_is_refused(live: Live, up: FakeUpstream, session: LiveSession, method: str) -> None:
    answer = exchange(live.port, request(live, turn(session), "x-api-key: sk-ant-test-0000", method=method, body=b""))
    assert status(answer) in (400, 404, 405)
    assert b"sk-ant-test-0000" not in answer
    assert up.exchanges == []


def test_a_tunnel_is_opened_to_nobody(live: Live, up: FakeUpstream, session: LiveSession) -> None:
    for target in (f"127.0.0.1:{up.port}", "evil.example:443"):
        assert status(exchange(live.port, request(live, target, method="CONNECT"))) in (400, 404, 405)
    for protocol in ("websocket", "h2c", "TLS/1.2"):
        lines = ("Connection: upgrade", f"Upgrade: {protocol}")
        got = exchange(live.port, request(live, turn(session), *lines, method="GET"))
        assert status(got) == 426
    assert up.exchanges == []


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:{port}", "127.0.0.1", "localhost:1", "127.0.0.1.evil:{port}"]
)
def test_the_host_must_be_this_one_whatever_the_target_says(
    live: Live, up: FakeUpstream, session: LiveSession, host: str
) -> None:
    host = host.format(port=live.port)
    own = f"http://127.0.0.1:{live.port}"
    for target in (turn(session), own + turn(session)):
        assert status(exchange(live.port, request(live, target, host=host))) == 403
    assert up.exchanges == []


def test_a_request_without_a_host_is_refused(live: Live, up: FakeUpstream, session: LiveSession) -> None:
    assert status(exchange(live.port, request(live, turn(session), host=""))) in (400, 403)
    assert up.exchanges == []


def test_the_host_of_a_whole_target_chooses_no_provider(live: Live, up: FakeUpstream, session: LiveSession) -> None:
    with FakeUpstream() as other:
        for target in (f"{other.url}{turn(session)}", f"http://user@{other.url[7:]}{turn(session)}"):
            assert status(exchange(live.port, request(live, target))) in (200, 400)
        assert other.exchanges == []
        assert {exchange.path for exchange in up.exchanges} == {"/v1/messages"}


STEPS = (
    *("/v1/../x", "/../x", "/..", "/v1/%2e%2e/x", "/v1/%2E./x", "/v1/.%2e/x", "/v1/./x", "/.", "/v1/..", "/v1/%2e"),
    *("/v1/..%2fx", "/v1%2f..%2fx", "/v1/..\\x", "/v1/%5c..%5cx", "/\\evil.example\\x", "/v1/%5cx"),
    *("/v1/x%00", "/v1/x%0d%0aevil:%201", "/v1/x%0aevil", "/v1/x%7f", "/v1/%1f"),
)


@pytest.mark.parametrize("path", STEPS)
def test_a_path_that_leads_elsewhere_is_refused(live: Live, up: FakeUpstream, session: LiveSession, path: str) -> None:
    token = token_of(session)
    for raw in (
        request(live, f"/s/{token}{path}", method="GET"),
        request(live, path, f"x-rlmc-token: {token}", method="GET"),
    ):
        assert status(exchange(live.port, raw)) == 400
    assert up.exchanges == []


PATHS = {
    "//evil.example/x": "/evil.example/x",
    "///evil.example/x": "/evil.example/x",
    "/@evil.example/x": "/@evil.example/x",
    "/:80@evil.example/x": "/:80@evil.example/x",
    "/http://evil.example/x": "/http://evil.example/x",
    "/v1/models/a%3Fb%23c%2Fd": "/v1/models/a%3Fb%23c%2Fd",
    "/v1/x%20HTTP/1.1": "/v1/x%20HTTP/1.1",
    "/v1/...": "/v1/...",
    "/v1/x..y/.z": "/v1/x..y/.z",
}


@pytest.mark.parametrize("path", PATHS)
def test_a_path_stays_below_the_address_of_the_configuration(live: Live, up: FakeUpstream, path: str) -> None:
    """As it came, escapes included, also where the token comes in a header."""
    session = live.open_session(overrides={"upstream.anthropic.base-url": f"{up.url}/team"})
    token = token_of(session)
    exchange(live.port, request(live, f"/s/{token}{path}", method="GET"))
    exchange(live.port, request(live, path, f"x-rlmc-token: {token}", method="GET"))
    assert [seen.path for seen in up.exchanges] == [f"/team{PATHS[path]}"] * 2
    assert token not in str([(seen.headers, seen.path, seen.query) for seen in up.exchanges])


def test_a_session_is_named_in_one_way(live: Live, up: FakeUpstream, session: LiveSession) -> None:
    token = token_of(session)
    for path in (f"/%73/{token}/v1/messages", f"//s/{token}/v1/messages", f"/S/{token}/v1/messages", f"/s//{token}/v1"):
        assert status(exchange(live.port, request(live, path))) in (400, 404)
    assert up.exchanges == []


@pytest.mark.parametrize("query", ["a=%0d%0aevil:%201", "a=%00", "a=b&a=c", "x=http://evil.example/"])
def test_a_query_goes_on_as_it_came(live: Live, up: FakeUpstream, session: LiveSession, query: str) -> None:
    exchange(live.port, request(live, f"{turn(session)}?{query}"))
    assert [seen.query for seen in up.exchanges] == [query]
    assert "evil" not in {name.lower() for name, _ in up.exchanges[0].headers}


def test_two_requests_on_one_line_are_two(live: Live, up: FakeUpstream, session: LiveSession) -> None:
    """The second is no part of the first, and nothing of either is sent on as part of the other."""
    first, second = BODY.replace(b"Hi.", b"one"), BODY.replace(b"Hi.", b"two")
    raw = request(live, turn(session), body=first, last=False) + request(live, turn(session), body=second)
    assert exchange(live.port, raw).count(b"HTTP/1.1 200 OK") == 2
    assert [seen.body for seen in up.exchanges] == [first, second]


def test_a_body_that_holds_a_request_is_a_body(live: Live) -> None:
    """What the provider reads on its line is one head and one body of the length that stands in it."""
    inner = request(live, "/v1/files", "x-evil: 1", body=b"{}")
    with raw_upstream(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n") as provider:
        own = live.open_session(overrides={"upstream.anthropic.base-url": provider.url})
        exchange(live.port, request(live, turn(own), "Content-Encoding: gzip", body=inner))
        (head, _, body), *more = (asked.partition(b"\r\n\r\n") for asked in provider.asked)
    assert (body, more) == (inner, [])
    assert head.lower().count(b"content-length: %d" % len(inner)) == head.lower().count(b"content-length") == 1
    assert b"transfer-encoding" not in head.lower()


def test_what_is_no_json_is_no_turn(live: Live, up: FakeUpstream, session: LiveSession) -> None:
    for content_type in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "", "text/json"):
        got = send(session.base_url, BODY, headers={"x-api-key": "k", "content-type": content_type})
        assert got.status == 415
    assert up.exchanges == []


def test_the_token_goes_no_further(live: Live, up: FakeUpstream, session: LiveSession) -> None:
    token = token_of(session)
    for lines in ((), (f"x-rlmc-token: {token}",), (f"X-RLMC-Token: {token}",)):
        exchange(live.port, request(live, turn(session), *lines))
    exchange(live.port, request(live, "/v1/messages", f"x-rlmc-token: {token}"))
    assert len(up.exchanges) == 4
    assert token not in str([(seen.headers, seen.path, seen.query, seen.body) for seen in up.exchanges])
