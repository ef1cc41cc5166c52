"""JSON as people write it in settings files: with comments and a comma after the last entry."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

# A string is matched first, so that nothing inside of one is taken for a comment or a comma.
_STRING = r'"(?:[^"\\]|\\.)*"'
_COMMENT = re.compile(rf"({_STRING})|//[^\n]*|/\*.*?\*/", re.DOTALL)
_LAST_COMMA = re.compile(rf"({_STRING})|,(?=\s*[}}\]])", re.DOTALL)


def read_object(text: str | None) -> Mapping[str, Any] | None:
    """The object a text holds, None where there is none: the agent itself will complain of it."""
    try:
        values = json.loads(_without(_LAST_COMMA, _without(_COMMENT, text))) if text is not None else None
    except (ValueError, RecursionError):
        return None
    return values if isinstance(values, dict) else None


def inner(values: Mapping[str, Any], *path: str) -> Mapping[str, Any]:
    """An object inside of others, empty where there is none."""
    for step in path:
        below = values.get(step)
        if not isinstance(below, dict):
            return {}
        values = below
    return values


def text_at(values: Mapping[str, Any], *path: str) -> str | None:
    found = inner(values, *path[:-1]).get(path[-1])
    return found if isinstance(found, str) and found else None


def _without(pattern: re.Pattern[str], text: str) -> str:
    return pattern.sub(lambda match: match[1] or " ", text)
