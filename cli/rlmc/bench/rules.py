"""Rules an answer's text can be held to, one small pure function each, and the check made of them.

Rule: a rule looks at the answer without white space around it, and says nothing of its sense, only of its form.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from itertools import pairwise
from typing import Any

from rlmc.bench.task import RIGHT, Answer, Verdict
from rlmc.domain.frozen import dataclass

_WORD = re.compile(r"[^\W_]+(?:['\N{RIGHT SINGLE QUOTATION MARK}-][^\W_]+)*")
_SENTENCE_END = re.compile(r"[.!?]+(?=\s|$)")


@dataclass(frozen=True, slots=True)
class Rule:
    """`says` is what it demands, in words."""

    says: str
    holds: Callable[[str], bool]

    def __repr__(self) -> str:
        return self.says


@dataclass(frozen=True, slots=True)
class Follows:
    """All of these rules."""

    rules: tuple[Rule, ...]

    def __call__(self, answer: Answer) -> Verdict:
        text = answer.text.strip()
        if not text:
            return Verdict(False, "no text")
        broken = next((rule for rule in self.rules if not rule.holds(text)), None)
        return RIGHT if broken is None else Verdict(False, f"not: {broken.says}")


# --- counts ---------------------------------------------------------------------------------------------------------


def words(least: int, most: int) -> Rule:
    return Rule(f"{least} to {most} words", lambda text: least <= len(_WORD.findall(text)) <= most)


def sentences(number: int) -> Rule:
    return Rule(
        f"{number} sentences",
        lambda text: len(_SENTENCE_END.findall(text)) == number and text[-1] in ".!?",
    )


def lines(number: int) -> Rule:
    return Rule(f"{number} lines", lambda text: len(text.splitlines()) == number)


def paragraphs(number: int) -> Rule:
    return Rule(f"{number} paragraphs", lambda text: len(re.split(r"\n\s*\n", text)) == number)


def words_a_line(number: int) -> Rule:
    return Rule(
        f"{number} words a line",
        lambda text: all(len(_WORD.findall(line)) == number for line in text.splitlines()),
    )


def times(word: str, number: int) -> Rule:
    """A whole word, in any case."""
    found = re.compile(rf"\b{re.escape(word)}\b", re.IGNORECASE)
    return Rule(f"{word!r} {number} times", lambda text: len(found.findall(text)) == number)


# --- words and letters ----------------------------------------------------------------------------------------------


def mentions(*wanted: str) -> Rule:
    return Rule(f"mentions {', '.join(wanted)}", lambda text: all(w.casefold() in text.casefold() for w in wanted))


def never(*words: str) -> Rule:
    """None of these whole words, in any case."""
    found = re.compile(rf"\b(?:{'|'.join(map(re.escape, words))})\b", re.IGNORECASE)
    return Rule(f"never {', '.join(words)}", lambda text: found.search(text) is None)


def without(characters: str) -> Rule:
    return Rule(f"without {characters!r}", lambda text: not set(characters) & set(text.casefold()))


def begins(start: str) -> Rule:
    return Rule(f"begins with {start!r}", lambda text: text.startswith(start))


def ends(end: str) -> Rule:
    return Rule(f"ends with {end!r}", lambda text: text.endswith(end))


def lower_case() -> Rule:
    return Rule("lower case only", lambda text: text == text.lower())


def upper_case() -> Rule:
    return Rule("upper case only", lambda text: text == text.upper())


def exactly(wanted: str) -> Rule:
    return Rule(f"exactly {wanted!r}", lambda text: text == wanted)


def matches(pattern: str, says: str) -> Rule:
    """The whole text."""
    found = re.compile(pattern, re.DOTALL)
    return Rule(says, lambda text: found.fullmatch(text) is not None)


def each_line(pattern: str, says: str) -> Rule:
    found = re.compile(pattern)
    return Rule(says, lambda text: all(found.fullmatch(line) for line in text.splitlines()))


def initials(letters: str) -> Rule:
    """The first letters of the lines, in any case."""
    return Rule(
        f"lines begin with {letters}",
        lambda text: "".join(line.lstrip()[:1] for line in text.splitlines()).casefold() == letters.casefold(),
    )


def in_order() -> Rule:
    """Lines in ascending order, none twice."""
    return Rule("lines in alphabetical order", lambda text: _ascending(text.casefold().splitlines()))


def _ascending(items: list[str]) -> bool:
    return all(one < other for one, other in pairwise(items))


# --- data -----------------------------------------------------------------------------------------------------------


def is_json(says: str, fits: Callable[[Any], bool]) -> Rule:
    """The whole text is JSON, and the value fits."""

    def holds(text: str) -> bool:
        try:
            return fits(json.loads(text))
        except (ValueError, RecursionError, KeyError, TypeError, AttributeError):
            return False

    return Rule(says, holds)


def is_whole(value: Any) -> bool:
    """An integer; True is none."""
    return isinstance(value, int) and not isinstance(value, bool)
