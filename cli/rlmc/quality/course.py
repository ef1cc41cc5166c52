"""When an epoch was first certified: its turns, audits and canaries gone through once more in the order of time.

Rule: a bound can change for the better with every turn, but it is looked at only before an audit is drawn, after a
fault was planted, and at the end; a moment that is told may be a few turns late, and is never early.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from typing import NamedTuple

from rlmc.domain.frozen import dataclass
from rlmc.quality.canaries import sensitivity
from rlmc.quality.certificate import Certificate
from rlmc.quality.standing import half_of, meets


@dataclass(frozen=True, slots=True)
class AuditCourse:
    """When an audit was drawn, with which probability, and when it ended with which loss; None where it has not."""

    at: int
    probability: float
    ended_at: int | None
    loss: float | None


@dataclass(frozen=True, slots=True)
class Course:
    """Times are of any one unit. `turns` are those of all turns and `served` those a draft answered, both in order;
    `canaries` are moments at which a planted fault was shown to the judge, and whether it was found."""

    turns: Sequence[int]
    served: Sequence[int]
    audits: Sequence[AuditCourse]
    canaries: Sequence[tuple[int, bool]]


def first_certified(course: Course, *, target: float, confidence: float, least: float) -> int | None:
    """The moment; None where it never was."""
    half = half_of(confidence)
    certificate, judge, ended, planted, caught = Certificate(least, half), 0.0, 0, 0, 0

    def certified(at: int) -> bool:
        turns, certificate.turns = bisect_right(course.turns, at), bisect_right(course.served, at)
        return ended > 0 and turns > 0 and meets(certificate, judge, certificate.turns / turns, target)

    for at, _, event in _events(course):
        match event:
            case _Drawn(probability):
                if certified(at):  # before the bound suffers from it
                    return at
                certificate.drawn(probability)
            case _Ended(probability, loss):
                certificate.settled(probability, loss)
                ended += 1
            case _Shown(found):
                planted, caught = planted + 1, caught + found
                judge = sensitivity(caught, planted, half)
                if certified(at):
                    return at
    last = course.turns[-1] if course.turns else None
    return last if last is not None and certified(last) else None


class _Drawn(NamedTuple):
    probability: float


class _Ended(NamedTuple):
    probability: float
    loss: float


class _Shown(NamedTuple):
    found: bool


def _events(course: Course) -> list[tuple[int, int, _Drawn | _Ended | _Shown]]:
    found: list[tuple[int, int, _Drawn | _Ended | _Shown]] = []
    for one in course.audits:
        found.append((one.at, 0, _Drawn(one.probability)))
        if one.ended_at is not None and one.loss is not None:
            found.append((max(one.at, one.ended_at), 1, _Ended(one.probability, one.loss)))
    found += [(at, 2, _Shown(caught)) for at, caught in course.canaries]
    return sorted(found, key=lambda event: event[:2])
