"""When an epoch was first certified: the same as asking at every moment, only rarer."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from rlmc.quality.course import AuditCourse, Course, first_certified
from rlmc.quality.standing import Audited, Epoch, standing

LEAST, CONFIDENCE = 0.25, 0.95


def seen_at(course: Course, at: int, target: float) -> bool:
    """Whether it is certified by what had happened up to then."""
    epoch = Epoch(
        turns=sum(one <= at for one in course.turns),
        served=sum(one <= at for one in course.served),
        audits=tuple(
            Audited(one.probability, one.loss if one.ended_at is not None and one.ended_at <= at else None)
            for one in course.audits
            if one.at <= at
        ),
        planted=sum(one <= at for one, _ in course.canaries),
        caught=sum(caught for one, caught in course.canaries if one <= at),
    )
    return standing(epoch, target=target, confidence=CONFIDENCE, least=LEAST).certified


def clean(turns: int, *, lost: frozenset[int] = frozenset()) -> Course:
    """Every turn is served, every fourth is audited, and every audit has a fault planted beside it."""
    drawn = range(4, turns, 4)
    audits = [AuditCourse(at * 10 + 1, LEAST, at * 10 + 2, 1.0 if at in lost else 0.0) for at in drawn]
    times = [at * 10 for at in range(turns)]
    return Course(times, times, audits, [(at * 10 + 3, True) for at in drawn])


def first(course: Course, target: float = 0.1) -> int | None:
    return first_certified(course, target=target, confidence=CONFIDENCE, least=LEAST)


def test_it_is_told_within_an_audit_of_when_it_was() -> None:
    course = clean(800)
    moments = sorted({*course.turns, *(one.at for one in course.audits), *(at for at, _ in course.canaries)})
    really = next(at for at in moments if seen_at(course, at, 0.1))
    told = first(course)
    assert told is not None
    assert really <= told <= really + 40
    assert 0 < really < course.turns[-1]


def test_what_comes_after_does_not_change_when_it_was() -> None:
    clean_one = first(clean(800))
    assert clean_one is not None
    after = frozenset(range(clean_one // 10 // 4 * 4 + 40, 800, 4))
    worse = clean(800, lost=after)
    assert first(worse) == clean_one
    assert not seen_at(worse, worse.turns[-1], 0.1), "it was certified, and is no more"


def test_an_audit_that_never_ended_counts_against_it_for_good() -> None:
    course = clean(800)
    some = [AuditCourse(one.at, one.probability, None, None) if at % 3 else one for at, one in enumerate(course.audits)]
    assert first(Course(course.turns, course.served, some, course.canaries)) is None


def test_nothing_is_certified_without_audits_however_few_turns_were_served() -> None:
    assert first(Course(list(range(1000)), [5], [], [])) is None
    assert first(Course([], [], [], [])) is None


STEPS = ["turn", "served", "served", "served", "drawn", "good", "minor", "bad", "found", "found", "missed"]
ENDS = {"good": 0.0, "minor": 0.25, "bad": 1.0}


def of_steps(steps: list[str]) -> Course:
    """One thing a moment; an end is that of the audit that has been open for longest."""
    turns, served, canaries, audits = [], [], [], []
    open: list[int] = []
    for at, step in enumerate(steps):
        if step in ("turn", "served"):
            turns.append(at)
            served += [at] if step == "served" else []
        elif step == "drawn":
            open.append(len(audits))
            audits.append(AuditCourse(at, LEAST, None, None))
        elif step in ENDS and open:
            one = audits[open[0]]
            audits[open.pop(0)] = AuditCourse(one.at, LEAST, at, ENDS[step])
        elif step in ("found", "missed"):
            canaries.append((at, step == "found"))
    return Course(turns, served, audits, canaries)


@given(st.lists(st.sampled_from(STEPS), max_size=120), st.sampled_from([0.1, 0.3, 0.6, 0.9]))
def test_a_moment_that_is_told_was_one_and_what_holds_at_the_end_is_told(steps: list[str], target: float) -> None:
    course = of_steps(steps)
    told = first(course, target)
    if told is None:
        assert not course.turns or not seen_at(course, len(steps), target)
    else:
        # Looked at after a fault was planted, before an audit is drawn, or once more at the end for the last turn.
        assert any(seen_at(course, at, target) for at in (told, told - 1, len(steps)))
