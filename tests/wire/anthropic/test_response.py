from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.strategies import usages
from tests.support.wire import ANSWER, Json, event, fixture, json_values

from rlmc.domain.chat import BlockStopped, Completion, Opaque, Text, Thinking, ToolCall, Usage
from rlmc.errors import WireError
from rlmc.wire.anthropic.response import (
    decode_completion,
    encode_completion,
    encode_error,
    encode_stream_error,
    ping,
)
from rlmc.wire.anthropic.stream import AnswerDecoder


def test_a_whole_answer() -> None:
    assert decode_completion(fixture("answer.json")) == ANSWER


def test_what_the_client_gets_is_a_message_without_reasoning() -> None:
    usage = Usage(input=5, cache_read=6, cache_write_5m=7, cache_write_1h=8, output=9)
    raw = encode_completion(replace(ANSWER, parts=(*ANSWER.parts, Opaque("fallback"), Text(" \n"))), usage)
    assert b'"input":{"file_path":"/p/a.txt","limit":2.0}' in raw
    assert json.loads(raw) == {
        "model": "claude-opus-5-5",
        "id": "msg_01",
        "type": "message",
        "role": "assistant",
        "content": [
            {"type": "text", "text": "I will read it."},
            {"type": "tool_use", "id": "toolu_11", "name": "Read", "input": {"file_path": "/p/a.txt", "limit": 2.0}},
        ],
        "stop_reason": "tool_use",
        "stop_sequence": None,
        "usage": {
            "input_tokens": 5,
            "cache_creation_input_tokens": 15,
            "cache_read_input_tokens": 6,
            "cache_creation": {"ephemeral_5m_input_tokens": 7, "ephemeral_1h_input_tokens": 8},
            "output_tokens": 9,
        },
    }


@pytest.mark.parametrize(
    ("block", "kept"),
    [
        ({"type": "thinking", "thinking": "Hm", "signature": "c2ln", "news": 1}, {"signature": "c2ln"}),
        ({"type": "thinking", "thinking": "Hm"}, {"signature": ""}),
        ({"type": "thinking", "thinking": "Hm", "signature": None}, {"signature": ""}),
        ({"type": "thinking", "thinking": "", "signature": "c2ln"}, {"thinking": "", "signature": "c2ln"}),
        ({"type": "redacted_thinking", "data": "eA=="}, {"type": "redacted_thinking", "data": "eA=="}),
    ],
)
def test_reasoning_is_kept_as_its_writer_wants_it_back(block: Json, kept: Json) -> None:
    """The same whether the answer comes whole or as a stream."""
    whole = decode_completion(json.dumps({"type": "message", "content": [block]}).encode()).parts[0]
    stream = event({"type": "content_block_start", "index": 0, "content_block": block})
    stopped = AnswerDecoder().feed(stream + event({"type": "content_block_stop", "index": 0}))[-1]
    assert stopped == BlockStopped(0, whole)
    assert isinstance(whole, Thinking)
    assert whole.chars == len(block.get("thinking", ""))
    thinking = {"type": "thinking", "thinking": "Hm"} if block["type"] == "thinking" else {}
    assert json.loads(whole.block) == thinking | kept


@pytest.mark.parametrize("arguments", ["{", "[]", '"x"', "null"])
def test_arguments_that_are_no_object_are_refused(arguments: str) -> None:
    with pytest.raises(WireError, match="'Read'"):
        encode_completion(replace(ANSWER, parts=(ToolCall("t", "Read", arguments),)), Usage())


def test_no_arguments_are_an_empty_object() -> None:
    raw = encode_completion(replace(ANSWER, parts=(ToolCall("t", "Read", ""),)), Usage())
    assert json.loads(raw)["content"][0]["input"] == {}


@pytest.mark.parametrize(
    ("raw", "fault"),
    [
        (b"<html>sign in</html>", "not valid JSON"),
        (b"", "not valid JSON"),
        (b'{"type":"error","error":{"type":"overloaded_error","message":"Busy"}}', "overloaded_error: Busy"),
        (b'{"error":{"message":"No","type":"x","param":null,"code":"c"}}', "x: No"),
        (b'{"input_tokens":5}', "no message"),
        (b'{"type":"model","content":[]}', "no message"),
        (b"[]", "shape"),
    ],
)
def test_what_is_no_answer_is_refused(raw: bytes, fault: str) -> None:
    with pytest.raises(WireError, match=fault):
        decode_completion(raw)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, "invalid_request_error"),
        (401, "authentication_error"),
        (403, "permission_error"),
        (404, "not_found_error"),
        (413, "request_too_large"),
        (418, "invalid_request_error"),
        (429, "rate_limit_error"),
        (500, "api_error"),
        (502, "api_error"),
        (503, "overloaded_error"),
        (504, "timeout_error"),
        (529, "overloaded_error"),
    ],
)
def test_errors_speak_the_protocol(status: int, kind: str) -> None:
    expected = {"type": "error", "error": {"type": kind, "message": 'It "broke".'}}
    assert json.loads(encode_error(status, 'It "broke".')) == expected


def test_events_outside_an_answer() -> None:
    assert ping() == b'event: ping\ndata: {"type":"ping"}\n\n'
    name, data = encode_stream_error("overloaded_error", "Busy").split(b"\n")[:2]
    assert name == b"event: error"
    assert json.loads(data.removeprefix(b"data: "))["error"] == {"type": "overloaded_error", "message": "Busy"}


@given(st.lists(st.sampled_from([Text("a"), Text("é\n"), ToolCall("i", "Read", '{"a":[1.0]}')])).map(tuple), usages)
def test_what_is_encoded_decodes(parts: tuple[Text | ToolCall, ...], usage: Usage) -> None:
    completion = Completion("m", parts, "end_turn", usage, "msg_1")
    assert decode_completion(encode_completion(completion, usage)) == completion


@given(st.one_of(st.binary(), st.integers(0, 700).map(lambda n: fixture("answer.json")[:n])))
def test_any_bytes_are_an_answer_or_a_wire_error(raw: bytes) -> None:
    with suppress(WireError):
        decode_completion(raw)


@given(st.sampled_from(["type", "content", "usage", "stop_reason", "id", "error"]), json_values)
def test_a_strange_answer_is_an_answer_or_a_wire_error(field: str, value: object) -> None:
    with suppress(WireError):
        decode_completion(json.dumps(json.loads(fixture("answer.json")) | {field: value}).encode())


@given(
    st.sampled_from(["type", "thinking", "signature", "data", "text", "input", "id", "name", "content"]), json_values
)
def test_so_is_one_with_strange_blocks(field: str, value: object) -> None:
    body = json.loads(fixture("answer.json"))
    body["content"] = [block | {field: value} for block in body["content"]]
    with suppress(WireError):
        decode_completion(json.dumps(body).encode())
    events = b"".join(
        event({"type": "content_block_start", "index": n, "content_block": block})
        + event({"type": "content_block_stop", "index": n})
        for n, block in enumerate(body["content"])
    )
    AnswerDecoder().feed(events)
