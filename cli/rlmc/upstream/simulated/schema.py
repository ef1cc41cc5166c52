"""An instance for a JSON Schema: the smallest value that fits the schemas tools and answer formats really use.

Not a validator. Text fields get the words the caller has for them, by property name, or a neutral placeholder.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

PLACEHOLDER = "simulated"
_DEEPEST = 64
_LONGEST = 10_000
_HUGE = 2**53


def fill(schema: object, known: Mapping[str, Any], *, name: str = "", depth: int = 0) -> Any:
    """A value for `schema`. `known` holds values by property name, used wherever such a property is met. A schema that
    makes no sense gets the placeholder."""
    if not isinstance(schema, Mapping) or depth > _DEEPEST:
        return PLACEHOLDER
    if "const" in schema:
        return schema["const"]
    choices = schema.get("enum")
    if isinstance(choices, list) and choices:
        return known[name] if name in known and known[name] in choices else choices[0]
    for variants in ("anyOf", "oneOf", "allOf"):
        if isinstance(schema.get(variants), list) and schema[variants]:
            return fill(schema[variants][0], known, name=name, depth=depth + 1)
    kind = schema.get("type")
    if isinstance(kind, list):
        kind = next((k for k in kind if k != "null"), "null")
    match kind:
        case "object":
            return _object(schema, known, depth)
        case None if "properties" in schema:
            return _object(schema, known, depth)
        case "array":
            element = fill(schema.get("items", {}), known, name=name, depth=depth + 1)
            return [element] * min(_whole(schema.get("minItems"), 0), _LONGEST)
        case "boolean":
            return False
        case "integer" | "number":
            return _number(schema)
        case "null":
            return None
        case _:
            return _text(schema, str(known.get(name, PLACEHOLDER)))


def _object(schema: Mapping[str, Any], known: Mapping[str, Any], depth: int) -> dict[str, Any]:
    properties, required = schema.get("properties"), schema.get("required")
    if not isinstance(required, list):
        return {}
    of = properties if isinstance(properties, Mapping) else {}
    return {str(n): fill(of.get(str(n), {}), known, name=str(n), depth=depth + 1) for n in required}


def _number(schema: Mapping[str, Any]) -> int:
    """The lowest whole number that is allowed."""
    low = _whole(schema.get("minimum"), 0)
    above = schema.get("exclusiveMinimum")
    return low if above is None else max(low, _whole(above, 0) + 1)


def _text(schema: Mapping[str, Any], text: str) -> str:
    text = text.ljust(min(_whole(schema.get("minLength"), 0), _LONGEST), ".")
    return text[: max(0, _whole(schema.get("maxLength"), len(text)))]


def _whole(value: object, otherwise: int) -> int:
    """`value` as a whole number, rounded up."""
    if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < _HUGE:
        return math.ceil(value)
    return otherwise
