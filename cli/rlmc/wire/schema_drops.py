"""A JSON Schema without the keywords a provider refuses."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from typing import Any

import msgspec

from rlmc.errors import WireError
from rlmc.wire.parse import parse

_ANY = msgspec.json.Decoder()

# Under these stand names of the client's own, which may well be spelled like keywords; what they name are schemas.
_NAMES = frozenset({"properties", "patternProperties", "$defs", "definitions", "dependentSchemas"})
# Under these stands data.
_DATA = frozenset({"enum", "const", "default", "examples"})


def without_keywords(schema: bytes, dropped: AbstractSet[str]) -> msgspec.Raw:
    """The schema; its own bytes where nothing is dropped, or it cannot be read."""
    if not dropped or not any(word.encode() in schema for word in dropped):
        return msgspec.Raw(schema)
    try:
        return msgspec.Raw(msgspec.json.encode(_kept(parse(_ANY, schema, "A schema"), dropped)))
    except (WireError, RecursionError):
        return msgspec.Raw(schema)


def _kept(value: Any, dropped: AbstractSet[str]) -> Any:
    if isinstance(value, list):
        return [_kept(item, dropped) for item in value]
    if not isinstance(value, dict):
        return value
    kept: dict[str, Any] = {}
    for name, inner in value.items():
        if name in dropped:
            continue
        if name in _NAMES and isinstance(inner, dict):
            kept[name] = {own: _kept(schema, dropped) for own, schema in inner.items()}
        else:
            kept[name] = inner if name in _DATA else _kept(inner, dropped)
    return kept
