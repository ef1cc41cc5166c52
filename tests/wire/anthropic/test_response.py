from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.strategies import usages
from tests.support.wire import ANSWER, fixture

from rlmc.domain.chat import Completion, Opaque, Text, ToolCall, Usage
from rlmc.errors import WireError
from rlmc.wire.anthropic.response import (
    decode_completion,
    encode_completion,
    encode_error,
    encode_stream_error,
    ping,
)


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
