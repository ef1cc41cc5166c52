"""The small ones of the codec's doings; each of the others has tests of its own."""

from __future__ import annotations

import json

import pytest

from rlmc.domain.chat import Failure, StreamError
from rlmc.domain.layout import Layout
from rlmc.domain.shape import Shape
from rlmc.errors import WireError
from rlmc.wire.codec import Codec
from rlmc.wire.responses.codec import RESPONSES

RAW = b'{ "model":"a" , "input":[{"role":"user","content":"hi"}] }'
ADDED = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": 'so "?"'}]}


def test_it_is_a_codec() -> None:
    codec: Codec = RESPONSES
    assert (codec.name, codec.path, codec.own_headers) == ("responses", "/v1/responses", ())


def test_surgery_leaves_the_rest_as_it_was() -> None:
    assert RESPONSES.replace_model(RAW, "b") == RAW.replace(b'"a"', b'"b"')
    longer = RESPONSES.append_user_text(RAW, 'so "?"')
    assert longer.startswith(RAW[:-4])
    assert json.loads(longer)["input"][-1] == ADDED
    (only,) = json.loads(RESPONSES.append_user_text(b'{"model":"a","input":[ ]}', 'so "?"'))["input"]
    assert only == ADDED


def test_a_text_becomes_a_list_with_it_in_front() -> None:
    raw = b'{"input" : "h\\u00e9 \\"x\\"", "model":"a"}'
    longer = RESPONSES.append_user_text(raw, 'so "?"')
    assert json.loads(longer)["input"] == [{"type": "message", "role": "user", "content": 'hé "x"'}, ADDED]
    assert b'"h\\u00e9 \\"x\\""' in longer
    assert RESPONSES.decode_request(longer).messages[0].parts[0] == RESPONSES.decode_request(raw).messages[0].parts[0]


@pytest.mark.parametrize("raw", [b"{}", b'{"input":5}', b'{"input":null}', b'{"input":"a","input":"b"}', b"["])
def test_what_nothing_can_be_added_to(raw: bytes) -> None:
    with pytest.raises(WireError):
        RESPONSES.append_user_text(raw, "x")


def test_there_are_no_markers_here() -> None:
    with pytest.raises(WireError):
        RESPONSES.add_marker(RAW, Layout((b"",), (0,), (0,), (), (0,)), 0, "5m")
    with pytest.raises(WireError):
        RESPONSES.prewarm_body(RAW)


def test_a_brief_request() -> None:
    shape = Shape(max_output=50, extra={"x": 1}, reasoning_off={"reasoning": {"effort": "none"}})
    item = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "this"}]}
    assert json.loads(RESPONSES.brief_body("judge", "this", "m", "low", 90, shape)) == {
        "model": "m",
        "stream": False,
        "store": False,
        "max_output_tokens": 50,
        "x": 1,
        "reasoning": {"effort": "low"},
        "instructions": "judge",
        "input": [item],
    }
    plain = json.loads(RESPONSES.brief_body("judge", "this", "m", None, 40, shape))
    assert (plain["max_output_tokens"], plain["reasoning"]) == (40, {"effort": "none"})
    assert "reasoning" not in json.loads(RESPONSES.brief_body("judge", "this", "m", None, 90, Shape()))


@pytest.mark.parametrize(
    ("status", "raw", "failure"),
    [
        (
            429,
            b'{"error":{"message":"slow","type":"requests","code":"rate_limit_exceeded"}}',
            Failure("rate_limit_error", "slow", "rate_limit_exceeded"),
        ),
        (
            400,
            b'{"error":{"message":"Too long","type":"invalid_request_error","code":"context_length_exceeded"}}',
            Failure("invalid_request_error", "Too long", "context_length_exceeded"),
        ),
        (400, b'{"detail":"Unsupported parameter"}', Failure("invalid_request_error", "Unsupported parameter")),
        (503, b"<html>", Failure("overloaded_error", "<html>")),
    ],
)
def test_failures_before_an_answer(status: int, raw: bytes, failure: Failure) -> None:
    assert RESPONSES.decode_failure(status, raw) == failure
    again = RESPONSES.decode_failure(status, RESPONSES.encode_failure(status, failure))
    assert (again.kind, again.message) == (failure.kind, failure.message)


def test_failures_within_a_stream() -> None:
    for status, kind in (
        (529, "overloaded_error"),
        (500, "api_error"),
        (429, "rate_limit_error"),
        (402, "billing_error"),
    ):
        decoder = RESPONSES.stream_decoder()
        assert decoder.feed(RESPONSES.encode_stream_error(status, "Busy")) == [StreamError(kind, "Busy")]
    event = RESPONSES.encode_stream_error(400, "This model's maximum context length is 5 tokens.")
    assert event.startswith(b"event: response.failed\ndata: ")
    assert json.loads(event.partition(b"data: ")[2])["response"]["error"]["code"] == "context_length_exceeded"


def test_answers_that_are_no_turns() -> None:
    models = json.loads(RESPONSES.models_body(["a", "b"]))
    assert models["object"] == "list"
    assert [(model["id"], model["object"]) for model in models["data"]] == [("a", "model"), ("b", "model")]
    assert json.loads(RESPONSES.count_body(5)) == {"object": "response.input_tokens", "input_tokens": 5}
    assert RESPONSES.ping().startswith(b":") and RESPONSES.ping().endswith(b"\n\n")
    assert json.loads(RESPONSES.encode_error(404, "No such thing"))["error"]["message"] == "No such thing"
