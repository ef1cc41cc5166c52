"""The own instruction tasks: a text that keeps the form passes, one that breaks it does not."""

from __future__ import annotations

import json

import pytest

from rlmc.bench import rules
from rlmc.bench.rules import Follows
from rlmc.bench.task import Answer
from rlmc.bench.tasks.instruct import TASKS

_LEAF = {"label": "c", "children": []}
_TREE = {"label": "r", "children": [{"label": "a", "children": [_LEAF]}, {"label": "b", "children": []}]}
_AUTUMN = (
    "when days grow shorter and cooler, trees stop making the green pigment that feeds them. as it breaks down, the "
    "yellow and orange pigments that were there all summer become visible. some trees also make red pigments from the "
    "sugar left in their leaves."
)
_HASH = (
    "In short: a hash table keeps values under keys and finds them at once. A function turns each key into a number, "
    "and the number says in which slot of an array the value lies. Two keys may share a slot, so every slot can hold "
    "several. When it gets crowded, the array is made larger. That is all."
)
_BICYCLES = "A bicycle has more than one wheel.\n\nThe front wheel steers, and the back wheel drives."
# What passes, and texts that do not.
ANSWERS: tuple[tuple[str, tuple[str, ...]], ...] = (
    (
        "The tower is white. It stands on a rock! Who built it?",
        (
            "The tower is white. It stands on a rock.",
            "The light is on. It is white. It is old.",
            "One. Two. Three. Four",
        ),
    ),
    ("Athens\nBern\nLisbon\nOslo\nPrague", ("Bern\nAthens\nLisbon\nOslo\nPrague", "Athens\nBern", "1\n2\n3\n4\n5")),
    (
        '{"name": "Ada", "age": 36, "languages": ["a", "b", "c"]}',
        (
            '{"name": "Ada", "age": "36", "languages": ["a", "b", "c"]}',
            '{"age": 36, "name": "Ada", "languages": ["a", "b", "c"]}',
            '{"name": "Ada", "age": 36, "languages": ["a"]}',
            "[]",
            "no JSON",
        ),
    ),
    (_AUTUMN, (_AUTUMN.capitalize(), "short", f"{_AUTUMN} {_AUTUMN}")),
    ("Rivers rise\nAll night\nIn the dark\nNobody sleeps", ("Rivers\nAll\nIn\nSome", "Rivers\nAll\nIn")),
    ("Nobody was up for my toast and jam.", ("We ate eggs for breakfast.", "Just toast. And jam, no milk.")),
    ("- a\n- b\n- c\n- d\n- e\n- f", ("- a\n- b", "Tools:\n- a\n- b\n- c\n- d\n- e", "* a\n* b\n* c\n* d\n* e\n* f")),
    (
        "THE MUSEUM STAYS CLOSED ALL WEEK. WE OPEN AGAIN ON TUESDAY!",
        (
            "The museum is closed. We open again on the next Tuesday!",
            "THE MUSEUM STAYS CLOSED FOR A LONG LONG TIME NOW!",
        ),
    ),
    ("A: a\nB: b\nA: c\nB: d\nA: e\nB: f", ("B: a\nA: b\nB: c\nA: d\nB: e\nA: f", "A: a\nB: b")),
    (_BICYCLES, (_BICYCLES.replace("\n\n", "\n"), _BICYCLES.replace("drives", "wheels"), f"{_BICYCLES} A wheel.")),
    (
        json.dumps([{"item": i, "count": n} for i, n in (("a", 40), ("b", 30), ("c", 20), ("d", 10))]),
        (
            json.dumps([{"item": i, "count": n} for i, n in (("a", 10), ("b", 20), ("c", 30), ("d", 40))]),
            json.dumps([{"item": i, "count": 30} for i in "abcd"]),
            "{}",
        ),
    ),
    ("no", ("No", "no.", "yes", "no, it is 7 times 13")),
    (
        "snow falls on the hills\nice covers the old pond\nwe wait for warmer days",
        (
            "snow falls on the hill\nice\nwe wait",
            "snow falls on the hills.\nice covers the old pond\nwe wait for warmer days",
        ),
    ),
    (_HASH, (_HASH.replace("In short: ", ""), _HASH.replace(" That is all.", ""), "In short: no. That is all.")),
    ("1,2,3,F,5,6,7,F,9,10,11,F,13,14,15", ("1, 2, 3, F", "1,2,3,4,5,6,7,8,9,10,11,12,13,14,15")),
    (
        "| Planet | Moons | Rings |\n|---|---|---|\n| Mars | 2 | no |\n| Earth | 1 | no |\n| Venus | 0 | no |\n"
        "| X | 0 | no |",
        (
            "| Planet | Moons |\n|---|---|\n| Mars | 2 |\n| Earth | 1 |\n| Venus | 0 |\n| X | 0 |",
            "| Planet | Moons | Rings |\n|---|---|---|\n| Mars | 2 | no |",
        ),
    ),
    ("Do you like it? Why not? Is it long? Shall I lend it?", ("Do you? I do. Is it? Why?", "Do you? Why?")),
    (
        "anybody\nbalance\ncabinet\ndigital\neconomy\nfashion\ngallery\nhabitat\nimagine\njustice",
        (
            "balance\nanybody\ncabinet\ndigital\neconomy\nfashion\ngallery\nhabitat\nimagine\njustice",
            "anybody\nbalance",
        ),
    ),
    ("2019-11-03", ("2019-11-03.", "3 November 2019", "2019-03-11")),
    (json.dumps(_TREE), (json.dumps({**_TREE, "x": 1}), json.dumps({**_TREE, "children": []}), json.dumps(_LEAF), "1")),
    (
        "fig, date, kiwi, lime, pear, plum, apple, banana",
        ("fig, pear, kiwi, plum, date, lime, apple, banana", "fig,date,kiwi,lime,pear,plum,apple,banana"),
    ),
    (
        "Interest is added to the principal, so the rate earns on all that came before.",
        ("Interest is added to the principal at 5 %.", "The rate grows.", f"Principal and rate {'grow ' * 40}"),
    ),
)


def test_there_are_enough_and_an_answer_for_each() -> None:
    assert len(TASKS) == len(ANSWERS) >= 20
    assert len({task.id for task in TASKS}) == len(TASKS)


@pytest.mark.parametrize("at", range(len(TASKS)), ids=[task.id for task in TASKS])
def test_what_keeps_the_form_passes_and_what_breaks_it_does_not(at: int) -> None:
    task, (right, wrong) = TASKS[at], ANSWERS[at]
    assert task.check(Answer(f"\n{right}\n")).why == ""
    for text in (*wrong, "", "word " * 500):
        verdict = task.check(Answer(text))
        assert not verdict.passed, text
        assert verdict.why


def test_a_verdict_repeats_nothing_of_the_answer() -> None:
    assert Follows((rules.words(1, 2),))(Answer("my own secret words")).why == "not: 1 to 2 words"


@pytest.mark.parametrize(
    ("rule", "fits", "breaks"),
    [
        (rules.words(3, 3), "don't over-think it", "one two"),
        (rules.sentences(2), "It costs 3.50 euros. Really?", "It costs 3.50 euros."),
        (rules.times("wheel", 1), "Wheel, wheels", "wheels"),
        (rules.is_json("any", lambda value: value["a"] == 1), '{"a": 1}', "[" * 100_000),
    ],
    ids=str,
)
def test_how_rules_count(rule: rules.Rule, fits: str, breaks: str) -> None:
    assert rule.holds(fits)
    assert not rule.holds(breaks)
