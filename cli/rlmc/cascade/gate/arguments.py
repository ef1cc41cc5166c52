"""Arguments that mean the same to whoever reads them, and say nothing the tool did not ask for.

Rule: what two readers of JSON may take for two things is not passed on: a name given twice, also in other letters that
look or count alike, a number only some can hold, half a letter, a name that is a part of the language. A schema alone
stops none of it.
"""

from __future__ import annotations

import json
from typing import Any
from unicodedata import category, normalize

from rlmc.cascade.effects.classify import UNSEEN
from rlmc.cascade.effects.declared import declared
from rlmc.cascade.inner_calls import texts_in
from rlmc.domain.chat import ChatRequest, Completion
from rlmc.domain.turn import Finding

# To JavaScript these are no names of data.
_TAKEN = frozenset({"__proto__", "constructor", "prototype"})
# A larger whole number is another one to readers that keep all numbers as fractions.
_LARGEST = 2**53


class _Ambiguous(ValueError):
    """In words for a finding: no name and no value."""


def check(request: ChatRequest, draft: Completion) -> tuple[Finding, ...]:
    schemas = {tool.name: tool.schema for tool in request.tools}
    findings = []
    for call in draft.tool_calls:
        problem = _problem_with(call.arguments, schemas.get(call.name, b""))
        if problem is not None:
            findings.append(Finding("arguments", f"{call.name}: {problem}"))
    return tuple(findings)


def _problem_with(arguments: str, schema: bytes) -> str | None:
    try:
        value = json.loads(
            arguments or "{}", object_pairs_hook=_object, parse_int=_whole, parse_float=_fraction, parse_constant=_word
        )
        if any(map(_is_broken, texts_in(value))):
            return "a text holds what is no letter"
    except _Ambiguous as found:
        return str(found)
    except (ValueError, RecursionError):
        return None  # no JSON: the schema's business
    known = declared(schema)
    if known is None or not known.only or not isinstance(value, dict):
        return None
    return None if value.keys() <= known.taken else "an argument the tool does not declare"


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    names = {normalize("NFKC", name).casefold() for name, _ in pairs}
    if len(names) < len(pairs):
        raise _Ambiguous("a name is given twice")
    if not _TAKEN.isdisjoint(names) or any(category(char) in UNSEEN for name in names for char in name):
        raise _Ambiguous("a name that is none")
    return dict(pairs)


def _whole(digits: str) -> int:
    if len(digits) > len(str(_LARGEST)) + 1 or abs(int(digits)) > _LARGEST:
        raise _Ambiguous("a number that not every reader can hold")
    return int(digits)


def _fraction(digits: str) -> float:
    number = float(digits)
    if number in (float("inf"), float("-inf")):
        raise _Ambiguous("a number that not every reader can hold")
    return number


def _word(_word: str) -> Any:
    raise _Ambiguous("a number that not every reader can hold")


def _is_broken(text: str) -> bool:
    return "\0" in text or any("\ud800" <= char <= "\udfff" for char in text)
