"""A request that goes on from another is read as if there had been none before it, in every protocol."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rlmc.domain.chat import ChatRequest
from rlmc.errors import WireError
from rlmc.wire import PROTOCOLS
from rlmc.wire.codec import Codec

Json = dict[str, Any]

every_codec = pytest.mark.parametrize("codec", PROTOCOLS.values(), ids=PROTOCOLS.keys())

KEY = b"k" * 32
MARK = {"cache_control": {"type": "ephemeral"}}
PNG = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "aGk="}}
LIST = {"anthropic": "messages", "chat": "messages", "responses": "input"}


def result(content: Any, **more: Any) -> Json:
    return {"type": "tool_result", "tool_use_id": "toolu_1", "content": content} | more


_ANTHROPIC = (
    {"role": "user", "content": "Look."},
    {"role": "user", "content": [{"type": "text", "text": 'naïve "x" ]}, {'}, {"type": "text", "text": "b"} | MARK]},
    {"role": "assistant", "content": [{"type": "tool_use", "id": "toolu_1", "name": "Read", "input": {"a": [1]}}]},
    {"role": "assistant", "content": [{"type": "thinking", "thinking": "hm", "signature": "s"}]},
    {"role": "user", "content": [result("1\n2"), result([{"type": "text", "text": "three"} | MARK], is_error=True)]},
    {"role": "user", "content": [result([{"type": "tool_reference", "tool_name": "Late"}])]},
    {"role": "user", "content": [result([{"type": "tool_reference", "tool_name": "bash"}])]},
    {"role": "user", "content": [PNG, {"type": "text", "text": "What is it?"}]},
    {"role": "user", "content": [result([PNG])]},
    {"role": "user", "content": [{"type": "new_block", "x": {"y": "messages"}, **MARK}]},
    {"role": "system", "content": "An operator's word."},
    {"role": "user", "content": [], "clear_at": "now"},
)
_CHAT = (
    {"role": "system", "content": "Be brief."},
    {"role": "developer", "content": [{"type": "text", "text": "Be good."}]},
    {"role": "user", "content": "Look."},
    {
        "role": "user",
        "content": [{"type": "text", "text": "naïve ]}, {"}, {"type": "image_url", "image_url": {"url": "u"}}],
    },
    {
        "role": "assistant",
        "content": None,
        "tool_calls": [{"id": "c1", "function": {"name": "Read", "arguments": "{}"}}],
    },
    {"role": "assistant", "content": "Yes.", "reasoning_content": "hm"},
    {"role": "assistant", "function_call": {"name": "Read", "arguments": "{}"}},
    {"role": "function", "name": "Read", "content": "old"},
    {"role": "tool", "tool_call_id": "c1", "content": "1\n2"},
    {"role": "tool", "tool_call_id": "c2", "content": [{"type": "text", "text": "three"}]},
    {"role": "assistant", "refusal": "No."},
    {"role": "user", "content": ""},
)
_RESPONSES = (
    {"role": "developer", "content": "Be brief."},
    {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "naïve ]}, {"}]},
    {"role": "user", "content": [{"type": "input_image", "image_url": "u"}]},
    {"type": "function_call", "call_id": "c1", "name": "read", "arguments": "{}"},
    {"type": "function_call", "call_id": "c3", "namespace": "fs", "name": "read", "arguments": "{}"},
    {"type": "custom_tool_call", "call_id": "c2", "name": "exec", "input": "x"},
    {"type": "function_call_output", "call_id": "c1", "output": "1\n2"},
    {"type": "custom_tool_call_output", "call_id": "c2", "output": [{"type": "input_text", "text": "three"}]},
    {"type": "reasoning", "summary": [{"type": "summary_text", "text": "hm"}], "encrypted_content": "abc"},
    {"type": "additional_tools", "tools": [{"type": "namespace", "name": "fs", "tools": [{"name": "read"}]}]},
    {"type": "additional_tools", "tools": [{"type": "web_search"}, {"type": "local_shell"}]},
    {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Yes."}]},
    {"type": "new_item", "call_id": "c9"},
)
ITEMS = {"anthropic": _ANTHROPIC, "chat": _CHAT, "responses": _RESPONSES}

_TOOLS = [{"name": "Read", "description": "Reads.", "input_schema": {"type": "object"}}]
_AROUND: dict[str, tuple[Json, ...]] = {
    "anthropic": (
        {"system": "You are.", "tools": _TOOLS},
        {"system": [{"type": "text", "text": "x-anthropic-billing-header: a"}, {"type": "text", "text": "b"} | MARK]},
        {"system": [{"type": "text", "text": "x-anthropic-billing-header: c"}, {"type": "text", "text": "b"} | MARK]},
        {"tools": [*_TOOLS, {"name": "Late", "description": "1", "defer_loading": True}]},
        {"tools": [*_TOOLS, {"name": "Late", "description": "2", "defer_loading": True}]},
        {"tools": [{"type": "bash_20250124", "name": "bash", "defer_loading": True}]},
        {"cache_control": {"type": "ephemeral", "ttl": "1h"}},
        {"max_tokens": 7, "stream": True, "thinking": {"type": "adaptive"}},
        {"tool_choice": {"type": "any"}, "brand_new": [1]},
        {},
    ),
    "chat": (
        {"tools": [{"type": "function", "function": {"name": "Read", "parameters": {}}}]},
        {"response_format": {"type": "json_object"}},
        {"n": 2, "stream": True},
        {"audio": {"voice": "x"}, "brand_new": [1]},
        {},
    ),
    "responses": (
        {"instructions": "You are.", "tools": [{"type": "function", "name": "read", "parameters": {}}]},
        {"tools": [{"type": "namespace", "name": "fs", "tools": [{"type": "function", "name": "read"}]}]},
        {"text": {"format": {"type": "json_object"}}, "store": False},
        {"previous_response_id": "r1", "stream": True},
        {},
    ),
}


@st.composite
def bodies(draw: st.DrawFn, name: str) -> tuple[Json, Json]:
    """What stands before the list, with the list, and what stands behind it."""
    items = draw(st.lists(st.sampled_from(ITEMS[name]), min_size=1, max_size=7))
    before, behind = draw(st.sampled_from(_AROUND[name])), draw(st.sampled_from(_AROUND[name]))
    head = {"model": "m"} | (before if draw(st.booleans()) else {}) | {LIST[name]: items}
    return copy.deepcopy(head), {k: v for k, v in behind.items() if k not in head}


@st.composite
def next_of(draw: st.DrawFn, name: str, body: tuple[Json, Json]) -> tuple[Json, Json]:
    """The request after this one: longer, mostly, and now and then changed in some other place."""
    head, tail = copy.deepcopy(body)
    items = head[LIST[name]]
    for change in draw(
        st.lists(st.sampled_from(["longer", "longer", "last", "drop", "tail", "head", "mark"]), max_size=3)
    ):
        if change == "longer":
            items += draw(st.lists(st.sampled_from(ITEMS[name]), min_size=1, max_size=3))
        elif change == "last" and items:
            items[-1] = draw(st.sampled_from(ITEMS[name]))
        elif change == "drop":
            del items[draw(st.integers(0, len(items))) :]
        elif change == "tail":
            tail = {k: v for k, v in draw(st.sampled_from(_AROUND[name])).items() if k not in head}
        elif change == "head":
            head["model"] += "x"
        elif items and isinstance(items[-1].get("content"), list):
            content = copy.deepcopy(items[-1])
            for block in content["content"]:
                _ = block.pop("cache_control", None) or block.update(MARK)
            items[-1] = content
    return head, tail


@st.composite
def conversations(draw: st.DrawFn, name: str) -> list[bytes]:
    """The requests of one, some of them broken or with a member twice."""
    body = draw(bodies(name))
    style = draw(st.sampled_from([{"separators": (",", ":")}, {}, {"indent": 1}, {"ensure_ascii": False}]))
    found = []
    for _ in range(draw(st.integers(2, 4))):
        raw = json.dumps(body[0] | body[1], **style).encode()
        if draw(st.integers(0, 9)) == 0:
            twice = draw(st.sampled_from([f',"{LIST[name]}":[]}}', ',"model":"z"}', ',"m\\u006fdel":"z"}', "}", ",}"]))
            raw = raw[:-1] + twice.encode()
        if draw(st.integers(0, 9)) == 0:
            at = draw(st.integers(0, len(raw) - 1))
            raw = raw[:at] + draw(st.sampled_from([b"", b",", b"]", b"}", b'"', b" ", b"\xff", b"0"])) + raw[at + 1 :]
        found.append(raw)
        body = draw(next_of(name, body))
    return found


def read(codec: Codec, raw: bytes, before: tuple[ChatRequest, ...] = (), key: bytes = KEY) -> ChatRequest | str:
    try:
        return codec.decode_request(raw, key, before)
    except WireError as error:
        return f"{type(error).__name__}: {error}"


@every_codec
@given(data=st.data())
def test_what_was_before_changes_nothing(codec: Codec, data: st.DataObject) -> None:
    known: tuple[ChatRequest, ...] = ()
    for raw in data.draw(conversations(codec.name)):
        found = read(codec, raw, known)
        assert found == read(codec, raw)
        if isinstance(found, ChatRequest):
            known = (found, *known)


@every_codec
def test_only_what_is_new_is_read(codec: Codec) -> None:
    name = LIST[codec.name]
    items = [ITEMS[codec.name][n] for n in (2, 4, 5, 2, 4, 5)]
    one, other = (json.dumps({"model": "m", name: items[:n]} | _AROUND[codec.name][0]).encode() for n in (4, 6))
    before = codec.decode_request(one, KEY)
    after = codec.decode_request(other, KEY, (before,))
    shared = [x is y for x, y in zip(before.messages, after.messages, strict=False)]
    assert shared[:-1] and all(shared[:-1]), "what was read before is taken over, save what may have gone on"
    assert after.tools is before.tools


@every_codec
def test_another_key_shares_nothing(codec: Codec) -> None:
    raw = json.dumps({"model": "m", LIST[codec.name]: list(ITEMS[codec.name][2:5])}).encode()
    before = codec.decode_request(raw, b"a" * 32)
    assert read(codec, raw, (before,), b"b" * 32) == read(codec, raw, (), b"b" * 32) != before


@every_codec
def test_the_first_that_it_goes_on_from_is_found_among_several(codec: Codec) -> None:
    name, items = LIST[codec.name], ITEMS[codec.name]
    others = [codec.decode_request(json.dumps({"model": m, name: list(items[2:5])}).encode(), KEY) for m in ("x", "m")]
    raw = json.dumps({"model": "m", name: list(items[2:7])}).encode()
    found = codec.decode_request(raw, KEY, others)
    assert found == codec.decode_request(raw, KEY)
    assert found.messages[0] is others[1].messages[0]
