"""Maths: one number each, from grade school to light olympiad."""

from __future__ import annotations

from fractions import Fraction

from rlmc.bench.number import ASK, Number
from rlmc.bench.task import Task


def _task(number: int, question: str, right: Fraction | int) -> Task:
    return Task(f"maths-{number:02}", "maths", f"{question}\n\n{ASK}", Number(Fraction(right)))


TASKS: tuple[Task, ...] = (
    _task(
        1,
        "A baker fills 14 trays with 18 rolls each. He sells 197 rolls and gives 9 to a neighbour. How many are left?",
        46,
    ),
    _task(
        2,
        "A bus starts with 23 passengers. At the first stop 8 get off and 5 get on, at the second half of those on "
        "board get off and 7 get on. How many are on board then?",
        17,
    ),
    _task(
        3,
        "Mira reads a book of 312 pages. She reads 24 pages on each of the first 5 days, and then 32 pages a day. How "
        "many days does she need in all?",
        11,
    ),
    _task(
        4,
        "A coat costs 80 euros. The price is raised by a quarter, and the new price is then lowered by a fifth. What "
        "does the coat cost in euros at the end?",
        80,
    ),
    _task(
        5,
        "Three friends share 84 stamps. Tom gets twice as many as Ida, and Ida gets twice as many as Leo. How many "
        "does Tom get?",
        48,
    ),
    _task(
        6,
        "Pipe A alone fills a tank in 6 hours, pipe B alone in 4 hours. A drain alone empties the full tank in 12 "
        "hours. All three are opened on an empty tank. After how many hours is it full?",
        3,
    ),
    _task(7, "What is 3/8 of 2/9, plus 5/12?", Fraction(1, 2)),
    _task(
        8,
        "A train of 180 metres passes a signal post in 9 seconds. At the same speed, how many seconds does it take to "
        "pass a platform of 240 metres completely?",
        21,
    ),
    _task(
        9,
        "The mean of five numbers is 14. A sixth number is added, and the mean becomes 16. What is the sixth number?",
        26,
    ),
    _task(
        10,
        "A rectangle has a perimeter of 46 and an area of 120. What is the length of its diagonal?",
        17,
    ),
    _task(
        11,
        "Two fair dice with six sides are thrown. What is the probability that the larger of the two numbers (or both, "
        "if they are equal) is exactly 4?",
        Fraction(7, 36),
    ),
    _task(
        12,
        "How many integers from 1 to 1000 are divisible by 4 or by 6, but not by both?",
        250,
    ),
    _task(
        13,
        "The numbers x and y satisfy x + y = 9 and x*y = 14. What is x^3 + y^3?",
        351,
    ),
    _task(
        14,
        "How many zeros does 125! (the factorial of 125) end with in decimal notation?",
        31,
    ),
    _task(15, "What is the remainder when 7^2026 is divided by 100?", 49),
    _task(
        16,
        "In how many ways can the letters of the word BANANA be arranged so that no two letters N stand next to each "
        "other?",
        40,
    ),
    _task(
        17,
        "A bag holds 5 red and 4 blue balls. Three are drawn without putting any back. What is the probability that "
        "exactly two of them are red?",
        Fraction(10, 21),
    ),
    _task(
        18,
        "How many paths lead from (0, 0) to (5, 4) in steps of one to the right or one up, if the point (2, 2) must "
        "not be visited?",
        66,
    ),
    _task(
        19,
        "What is the smallest positive integer that leaves remainder 3 when divided by 7, remainder 5 when divided by "
        "9, and remainder 6 when divided by 11?",
        248,
    ),
    _task(
        20,
        "What is the value of the sum 1/(1*3) + 1/(3*5) + 1/(5*7) + ... + 1/(99*101)?",
        Fraction(50, 101),
    ),
    _task(
        21,
        "How many ordered pairs (a, b) of positive integers satisfy 1/a + 1/b = 1/12?",
        15,
    ),
    _task(
        22,
        "A sequence begins with 1, and every further term is three times the one before plus 2. What is the sum of its "
        "first 8 terms?",
        6552,
    ),
    _task(
        23,
        "How many subsets of {1, 2, ..., 12}, the empty one included, hold no two consecutive numbers?",
        377,
    ),
    _task(
        24,
        "What is the largest integer n for which n^2 + 24n + 5 is the square of an integer? Take n to be positive.",
        58,
    ),
)
