"""The check of a tool task: which calls an answer makes, with which arguments, in any order.

Rule: an argument the task does not speak of is wrong. Text is compared without case, blanks and the usual separators,
numbers by their value.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rlmc.bench.task import RIGHT, Answer, Call, Verdict
from rlmc.domain.frozen import dataclass

_SEPARATORS = dict.fromkeys(map(ord, " \t\n,./-_"))

Accepted = tuple[Any, ...]
"""Any of these. A mapping among them says, for each of its keys, what is accepted there."""


class _LeftOut:
    def __repr__(self) -> str:
        return "LEFT_OUT"


LEFT_OUT = _LeftOut()
"""Among accepted values: the argument may be missing."""


@dataclass(frozen=True, slots=True)
class Wanted:
    name: str
    arguments: Mapping[str, Accepted]


@dataclass(frozen=True, slots=True)
class Calls:
    """Exactly these; none at all where no tool helps."""

    wanted: tuple[Wanted, ...]

    def __call__(self, answer: Answer) -> Verdict:
        if not self.wanted:
            return Verdict(False, "a call where none is right") if answer.calls else _said(answer)
        if not answer.calls:
            return Verdict(False, "no call")
        if sorted(call.name for call in answer.calls) != sorted(wanted.name for wanted in self.wanted):
            return Verdict(False, "other tools or another number of calls")
        left = list(answer.calls)
        for wanted in self.wanted:
            fitting = next((call for call in left if _fits(call, wanted)), None)
            if fitting is None:
                return Verdict(False, "other arguments")
            left.remove(fitting)
        return RIGHT


def _said(answer: Answer) -> Verdict:
    return RIGHT if answer.text.strip() else Verdict(False, "no text")


def _fits(call: Call, wanted: Wanted) -> bool:
    return call.name == wanted.name and _fit_all(call.arguments, wanted.arguments)


def _fit_all(given: Mapping[str, Any], wanted: Mapping[str, Accepted]) -> bool:
    if not given.keys() <= wanted.keys():
        return False
    return all(
        any(_equal(given[name], one) for one in accepted) if name in given else LEFT_OUT in accepted
        for name, accepted in wanted.items()
    )


def _equal(given: Any, wanted: Any) -> bool:
    if isinstance(wanted, Mapping):
        return isinstance(given, Mapping) and _fit_all(given, wanted)
    if isinstance(wanted, list | tuple):
        return (
            isinstance(given, list | tuple)
            and len(given) == len(wanted)
            and all(_equal(one, other) for one, other in zip(given, wanted, strict=True))
        )
    if isinstance(wanted, str):
        return isinstance(given, str) and _plain(given) == _plain(wanted)
    if isinstance(wanted, bool) or isinstance(given, bool):
        return given is wanted
    return bool(given == wanted)


def _plain(text: str) -> str:
    """A text of separators alone is compared as it is."""
    return text.casefold().translate(_SEPARATORS) or text
