"""Changes to a request's bytes: the result is JSON, says what it said but for the change, and not a byte before the
change is another."""

from __future__ import annotations

import json
from typing import Any

from tests.fuzz.target import Target

from rlmc.errors import WireError
from rlmc.wire import PROTOCOLS, Codec
from rlmc.wire.anthropic.codec import ANTHROPIC
from rlmc.wire.splice import item_spans, span, spans

_WORDS = 'words, "é🦊"\n'
_LISTS = {"anthropic": "messages", "chat": "messages", "responses": "input"}


def run(data: bytes) -> bool:
    value = _value(data)
    taken = _found(data, value)
    for codec in PROTOCOLS.values():
        _another_model(codec, data, value)
        _more_text(codec, data, value)
    _marked(data, value)
    _items(data, value)
    return taken


def _value(data: bytes) -> Any:
    """None for what is no JSON, and what Python's reader does not take: thousands of digits, deep nesting."""
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        return None


def _found(data: bytes, value: Any) -> bool:
    try:
        found = spans(data)
    except WireError:
        return False
    if value is not None:
        assert list(found) == list(value)
        assert {key: json.loads(data[start:end]) for key, (start, end) in found.items()} == value
    return True


def _items(data: bytes, value: Any) -> None:
    try:
        found = item_spans(data)
    except WireError:
        return
    if value is not None:
        assert [json.loads(data[start:end]) for start, end in found] == value


def _another_model(codec: Codec, data: bytes, value: Any) -> None:
    try:
        changed = codec.replace_model(data, _WORDS)
    except WireError:
        return
    start, end = span(data, "model")
    assert changed[:start] == data[:start]
    assert changed.endswith(data[end:])
    if value is not None:
        assert json.loads(changed) == value | {"model": _WORDS}


def _more_text(codec: Codec, data: bytes, value: Any) -> None:
    key = _LISTS[codec.name]
    try:
        changed = codec.append_user_text(data, _WORDS)
    except WireError:
        return
    start, end = span(data, key)
    assert changed[:start] == data[:start]
    assert changed.endswith(data[end:])
    if value is None:
        return
    new = json.loads(changed)
    assert {**new, key: None} == {**value, key: None}
    assert _WORDS in _texts(new[key][-1])
    if isinstance(value[key], list):
        assert changed[: end - 1] == data[: end - 1]
        assert new[key][:-1] == value[key]


def _texts(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [text for one in inner for text in _texts(one)]


def _marked(data: bytes, value: Any) -> None:
    try:
        layout = ANTHROPIC.decode_request(data).layout
        changed = ANTHROPIC.add_marker(data, layout, len(layout.digests) - 1, "5m")
    except WireError:
        return
    put_in = len(changed) - len(data)
    assert put_in > 0
    assert (
        changed.count(b'"cache_control":{"type":"ephemeral"}')
        == data.count(b'"cache_control":{"type":"ephemeral"}') + 1
    )
    again = ANTHROPIC.decode_request(changed)
    assert again.layout.digests == layout.digests
    assert len(again.layout.marks) == len(layout.marks) + 1
    if value is not None:
        assert _without_markers(json.loads(changed)) == _without_markers(value)


def _without_markers(value: Any) -> Any:
    """The request without any marker, and a message's only text as the text itself."""
    if isinstance(value, dict):
        return {key: _without_markers(one) for key, one in value.items() if key != "cache_control"}
    if isinstance(value, list):
        inner = [_without_markers(one) for one in value]
        alone = inner[0] if len(inner) == 1 else None
        if isinstance(alone, dict) and alone.keys() == {"type", "text"} and alone["type"] == "text":
            return alone["text"]
        return inner
    return value


TARGETS = (
    Target(
        "splice",
        run,
        (b'"model":"m",', b'"model":null,', b'"messages":[],', b'"messages":[', b'"input":"x",', b'"input":[],', b'"max_tokens":1,',
         b'"\\u006dodel":"x",', b'"messages":{},', b" ", b"\n", b"\t", b",", b":", b"[", b"]", b"{", b"}", b'"a":', b'"\\\\"',
         b'{"role":"user","content":"x"}', b'{"role":"user","content":[{"type":"text","text":"x"}]}', b'"cache_control":{"type":"ephemeral"},',
         b'{"type":"tool_result","tool_use_id":"t","content":[]}', b'"content":"",', b'"clear_at":1,'),
        500,
    ),
)  # fmt: skip
