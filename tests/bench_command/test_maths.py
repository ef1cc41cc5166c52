"""The own maths tasks: their answers are worked out here once more, another way."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from itertools import combinations, permutations, product
from math import comb, factorial, isqrt

import pytest

from rlmc.bench.number import number_in
from rlmc.bench.task import Answer
from rlmc.bench.tasks.maths import TASKS


def first(holds: Callable[[int], bool]) -> int:
    return next(n for n in range(1, 100_000) if holds(n))


def bus() -> int:
    on_board = 23 - 8 + 5
    return on_board - on_board // 2 + 7


def reading() -> int:
    read, days = 0, 0
    while read < 312:
        read, days = read + (24 if days < 5 else 32), days + 1
    return days


def paths() -> int:
    found = 0
    for rights in combinations(range(9), 5):
        x = y = 0
        met = False
        for step in range(9):
            x, y = (x + 1, y) if step in rights else (x, y + 1)
            met = met or (x, y) == (2, 2)
        found += not met
    return found


def growing() -> int:
    term, total = 1, 0
    for _ in range(8):
        total, term = total + term, 3 * term + 2
    return total


ANSWERS: tuple[Fraction | int | float, ...] = (
    14 * 18 - 197 - 9,
    bus(),
    reading(),
    Fraction(80) * Fraction(5, 4) * Fraction(4, 5),
    next(4 * leo for leo in range(84) if leo + 2 * leo + 4 * leo == 84),
    1 / (Fraction(1, 6) + Fraction(1, 4) - Fraction(1, 12)),
    Fraction(3, 8) * Fraction(2, 9) + Fraction(5, 12),
    Fraction(180 + 240, 180 // 9),
    16 * 6 - 14 * 5,
    next(isqrt(a * a + b * b) for a, b in product(range(1, 23), repeat=2) if a + b == 23 and a * b == 120),
    Fraction(sum(max(pair) == 4 for pair in product(range(1, 7), repeat=2)), 36),
    sum((n % 4 == 0) != (n % 6 == 0) for n in range(1, 1001)),
    next(x**3 + (9 - x) ** 3 for x in range(10) if x * (9 - x) == 14),
    len(str(factorial(125))) - len(str(factorial(125)).rstrip("0")),
    pow(7, 2026, 100),
    len({word for word in permutations("BANANA") if "NN" not in "".join(word)}),
    Fraction(sum(sum(ball < 5 for ball in drawn) == 2 for drawn in combinations(range(9), 3)), comb(9, 3)),
    paths(),
    first(lambda n: (n % 7, n % 9, n % 11) == (3, 5, 6)),
    sum((Fraction(1, k * (k + 2)) for k in range(1, 100, 2)), Fraction(0)),
    sum(Fraction(1, a) + Fraction(1, b) == Fraction(1, 12) for a, b in product(range(1, 160), repeat=2)),
    growing(),
    sum(not set_ & (set_ << 1) for set_ in range(1 << 12)),
    max(n for n in range(1, 10_000) if isqrt(n * n + 24 * n + 5) ** 2 == n * n + 24 * n + 5),
)


def test_there_are_enough_and_an_answer_for_each() -> None:
    assert len(TASKS) == len(ANSWERS) >= 20
    assert len({task.id for task in TASKS}) == len(TASKS)


@pytest.mark.parametrize("at", range(len(TASKS)), ids=[task.id for task in TASKS])
def test_the_right_answer_passes_and_another_does_not(at: int) -> None:
    task, right = TASKS[at], Fraction(ANSWERS[at])
    assert task.check(Answer(f"I reason: 1, 2, 3.\n\nAnswer: {right}")).passed
    assert task.check(Answer(f"**Answer:** ${right}$.")).passed
    assert not task.check(Answer(f"Answer: {right + 1}")).passed
    assert not task.check(Answer(f"It is {right}.")).passed
    assert not task.check(Answer("")).passed


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("Answer: 1,234", 1234),
        ("answer = -7", -7),
        ("Answer: \N{MINUS SIGN}7", -7),
        ("Answer: 3 / 4", Fraction(3, 4)),
        ("Answer: 0.75", Fraction(3, 4)),
        ("Answer: $\\boxed{42}$", 42),
        ("Answer: \\(\\frac{10}{21}\\)", Fraction(10, 21)),
        ("Answer: $18 dollars", 18),
        ("- **Final answer:** 5", 5),
        ("The answer is 4", None),
        ("Answer: 1\nno\nAnswer: 2", 2),
        ("Answer: 3 1/2", None),
        ("Answer: 5 or 6", None),
        ("Answer: 1/0", None),
        ("Answer: many", None),
        (f"Answer: {'9' * 5000}", None),
        ("nothing", None),
    ],
)
def test_how_an_answer_line_is_read(text: str, number: Fraction | int | None) -> None:
    assert number_in(text) == number
