from __future__ import annotations

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.wire import json_values, keys, spelled, texts

from rlmc.errors import WireError
from rlmc.wire.splice import append_item, item_spans, replace_value, spans

objects = st.dictionaries(keys, json_values, max_size=5)


@given(objects.flatmap(lambda value: st.tuples(st.just(value), spelled(value))))
def test_the_spans_are_the_values(given_: tuple[dict[str, object], bytes]) -> None:
    value, raw = given_
    found = spans(raw)
    assert list(found) == list(value)
    assert {key: json.loads(raw[start:end]) for key, (start, end) in found.items()} == value


@given(st.lists(json_values, max_size=5).flatmap(lambda value: st.tuples(st.just(value), spelled(value))))
def test_the_spans_of_items_are_the_items(given_: tuple[list[object], bytes]) -> None:
    value, raw = given_
    assert [json.loads(raw[start:end]) for start, end in item_spans(raw)] == value


@pytest.mark.parametrize("raw", [b"{}", b"1", b"", b"[1", b"[1,]", b"[1 2]"])
def test_only_a_list_has_items(raw: bytes) -> None:
    with pytest.raises(WireError):
        item_spans(raw)


@given(objects, texts, json_values, st.data())
def test_a_replaced_value_changes_nothing_else(
    others: dict[str, object], key: str, new: object, data: st.DataObject
) -> None:
    value = {**others, key: {"model": "nested", "messages": []}}
    raw = data.draw(spelled(value))
    start, end = spans(raw)[key]
    changed = replace_value(raw, key, json.dumps(new).encode())
    assert changed.startswith(raw[:start])
    assert changed.endswith(raw[end:])
    assert json.loads(changed) == value | {key: new}


@given(objects, st.lists(json_values, max_size=4), json_values, st.data())
def test_an_appended_item_keeps_every_byte_before_it(
    others: dict[str, object], items: list[object], new: object, data: st.DataObject
) -> None:
    value = {**others, "messages": items}
    raw = data.draw(spelled(value))
    changed = append_item(raw, "messages", json.dumps(new).encode())
    assert json.loads(changed) == value | {"messages": [*items, new]}
    _, end = spans(raw)["messages"]
    assert changed.startswith(raw[: end - 1])
    assert changed.endswith(raw[end - 1 :])


@pytest.mark.parametrize(
    ("raw", "fault"),
    [
        (b'{"a":1,"a":2}', "twice"),
        (b'{"a":1,"b":2,"a":1}', "twice"),
        (b'{"a":[1],"\\u0061":2}', "twice"),
        (b'{"a":1,"b":22,"a":"1,\\"b\\":22"}', "twice"),
        (b'{"a":{"x":1,"b":7},"b":7,"a":"1234"}', "twice"),  # steps of the last value's size would end well
        (b'{"b":{"a":1}}', "`a` is missing"),
        (b"{}", "`a` is missing"),
        (b'[{"a":1}]', "shape"),
        (b'{"a":1', "not valid JSON"),
        (b'{"a":1}}', "not valid JSON"),
        (b'{"a":"\xff}', "UTF-8"),
        (b'"' + b"[" * 100_000, "not valid JSON"),
    ],
)
def test_what_cannot_be_found_beyond_doubt_is_refused(raw: bytes, fault: str) -> None:
    for change in (replace_value, append_item):
        with pytest.raises(WireError, match=fault):
            change(raw, "a", b"0")


def test_an_escaped_key_is_the_key_it_means() -> None:
    assert replace_value(b'{"\\u0061":1,"b":2}', "a", b"3") == b'{"\\u0061":3,"b":2}'


def test_only_a_list_takes_an_item() -> None:
    with pytest.raises(WireError, match="not a list"):
        append_item(b'{"a":{}}', "a", b"0")


@given(st.binary())
def test_any_bytes_are_a_value_or_a_wire_error(raw: bytes) -> None:
    with suppress(WireError):
        replace_value(raw, "a", b"0")
