from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from tests.support.wire import bodies, fixture, spelled, texts

from rlmc.domain.chat import Message, Text
from rlmc.wire import PROTOCOLS

CODEC = PROTOCOLS["anthropic"]


def test_the_text_is_one_more_user_message_behind_the_very_same_bytes() -> None:
    raw = fixture("request.json")
    changed = CODEC.append_user_text(raw, 'Please "check".')
    request = CODEC.decode_request(raw)
    end = raw.index(b'],"system":')
    assert changed[:end] == raw[:end]
    assert changed.endswith(raw[end:])
    assert CODEC.decode_request(changed).messages == (*request.messages, Message("user", (Text('Please "check".'),)))


@given(bodies.flatmap(spelled), texts)
def test_an_appended_text_keeps_all_before_it(raw: bytes, text: str) -> None:
    before = CODEC.decode_request(raw)
    changed = CODEC.append_user_text(raw, text)
    after = CODEC.decode_request(changed)
    assert after.messages == (*before.messages, Message("user", (Text(text),)))
    assert (after.fields, after.cache_markers, after.tools) == (before.fields, before.cache_markers, before.tools)


@given(bodies.flatmap(lambda body: st.tuples(st.just(body), spelled(body))), texts)
def test_only_the_model_is_replaced(given_: tuple[dict[str, Any], bytes], model: str) -> None:
    body, raw = given_
    assert json.loads(CODEC.replace_model(raw, model)) == body | {"model": model}


def test_lists_and_counts() -> None:
    assert json.loads(CODEC.count_body(42)) == {"input_tokens": 42}
    found = json.loads(CODEC.models_body(["claude-opus-5-5", "b"]))
    assert [model["id"] for model in found["data"]] == ["claude-opus-5-5", "b"]
    assert all(
        model["type"] == "model" and model["display_name"] and model["created_at"].endswith("Z")
        for model in found["data"]
    )
    assert (found["has_more"], found["first_id"], found["last_id"]) == (False, "claude-opus-5-5", "b")
    assert json.loads(CODEC.models_body([])) == {"data": [], "has_more": False, "first_id": None, "last_id": None}


def test_where_and_how_it_is_asked() -> None:
    assert CODEC.path == "/v1/messages"
    assert CODEC.own_headers == (("anthropic-version", "2023-06-01"),)
