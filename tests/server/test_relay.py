"""Direct turns: the client's bytes to the provider and the provider's bytes back, whatever they are."""

from __future__ import annotations

import gzip
import http.client
import json
import socket
from urllib.parse import urlsplit

import pytest
from tests.support import tools
from tests.support.fake_upstream import FakeUpstream, Reply
from tests.support.ledger_rows import turn_rows
from tests.support.live import Live, LiveSession
from tests.support.scripts import always_text
from tests.support.wire_client import KEY_HEADERS, LOGIN_HEADERS, send

# Odd spacing, escapes, unknown fields and key order: all of it must arrive as it is.
ODD = (
    b'{ "model":"claude-opus-5-5" ,\n "future_field": {"a": [1.0, 2e3, null]}, "messages":'
    b'[{"content":"caf\\u00e9 \xe2\x98\x83","role":"user"}],"max_tokens":64,  "stream":true}'
)


def direct(live: Live, up: FakeUpstream, **overrides: str) -> LiveSession:
    wanted = {"policy": "verify-only", "upstream.anthropic.base-url": up.url} | overrides
    return live.open_session(overrides=wanted)


def test_bytes_and_headers_pass_in_both_directions(live: Live) -> None:
    with FakeUpstream(always_text("Hello there.")) as up:
        session = direct(live, up)
        got = send(session.base_url, ODD, anthropic_beta="a-2025,b-2026", x_app="cli", x_custom="kept")
    seen = up.exchanges[0]
    assert seen.body == ODD
    assert (seen.path, seen.query) == ("/v1/messages", "beta=true")
    assert seen.header("anthropic-beta") == "a-2025,b-2026"
    assert seen.header("x-custom") == "kept"
    assert seen.header("x-api-key") == KEY_HEADERS["x-api-key"]
    assert seen.header("host") == urlsplit(up.url).netloc
    assert got.status == 200
    assert got.body == bytes(seen.sent)
    assert got.headers["request-id"] == "req_011fake0000000000000000"
    assert got.headers["anthropic-ratelimit-requests-limit"] == "4000"


@pytest.mark.parametrize("path", ["/messages", "/v1/messages", "/v1/v1/messages", "/v1/messages?beta=true&x=a%2Fb"])
def test_the_paths_clients_use_are_one(live: Live, path: str) -> None:
    with FakeUpstream() as up:
        session = direct(live, up)
        assert send(session.base_url, ODD, path).status == 200
    assert up.exchanges[0].path == "/v1/messages"
    assert up.exchanges[0].query == path.partition("?")[2]


@pytest.mark.parametrize("stream", [True, False])
def test_a_gzipped_answer_passes_as_it_is_and_is_still_priced(live: Live, stream: bool) -> None:
    body = tools.request("hi", model="claude-opus-5-5", stream=stream)
    with FakeUpstream(lambda _b, _n: Reply("Hello. " * 50, compress=True)) as up:
        session = direct(live, up)
        got = send(session.base_url, body, accept_encoding="gzip, br, zstd")
        plain = send(session.base_url, body)
        session.end()
    assert got.headers["content-encoding"] == "gzip"
    assert got.body == bytes(up.exchanges[0].sent)
    assert gzip.decompress(got.body)
    assert "content-encoding" not in plain.headers
    assert up.exchanges[0].header("accept-encoding") == "gzip", "encodings the books cannot read are not asked for"
    assert [row["cost"] is not None for row in turn_rows()] == [True, True]


@pytest.mark.parametrize(
    ("status", "headers"),
    [
        (400, ()),
        (401, ()),
        (403, ()),
        (404, ()),
        (413, ()),
        (429, (("retry-after", "7"), ("x-should-retry", "false"))),
        (500, (("retry-after-ms", "1500"),)),
        (529, (("retry-after", "2"),)),
    ],
)
def test_errors_come_word_for_word(live: Live, status: int, headers: tuple[tuple[str, str], ...]) -> None:
    with FakeUpstream(lambda _b, _n: Reply(status=status, error="some_error", message="words", headers=headers)) as up:
        session = direct(live, up)
        got = send(session.base_url, ODD)
        session.end()
    assert got.status == status
    assert got.body == bytes(up.exchanges[0].sent)
    for name, value in headers:
        assert got.headers[name] == value
    assert len(up.messages) == 1, "the provider is asked as often as the client asked"
    assert [(r["outcome"], r["status"], r["cost"]) for r in turn_rows()] == [("direct", status, 0)]


def test_html_from_a_gateway_comes_as_it_is(live: Live) -> None:
    with FakeUpstream(
        lambda _b, _n: Reply(status=502, raw=b"<html>Bad Gateway</html>", content_type="text/html")
    ) as up:
        session = direct(live, up)
        got = send(session.base_url, ODD)
    assert (got.status, got.body) == (502, b"<html>Bad Gateway</html>")
    assert got.headers["content-type"].startswith("text/html")


def test_an_unreachable_upstream_is_for_the_client_to_notice(live: Live, caplog: pytest.LogCaptureFixture) -> None:
    """As without rlmc: nobody answers, and the client decides what to do."""
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    session = live.open_session(
        overrides={"policy": "verify-only", "upstream.anthropic.base-url": f"http://127.0.0.1:{port}"}
    )
    with pytest.raises(http.client.RemoteDisconnected):
        send(session.base_url, ODD)
    session.end()
    assert f"127.0.0.1:{port}" in caplog.text
    assert [(r["ending"], r["cost"]) for r in turn_rows()] == [("upstream-error", 0)]


def test_a_stream_that_breaks_breaks_for_the_client_too(live: Live) -> None:
    import http.client

    with FakeUpstream(lambda _b, _n: Reply("A long answer that never ends. " * 20, break_after=6)) as up:
        session = direct(live, up)
        with pytest.raises((http.client.IncompleteRead, ConnectionError)):
            send(session.base_url, ODD)
        session.end()
    row = turn_rows()[0]
    assert row["ending"] == "upstream-error"
    assert row["estimated"] == 1


def test_a_client_that_hangs_up_cancels_the_call_and_leaves_a_row(live: Live) -> None:
    with FakeUpstream(lambda _b, _n: Reply("word " * 100, hang_after=8)) as up:
        session = direct(live, up)
        parts = urlsplit(session.base_url)
        client = socket.create_connection((parts.hostname or "", parts.port or 0))
        head = f"POST {parts.path}/v1/messages HTTP/1.1\r\nhost: {parts.netloc}\r\ncontent-type: application/json\r\n"
        client.sendall(head.encode() + b"content-length: %d\r\n\r\n" % len(ODD) + ODD)
        seen = b""
        while b"content_block_delta" not in seen:
            seen += client.recv(65536)
        client.close()
        up.wait(lambda: up.exchanges[0].client_gone)
        session.end()
    row = turn_rows()[0]
    assert row["ending"] == "client-gone"
    assert row["estimated"] == 1
    assert row["cost"] > 0


def test_what_cannot_be_decoded_goes_direct_and_malformed_json_is_refused(live: Live) -> None:
    strange = json.dumps({"model": "claude-opus-5-5", "messages": [{"role": "oracle", "content": "?"}]}).encode()
    with FakeUpstream() as up:
        session = live.open_session(overrides={"draft-model": "sim/draft", "upstream.anthropic.base-url": up.url})
        assert send(session.base_url, strange).status == 200
        refused = send(session.base_url, b'{"model": "x", ')
        session.end()
    assert up.exchanges[0].body == strange
    assert len(up.messages) == 1
    assert refused.status == 400
    assert refused.json["error"]["type"] == "invalid_request_error"
    assert [(r["outcome"], r["reason"]) for r in turn_rows()] == [("direct", "unreadable")]


def test_a_body_over_the_limit_is_refused_with_its_setting(live: Live) -> None:
    with FakeUpstream() as up:
        session = direct(live, up, **{"body-limit": "1024"})
        got = send(session.base_url, b'{"x": "' + b"a" * 2000 + b'"}')
    assert got.status == 413
    assert "body-limit" in got.json["error"]["message"]
    assert up.exchanges == []


def test_everything_that_is_no_turn_passes_through(live: Live) -> None:
    with FakeUpstream(head_status=404) as up:
        session = direct(live, up)
        count = send(session.base_url, {"model": "claude-opus-5-5", "messages": []}, "/v1/messages/count_tokens")
        models = send(session.base_url, None, "/v1/models?limit=1000", method="GET")
        hello = send(session.base_url, None, "/api/hello", method="HEAD")
        batch = send(session.base_url, {"requests": []}, "/v1/messages/batches")
        other = send(session.base_url, None, "/v1/strange", method="DELETE")
        ended = session.end()
    assert count.json["input_tokens"] > 0
    assert models.json["data"][0]["id"] == "claude-opus-5-5"
    assert (hello.status, hello.body) == (404, b"")
    assert batch.json["type"] == "message_batch"
    assert other.status == 404
    assert [e.method for e in up.exchanges] == ["POST", "GET", "HEAD", "POST", "DELETE"]
    assert (ended["requests"], ended["turns"]) == (5, 0)
    assert turn_rows() == []


def test_a_subscription_login_passes_untouched(live: Live) -> None:
    with FakeUpstream() as up:
        session = live.open_session(overrides={"upstream.anthropic.base-url": up.url})
        after_read = tools.request(
            "Fix it.",
            tools.use("t1", "Read", file_path="a"),
            tools.result("t1", "x"),
            model="claude-opus-5-5",
            tools=tools.ALL,
            stream=True,
        )
        send(session.base_url, after_read, headers=LOGIN_HEADERS)
        ended = session.end()
    assert up.exchanges[0].header("authorization") == LOGIN_HEADERS["authorization"]
    assert up.exchanges[0].header("anthropic-beta") == LOGIN_HEADERS["anthropic-beta"]
    assert len(up.messages) == 1, "no call of rlmc's own"
    assert [(r["outcome"], r["reason"]) for r in turn_rows()] == [("direct", "login")]
    assert any("login" in note for note in ended["notes"])


def test_a_configured_verify_model_replaces_only_the_models_name(live: Live) -> None:
    with FakeUpstream() as up:
        session = direct(live, up, **{"verify-model": "anthropic/claude-sonnet-5-5"})
        send(session.base_url, ODD)
    assert up.exchanges[0].body == ODD.replace(b"claude-opus-5-5", b"claude-sonnet-5-5")


@pytest.mark.parametrize("body", [b"[]", b'{"messages": []}', b'{"model": "a", "model": "b", "messages": 3}'])
def test_what_cannot_be_decoded_goes_direct_with_a_verify_model_set_as_well(live: Live, body: bytes) -> None:
    with FakeUpstream() as up:
        session = direct(live, up, **{"verify-model": "anthropic/claude-sonnet-5-5"})
        got = send(session.base_url, body)
        session.end()
    assert len(up.exchanges) == 1
    assert got.body == bytes(up.exchanges[0].sent)
    assert turn_rows()[0]["outcome"] == "direct"


def test_an_unreadable_turn_is_priced_by_the_model_its_answer_names(live: Live) -> None:
    strange = json.dumps({"model": "claude-opus-5-5", "messages": [{"role": "oracle", "content": "?"}]}).encode()
    with FakeUpstream() as up:
        session = direct(live, up)
        send(session.base_url, strange)
        session.end()
    row = turn_rows()[0]
    assert row["served_model"] == "anthropic/claude-opus-5-5"
    assert row["cost"] > 0


def test_header_bytes_arrive_as_they_were_sent(live: Live) -> None:
    with FakeUpstream() as up:
        session = direct(live, up)
        parts = urlsplit(session.base_url)
        with socket.create_connection((parts.hostname or "", parts.port or 0)) as client:
            head = f"POST {parts.path}/v1/messages HTTP/1.1\r\nhost: {parts.netloc}\r\nconnection: close\r\n"
            head += f"content-type: application/json\r\ncontent-length: {len(ODD)}\r\n"
            client.sendall(head.encode() + b"x-title: caf\xc3\xa9\r\n\r\n" + ODD)
            while client.recv(65536):
                pass
    assert up.exchanges[0].header("x-title") == "caf\xc3\xa9"  # as latin-1: the same two bytes


def test_another_vendor_as_verify_model_gets_none_of_the_clients_secrets(live: Live) -> None:
    with FakeUpstream() as up:
        session = live.open_session(
            overrides={"upstream.moonshot.base-url": up.url, "verify-model": "moonshot/kimi-k3"},
            keys={"MOONSHOT_API_KEY": "sk-moon"},
        )
        send(
            session.base_url,
            tools.request("hi", model="claude-opus-5-5", stream=True),
            headers=LOGIN_HEADERS | {"cookie": "secret", "x-portkey-api-key": "secret", "x-api-key": "secret"},
        )
    seen = up.exchanges[0]
    assert seen.header("authorization") == "Bearer sk-moon"
    assert "secret" not in json.dumps(seen.headers)
    assert "oauth" not in (seen.header("anthropic-beta") or "")
    assert seen.header("anthropic-version") == "2023-06-01"


def test_an_answer_without_a_body(live: Live) -> None:
    with FakeUpstream(lambda _b, _n: Reply(status=304, raw=b"")) as up:
        session = direct(live, up)
        assert send(session.base_url, ODD).status == 304
