from __future__ import annotations

import json

from hypothesis import given
from tests.support.wire import json_values

from rlmc.wire.schema_drops import without_keywords

DROPS = frozenset({"format", "$schema", "default"})


def test_keywords_go_wherever_they_stand_and_names_and_data_stay() -> None:
    schema = {
        "$schema": "x",
        "properties": {"format": {"type": "string", "format": "uri"}, "default": {"default": 1}},
        "anyOf": [{"format": "date"}, {"enum": [{"format": "kept"}]}],
        "$defs": {"$schema": {"items": {"default": None}}},
    }
    assert json.loads(bytes(without_keywords(json.dumps(schema).encode(), DROPS))) == {
        "properties": {"format": {"type": "string"}, "default": {}},
        "anyOf": [{}, {"enum": [{"format": "kept"}]}],
        "$defs": {"$schema": {"items": {}}},
    }


@given(json_values)
def test_where_nothing_is_dropped_the_bytes_stay(value: object) -> None:
    raw = json.dumps(value, indent=1).encode()
    assert bytes(without_keywords(raw, frozenset())) == raw
    assert bytes(without_keywords(raw, frozenset({"no-such-word"}))) == raw


def test_what_is_nested_too_deeply_stays_as_it_is() -> None:
    raw = b'{"format":' + b"[" * 5_000 + b"]" * 5_000 + b"}"
    assert bytes(without_keywords(raw, DROPS)) == raw
