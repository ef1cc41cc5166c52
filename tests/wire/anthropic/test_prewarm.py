from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.wire import bodies, fixture, spelled

from rlmc.errors import WireError
from rlmc.wire.anthropic.prewarm import prewarm_body
from rlmc.wire.anthropic.request import decode_request

Json = dict[str, Any]


def request(**fields: Any) -> bytes:
    return json.dumps(
        {"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "hi"}]} | fields
    ).encode()


def test_only_the_length_and_the_stream_change() -> None:
    raw = b'{ "stream" : true , "model":"m","max_tokens": 32000, "messages":[{"content":"a","role":"user"}]}'
    assert prewarm_body(raw) == raw.replace(b"true", b"false").replace(b"32000", b"0")
    whole = b'{"model":"m","messages":[],"max_tokens":1}'
    assert prewarm_body(whole) == b'{"model":"m","messages":[],"max_tokens":0}'


@pytest.mark.parametrize(
    "fields",
    [
        {"thinking": {"type": "enabled", "budget_tokens": 1024}},
        {"output_config": {"format": {"type": "json_schema", "schema": {}}}},
        {"output_format": {"type": "json_schema", "schema": {}}},
        {"tool_choice": {"type": "any"}},
        {"tool_choice": {"type": "tool", "name": "Read"}},
        {"compaction": {"type": "summarize"}},
        {"safeguards": [{"type": "dangerous_tool_use"}]},
    ],
)
def test_what_the_api_refuses_has_no_such_form(fields: Json) -> None:
    with pytest.raises(WireError, match="only warms the cache"):
        prewarm_body(request(**fields))


@pytest.mark.parametrize(
    "fields",
    [
        {"thinking": {"type": "adaptive"}, "output_config": {"effort": "low"}, "tool_choice": {"type": "auto"}},
        {"thinking": None, "output_config": None, "tool_choice": None, "compaction": None, "safeguards": []},
        {"output_config": {"format": None}, "tool_choice": {"type": "none"}, "thinking": {"type": "disabled"}},
    ],
)
def test_what_the_api_takes(fields: Json) -> None:
    assert json.loads(prewarm_body(request(**fields))) == json.loads(request(**fields)) | {"max_tokens": 0}


def test_a_coding_agents_request_is_the_same_prompt() -> None:
    raw = fixture("request.json").replace(
        b'"safeguards":[{"type":"dangerous_tool_use","classifier_context":{"v":1}}],', b""
    )
    warm = prewarm_body(raw)
    assert decode_request(warm).layout == decode_request(raw).layout
    assert (decode_request(warm).max_tokens, decode_request(warm).stream) == (0, False)


def test_a_request_that_says_no_length_has_none_to_change() -> None:
    with pytest.raises(WireError, match="`max_tokens` is missing"):
        prewarm_body(b'{"model":"m","messages":[]}')


@given(bodies, st.data())
def test_the_request_but_for_two_fields(body: Json, data: st.DataObject) -> None:
    with suppress(WireError):
        warm = json.loads(prewarm_body(data.draw(spelled(body))))
        assert warm == body | {"max_tokens": 0} | ({"stream": False} if "stream" in body else {})


@given(st.binary(max_size=100))
def test_any_bytes_are_a_value_or_a_wire_error(raw: bytes) -> None:
    with suppress(WireError):
        prewarm_body(raw)
