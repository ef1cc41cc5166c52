"""The fake upstream must itself be right: what it records, how it misbehaves, and what it bills."""

from __future__ import annotations

import gzip
import http.client
import json
from pathlib import Path
from typing import Any

import pytest
from tests.support.fake_upstream import FakeUpstream, Prices, Reply
from tests.support.messages import assemble, calls, events, texts
from tests.support.replies import HTML
from tests.support.scripts import Script, agentic, by_model, first, formatted, sequence, verifier
from tests.support.tools import BASH, EDIT, READ, request, result

OPUS = Prices(
    input=4_000_000, output=20_000_000, cache_read=200_000, cache_write_5m=5_000_000, cache_write_1h=8_000_000
)


def post(
    up: FakeUpstream, body: object, path: str = "/v1/messages?beta=true", **headers: str
) -> tuple[int, dict[str, str], bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", up.port, timeout=10)
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    try:
        connection.request("POST", path, raw, {"Content-Type": "application/json", **headers})
        response = connection.getresponse()
        return response.status, {k.lower(): v for k, v in response.getheaders()}, response.read()
    finally:
        connection.close()


def ask(up: FakeUpstream, body: dict[str, Any]) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(post(up, body)[2])
    return answer


def test_it_records_an_exchange_to_the_byte() -> None:
    raw = b'{"model": "m",  "max_tokens": 5, "messages": [{"role": "user", "content": "hi"}]}'
    with FakeUpstream() as up:
        status, headers, data = post(up, raw, **{"X-Odd-Case": "1", "anthropic-beta": "a,b"})
        (seen,) = up.exchanges
    assert (seen.method, seen.path, seen.query) == ("POST", "/v1/messages", "beta=true")
    assert seen.body == raw
    assert seen.json["model"] == "m"
    assert ("X-Odd-Case", "1") in seen.headers
    assert seen.header("Anthropic-Beta") == "a,b"
    assert (seen.status, bytes(seen.sent)) == (status, data)
    assert dict(seen.response_headers)["request-id"] == headers["request-id"]
    assert seen.finished
    assert not seen.client_gone


@pytest.mark.parametrize("chunk", [None, 1, 7])
@pytest.mark.parametrize("compress", [True, False])
def test_a_stream_says_what_the_plain_body_says(chunk: int | None, compress: bool) -> None:
    said = Reply("héllo", calls=(("Read", {"file_path": "a"}),), thinking="hm", chunk=chunk, compress=compress)
    with FakeUpstream(sequence(said)) as up:
        _, headers, data = post(up, request("hi", stream=True), **{"Accept-Encoding": "gzip"})
        plain = ask(up, request("hi"))
        assert bytes(up.exchanges[0].sent) == data
    streamed = assemble(gzip.decompress(data) if headers.get("content-encoding") == "gzip" else data)
    assert (headers.get("content-encoding") == "gzip") is compress
    assert streamed["complete"]
    assert texts(streamed) == texts(plain) == "héllo"
    assert calls(streamed) == calls(plain) == [("Read", {"file_path": "a"})]
    assert streamed["usage"]["output_tokens"] == plain["usage"]["output_tokens"]
    assert [b["type"] for b in streamed["content"]] == ["thinking", "text", "tool_use"]


def test_errors_html_and_bad_bodies() -> None:
    script = sequence(
        Reply(status=529, error="overloaded_error", headers=(("retry-after", "2"),)), HTML, Reply(raw=b"{nonsense")
    )
    with FakeUpstream(script) as up:
        status, headers, data = post(up, request("hi"))
        assert (status, headers["retry-after"]) == (529, "2")
        assert json.loads(data)["error"]["type"] == "overloaded_error"
        status, headers, data = post(up, request("hi"))
        assert (status, headers["content-type"]) == (200, "text/html")
        assert post(up, request("hi"))[2] == b"{nonsense"
        assert post(up, b"{")[0] == 400
    assert up.bills == []


def test_broken_and_cut_streams() -> None:
    with FakeUpstream(
        sequence(Reply("x", break_after=-1), Reply("x" * 99, break_after=4), Reply("x", eof_after=3))
    ) as up:
        for _ in range(2):
            with pytest.raises((ConnectionError, http.client.HTTPException)):
                post(up, request("hi", stream=True))
        names = [name for name, _ in events(post(up, request("hi", stream=True))[2])]
    assert names == ["message_start", "ping", "content_block_start"]
    assert not any(e.client_gone for e in up.exchanges)


def test_a_client_that_hangs_up_is_noticed_and_billed_for_what_it_got() -> None:
    with FakeUpstream(sequence(Reply("x" * 400, hang_after=6)), prices={"verify": OPUS}) as up:
        connection = http.client.HTTPConnection("127.0.0.1", up.port, timeout=10)
        connection.request("POST", "/v1/messages", json.dumps(request("hi", stream=True)))
        connection.getresponse().read(20)
        up.wait(lambda: b"text_delta" in up.exchanges[0].sent)
        connection.close()
        up.wait(lambda: up.exchanges[0].finished)
        assert up.exchanges[0].client_gone
        assert up.bills[0].output > 0


def test_a_stopped_fake_refuses_connections() -> None:
    with FakeUpstream() as up:
        up.stop()
        with pytest.raises(ConnectionRefusedError):
            post(up, request("hi"))


def test_a_script_that_fails_fails_the_test() -> None:
    def script(body: dict[str, Any], _n: int) -> Reply:
        raise KeyError(body["model"])

    def use_it() -> None:
        with FakeUpstream(script) as up:
            assert post(up, request("hi"))[0] == 500

    with pytest.raises(AssertionError, match="script failed"):
        use_it()


def test_side_endpoints() -> None:
    with FakeUpstream(head_status=404) as up:
        assert json.loads(post(up, request("hi"), "/v1/messages/count_tokens")[2])["input_tokens"] > 0
        assert post(up, b"", "/v1/messages/batches")[0] == 200
        assert post(up, b"", "/v1/nothing")[0] == 404
        connection = http.client.HTTPConnection("127.0.0.1", up.port, timeout=10)
        connection.request("HEAD", "/api/hello")
        assert connection.getresponse().status == 404
        connection.close()
        assert up.messages == []
        assert len(up.exchanges) == 4


# --- scripts ------------------------------------------------------------------------------------------------------


def test_the_agentic_script_works_through_its_steps(tmp_path: Path) -> None:
    messages: list[Any] = ["Change the greeting in hello.txt"]
    with FakeUpstream(agentic(tmp_path)) as up:
        used = []
        for _ in range(4):
            answer = ask(up, request(*messages, tools=[BASH, EDIT, READ]))
            messages.append({"role": "assistant", "content": answer["content"]})
            for block in answer["content"]:
                if block["type"] == "tool_use":
                    used.append((block["name"], block["input"]))
                    messages.append(result(block["id"], "ok"))
    assert [name for name, _ in used] == ["Read", "Bash", "Edit"]
    assert used[2][1] == {
        "file_path": str(tmp_path / "hello.txt"),
        "old_string": "hello world",
        "new_string": "goodbye world",
    }
    assert answer["stop_reason"] == "end_turn"


def test_scripts_combine() -> None:
    accept_first: Script = verifier(lambda n: n == 0, sequence(Reply("my own")))
    script = by_model(draft=first(Reply("one"), sequence(Reply("more"))), other=accept_first)
    offer = ["Where is it?", "An untrusted candidate … reply only ACCEPT-0123456789abcdef"]
    schema = {"type": "object", "properties": {"title": {"type": "string"}}, "required": ["title"]}
    with FakeUpstream(script) as up:
        assert [texts(ask(up, request("hi", model="a-draft"))) for _ in range(2)] == ["one", "more"]
        assert texts(ask(up, request(*offer))) == "ACCEPT-0123456789abcdef"
        assert texts(ask(up, request(*offer))) == "my own"
    asked = formatted(request("x", output_config={"format": {"schema": schema}}))
    assert asked is not None
    assert json.loads(asked.text or "") == {"title": "Fake title"}


# --- billing ------------------------------------------------------------------------------------------------------


def cached(text: str, ttl: str | None = None) -> dict[str, Any]:
    control = {"type": "ephemeral"} | ({"ttl": ttl} if ttl else {})
    return {"type": "text", "text": text, "cache_control": control}


def test_bills_follow_the_published_cache_rules() -> None:
    now = [0.0]
    long = "x" * 8000
    body = request({"role": "user", "content": [cached(long), {"type": "text", "text": "y" * 400}]})
    with FakeUpstream(clock=lambda: now[0], prices={"verify": OPUS}) as up:
        written = ask(up, body)["usage"]
        now[0] = 299.0
        read = ask(up, body)["usage"]
        now[0] = 600.0
        lapsed = ask(up, body)["usage"]
        hour = ask(up, request({"role": "user", "content": [cached("z" + long, "1h")]}))["usage"]
    assert written["cache_creation_input_tokens"] >= 2000
    assert written["cache_read_input_tokens"] == 0
    assert read["cache_read_input_tokens"] == written["cache_creation_input_tokens"]
    assert read["input_tokens"] == written["input_tokens"] >= 100
    assert lapsed == written
    assert hour["cache_creation"]["ephemeral_1h_input_tokens"] > 0
    expected = 0
    for usage in (written, read, lapsed, hour):
        expected += usage["input_tokens"] * OPUS.input + usage["output_tokens"] * OPUS.output
        expected += usage["cache_read_input_tokens"] * OPUS.cache_read
        expected += usage["cache_creation"]["ephemeral_5m_input_tokens"] * OPUS.cache_write_5m
        expected += usage["cache_creation"]["ephemeral_1h_input_tokens"] * OPUS.cache_write_1h
    assert up.billed == expected


def test_nothing_short_is_cached_and_a_model_without_price_is_an_error() -> None:
    with FakeUpstream() as up:
        body = request({"role": "user", "content": [cached("short")]})
        for _ in range(2):
            usage = ask(up, body)["usage"]
            assert (usage["cache_read_input_tokens"], usage["cache_creation_input_tokens"]) == (0, 0)
        with pytest.raises(AssertionError, match="no price for verify"):
            _ = up.billed


def test_a_growing_conversation_reads_what_the_turn_before_wrote() -> None:
    long = "x" * 8000
    with FakeUpstream() as up:
        before = ask(up, request({"role": "user", "content": [cached(long)]}))["usage"]
        after = ask(
            up,
            request(
                {"role": "user", "content": [{"type": "text", "text": long}]},
                {"role": "assistant", "content": "ok"},
                {"role": "user", "content": [cached(long)]},
            ),
        )["usage"]
    assert after["cache_read_input_tokens"] == before["cache_creation_input_tokens"]
    assert after["cache_creation_input_tokens"] > 0
    assert after["input_tokens"] == 0
