from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from tests.support.wire import bodies, fixture, spelled

from rlmc.domain.layout import Layout, Lifetime
from rlmc.errors import WireError
from rlmc.wire.anthropic.marker import add_marker
from rlmc.wire.anthropic.request import decode_request

Json = dict[str, Any]

MARKERS: dict[Lifetime, Json] = {"5m": {"type": "ephemeral"}, "1h": {"type": "ephemeral", "ttl": "1h"}}


def encode(*messages: Json, **fields: Any) -> bytes:
    return json.dumps({"model": "m", "messages": list(messages), **fields}, separators=(",", ":")).encode()


def said(*blocks: Json | str, role: str = "user", **more: Any) -> Json:
    content = blocks[0] if len(blocks) == 1 and isinstance(blocks[0], str) else list(blocks)
    return {"role": role, "content": content, **more}


def text(words: str, ttl: Lifetime | None = None) -> Json:
    return {"type": "text", "text": words} | ({"cache_control": MARKERS[ttl]} if ttl else {})


def marked(raw: bytes, block: int, ttl: Lifetime = "5m") -> bytes:
    return add_marker(raw, decode_request(raw).layout, block, ttl)


def test_a_block_gets_its_marker_behind_all_it_has() -> None:
    content = b'[{"type":"text","text":"a"} , {"text":"b","type":"text" }]'
    raw = b'{"messages":[{"content":' + content + b',"role":"user"}],"model":"m"}'
    assert marked(raw, 1) == raw.replace(b'"text" }', b'"text" ,"cache_control":{"type":"ephemeral"}}')
    assert marked(raw, 0, "1h") == raw.replace(b'"a"}', b'"a","cache_control":{"type":"ephemeral","ttl":"1h"}}')


def test_a_string_becomes_a_block_of_the_very_same_bytes() -> None:
    raw = b'{"model":"m","messages":[{"content": "a\\u00e9\\n\xc3\xa9" ,"role":"user"}]}'
    assert marked(raw, 0) == (
        b'{"model":"m","messages":[{"content": [{"type":"text","text":"a\\u00e9\\n\xc3\xa9",'
        b'"cache_control":{"type":"ephemeral"}}] ,"role":"user"}]}'
    )


def test_blocks_are_counted_from_the_start_of_the_prompt() -> None:
    raw = fixture("request.json").replace(b',"ttl":"1h"', b"")
    changed = json.loads(marked(raw, 10))
    assert changed["messages"][3]["content"][0]["cache_control"] == MARKERS["5m"]


CALL = {"type": "tool_use", "id": "t", "name": "Read", "input": {}}
RESULT = {"type": "tool_result", "tool_use_id": "t", "content": "x"}
IMAGE = {"type": "image", "source": {"type": "url", "url": "u"}}


@pytest.mark.parametrize("block", [text("a"), CALL, RESULT, IMAGE, {"type": "document", "source": {}}])
def test_what_can_carry_a_marker(block: Json) -> None:
    changed = json.loads(marked(encode(said(block)), 0))
    assert changed["messages"][0]["content"] == [block | {"cache_control": MARKERS["5m"]}]


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (encode(said({"type": "thinking", "thinking": "x", "signature": "s"})), "takes no marker"),
        (encode(said({"type": "redacted_thinking", "data": "x"})), "takes no marker"),
        (encode(said({"type": "block_of_tomorrow"})), "takes no marker"),
        (encode(said(text("\n"))), "blank"),
        (encode(said("")), "blank"),
        (encode(said(text("a", "5m"))), "already"),
        (encode(said(text("a") | {"cache_control": None})), "already"),
        (encode(said(RESULT | {"content": [text("a", "5m")]})), "already"),
        (encode(said("a"), cache_control=MARKERS["5m"]), "already"),
        (encode(said("a"), said(text("b", "5m"), text("c", "5m")), *[said(text("d", "5m"))] * 2), "4 markers"),
        (encode(said("a"), system=[text("x-anthropic-billing-header: 1;", "5m")]), "not known"),
        (encode(said("a", clear_at="next_user_message", role="system")), "no marker"),
        (encode(), "in no message"),
        (encode(system="s"), "in no message"),
        (b'{"model":"m","messages":[{"role":"user","role":"user","content":"a"}]}', "twice"),
        (b'{"model":"m","messages":[],"messages":[{"role":"user","content":"a"}]}', "twice"),
    ],
)
def test_where_there_can_be_none(raw: bytes, why: str) -> None:
    with pytest.raises(WireError, match=why):
        marked(raw, 0)


def test_longer_lifetimes_stand_before_shorter_ones() -> None:
    short, long = encode(said(text("a")), said(text("b", "5m"))), encode(said(text("a")), said(text("b", "1h")))
    assert marked(short, 0, "1h")
    assert marked(short, 0, "5m")
    assert marked(long, 0, "1h")
    with pytest.raises(WireError, match="longer"):
        marked(long, 0, "5m")
    with pytest.raises(WireError, match="shorter"):
        marked(encode(said(text("a", "5m")), said(text("b"))), 1, "1h")
    with pytest.raises(WireError, match="longer"):
        marked(encode(said(text("a"), text("b")), cache_control=MARKERS["1h"]), 0, "5m")


@pytest.mark.parametrize("block", [-1, 2, 99])
def test_no_block_of_the_prompt(block: int) -> None:
    with pytest.raises(WireError, match="in no message"):
        marked(encode(said("a"), said("b")), block)


@pytest.mark.parametrize("other", [encode(said("a")), encode(said("a"), said("b"), said("c"))])
def test_the_layout_of_another_request(other: bytes) -> None:
    layout = decode_request(encode(said("a"), said(text("b"), text("c")))).layout
    with pytest.raises(WireError, match="laid out"):
        add_marker(other, layout, 0, "5m")
    with pytest.raises(WireError, match="laid out"):
        add_marker(encode(said("a"), said(text("b"))), layout, 2, "5m")


def _read(raw: bytes) -> list[Json]:
    """The messages, strings as blocks."""
    messages = json.loads(raw)["messages"]
    for message in messages:
        if isinstance(message["content"], str):
            message["content"] = [{"type": "text", "text": message["content"]}]
    return list(messages)


@given(bodies, st.integers(0, 30), st.sampled_from(["5m", "1h"]), st.data())
def test_a_marker_changes_nothing_else(body: Json, block: int, ttl: Lifetime, data: st.DataObject) -> None:
    raw = data.draw(spelled(body))
    layout = decode_request(raw).layout
    assume(layout.messages)
    block = layout.messages[0] + block % max(1, len(layout.digests) - layout.messages[0])
    try:
        changed = add_marker(raw, layout, block, ttl)
    except WireError:
        return
    place = layout.place(block)
    assert place is not None
    message, number = place
    after = json.loads(changed)
    # The marker is there, and without it all is as it was.
    assert after["messages"][message]["content"][number]["cache_control"] == MARKERS[ttl]
    content = _read(changed)
    del content[message]["content"][number]["cache_control"]
    assert content == _read(raw)
    assert {k: v for k, v in after.items() if k != "messages"} == {k: v for k, v in body.items() if k != "messages"}
    assert _taken_out(changed, raw, MARKERS[ttl]) == raw
    # And to the cache it is the same prompt.
    seen = decode_request(changed).layout
    assert (seen.digests, seen.chars, seen.positions) == (layout.digests, layout.chars, layout.positions)
    assert dict(seen.marks) == dict(layout.marks) | {block: ttl}
    assert seen.markers == layout.markers + 1 <= 4
    assert _in_order(seen) or not _in_order(layout)


def _taken_out(changed: bytes, raw: bytes, marker: Json) -> bytes:
    """The changed bytes without what was put in at the first place where they differ, and nothing else."""
    at = next(n for n, (a, b) in enumerate(zip(raw, changed, strict=False)) if a != b)
    added = b',"cache_control":' + json.dumps(marker, separators=(",", ":")).encode()
    opening = b'[{"type":"text","text":'
    if changed.startswith(opening, at):
        changed = changed[:at] + changed[at + len(opening) :]
        at, added = changed.index(added + b"}]", at), added + b"}]"
    assert changed.startswith(added, at)
    return changed[:at] + changed[at + len(added) :]


def _in_order(layout: Layout) -> bool:
    lifetimes = [lifetime for _, lifetime in layout.marks]
    return lifetimes == sorted(lifetimes)  # "1h" before "5m"


@given(st.binary(max_size=100), st.integers(0, 3))
def test_any_bytes_are_a_value_or_a_wire_error(raw: bytes, block: int) -> None:
    layout = Layout((b"", b""), (0, 0), (0, 1), (), (0,), 0)
    with pytest.raises(WireError):
        add_marker(raw, layout, block, "5m")
