"""Whether two answers come to the same, told without a model.

Two answers with tool calls are the same if they make the same calls, in any order; what they say beside them does not
matter. Two texts are the same if they differ in spacing, emphasis and the marks at the ends of sentences only. Rule: in
doubt they are not.
"""

from __future__ import annotations

import json
import re
from collections import Counter

from rlmc.domain.chat import Completion, Opaque

_SPACE = re.compile(r"\s+")
# Emphasis around words, and marks behind letters. Anything else may be code: `!ready`, `*args`, `.env`, `5!`.
_EMPHASIS = re.compile(r"(?<!\S)(\*\*|\*|`)(\w(?:[^*`\n]*\w)?)\1(?=[\s.,;:!?)]|$)")
_MARK = re.compile(r"(?<=[^\W\d_])[.,;:]+(?=\s|$)")


def same(one: Completion, other: Completion) -> bool:
    if any(isinstance(part, Opaque) for answer in (one, other) for part in answer.parts):
        return False
    if one.tool_calls or other.tool_calls:
        return _calls(one) == _calls(other)
    return _words(one.text) == _words(other.text) != ""


def _calls(answer: Completion) -> Counter[tuple[str, str]]:
    return Counter((call.name, _canonical(call.arguments)) for call in answer.tool_calls)


def _canonical(arguments: str) -> str:
    """The same JSON in the same spelling; what is no JSON stays as it is."""
    try:
        return json.dumps(json.loads(arguments), sort_keys=True, separators=(",", ":"))
    except (ValueError, RecursionError):
        return arguments


def _words(text: str) -> str:
    return _SPACE.sub(" ", _MARK.sub("", _EMPHASIS.sub(r"\2", text))).strip()
