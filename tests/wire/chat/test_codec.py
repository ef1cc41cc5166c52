"""The small ones of the codec's doings; each of the others has tests of its own."""

from __future__ import annotations

import json

import pytest

from rlmc.domain.layout import Layout
from rlmc.domain.shape import Shape
from rlmc.errors import WireError
from rlmc.wire.chat.codec import CHAT
from rlmc.wire.codec import Codec

RAW = b'{ "model":"a" , "messages":[{"role":"user","content":"hi"}] }'


def test_it_is_a_codec() -> None:
    codec: Codec = CHAT
    assert (codec.name, codec.path, codec.own_headers) == ("chat", "/v1/chat/completions", ())


def test_surgery_leaves_the_rest_as_it_was() -> None:
    assert CHAT.replace_model(RAW, "b") == RAW.replace(b'"a"', b'"b"')
    longer = CHAT.append_user_text(RAW, 'so "?"')
    assert longer.startswith(RAW[:-4])
    assert json.loads(longer)["messages"][-1] == {"role": "user", "content": 'so "?"'}


def test_there_are_no_markers_here() -> None:
    with pytest.raises(WireError):
        CHAT.add_marker(RAW, Layout((b"",), (0,), (0,), (), (0,)), 0, "5m")
    with pytest.raises(WireError):
        CHAT.prewarm_body(RAW)


def test_a_brief_request() -> None:
    shape = Shape(system_role="developer", output_limit="max_completion_tokens", max_output=50, extra={"x": 1})
    assert json.loads(CHAT.brief_body("judge", "this", "m", "low", 90, shape)) == {
        "model": "m",
        "stream": False,
        "max_completion_tokens": 50,
        "x": 1,
        "reasoning_effort": "low",
        "messages": [{"role": "developer", "content": "judge"}, {"role": "user", "content": "this"}],
    }
    off = Shape(reasoning_off={"thinking": {"type": "disabled"}})
    plain = json.loads(CHAT.brief_body("judge", "this", "m", None, 90, off))
    assert (plain["max_tokens"], plain["thinking"]) == (90, {"type": "disabled"})
    assert "reasoning_effort" not in plain


def test_answers_that_are_no_turns() -> None:
    models = json.loads(CHAT.models_body(["a", "b"]))
    assert models["object"] == "list"
    assert [(model["id"], model["object"]) for model in models["data"]] == [("a", "model"), ("b", "model")]
    assert json.loads(CHAT.count_body(5)) == {"input_tokens": 5}
    assert CHAT.ping().startswith(b":") and CHAT.ping().endswith(b"\n\n")
