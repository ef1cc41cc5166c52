"""The check of a task with one number as its answer: the last line `Answer: …`, compared exactly.

Rule: integers, fractions and decimals are compared as fractions, so 0.5 is 1/2; a line with two numbers is no answer.
"""

from __future__ import annotations

import re
from fractions import Fraction

from rlmc.bench.task import RIGHT, Answer, Verdict
from rlmc.domain.frozen import dataclass

ASK = "Reason as much as you need. End with one line of the form\nAnswer: N\nwhere N is an integer or a fraction a/b."

_LINE = re.compile(r"^[\s>#*_`-]*(?:final\s+)?answer[\s*_`]*(?::|=|is\b)[\s*_`:]*(.+)$", re.IGNORECASE | re.MULTILINE)
_FRAC = re.compile(r"\\[dt]?frac\{(-?\d+)\}\{(\d+)\}")
_BOXED = re.compile(r"\\boxed\{([^{}]*)\}")
_NUMBER = re.compile(r"([+-]?\d+(?:\.\d+)?)(?:\s*/\s*(\d+))?")
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")
_MOST_DIGITS = 60


def number_in(text: str) -> Fraction | None:
    """What the last answer line says; None where there is none, or it says no single number."""
    lines = _LINE.findall(text)
    if not lines:
        return None
    said = _BOXED.sub(r"\1", _FRAC.sub(r"\1/\2", lines[-1])).replace("\N{MINUS SIGN}", "-")
    said = _THOUSANDS.sub("", said.strip(" \t$*_`\\().=").replace("$", ""))
    found = _NUMBER.match(said)
    if found is None or re.search(r"\d", said[found.end() :]) or len(found.group()) > _MOST_DIGITS:
        return None
    below = int(found[2] or 1)
    return Fraction(found[1]) / below if below else None


@dataclass(frozen=True, slots=True)
class Number:
    """The right answer."""

    right: Fraction

    def __call__(self, answer: Answer) -> Verdict:
        found = number_in(answer.text)
        if found is None:
            return Verdict(False, "no answer line with one number")
        return RIGHT if found == self.right else Verdict(False, "another number")
