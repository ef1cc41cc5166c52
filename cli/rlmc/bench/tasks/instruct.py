"""Instructions: texts whose form is prescribed, so that a program can tell whether it was kept."""

from __future__ import annotations

from typing import Any

from rlmc.bench import rules
from rlmc.bench.rules import Follows, Rule
from rlmc.bench.task import Task

_BARE = "Answer with nothing else: no introduction, no code fence."


def _task(number: int, wanted: str, *kept: Rule) -> Task:
    return Task(f"instruct-{number:02}", "instruct", wanted, Follows(kept))


def _person(value: Any) -> bool:
    return (
        list(value) == ["name", "age", "languages"]
        and isinstance(value["name"], str)
        and rules.is_whole(value["age"])
        and isinstance(value["languages"], list)
        and len(value["languages"]) == 3
        and all(isinstance(one, str) for one in value["languages"])
    )


def _stock(value: Any) -> bool:
    return (
        isinstance(value, list)
        and len(value) == 4
        and all(set(one) == {"item", "count"} and rules.is_whole(one["count"]) for one in value)
        and sum(one["count"] for one in value) == 100
        and [one["count"] for one in value] == sorted((one["count"] for one in value), reverse=True)
    )


def _tree(value: Any) -> bool:
    """A root with two children, of which the first has one and the second none."""
    first, second = value["children"]
    nodes = (value, first, second, *first["children"])
    return (
        all(set(node) == {"label", "children"} and isinstance(node["label"], str) for node in nodes)
        and len(first["children"]) == 1
        and first["children"][0]["children"] == second["children"] == []
    )


TASKS: tuple[Task, ...] = (
    _task(
        1,
        "Describe a lighthouse in exactly three sentences. Do not use the words light, sea or ship.",
        rules.sentences(3),
        rules.never("light", "sea", "ship"),
    ),
    _task(
        2,
        "Name five European capitals, one on each line and nothing else, in alphabetical order.",
        rules.lines(5),
        rules.in_order(),
        rules.each_line(r"[^\W\d_][^\d:]*", "a name on each line"),
    ),
    _task(
        3,
        'Give a JSON object for an invented person with exactly the keys "name" (text), "age" (integer) and '
        f'"languages" (a list of three texts), in this order. {_BARE}',
        rules.is_json("an object of this shape", _person),
    ),
    _task(
        4,
        "Explain in 40 to 60 words why leaves change colour in autumn. Write everything in lower case.",
        rules.words(40, 60),
        rules.lower_case(),
    ),
    _task(
        5,
        "Write four lines about rain whose first letters spell RAIN, from top to bottom. Write nothing else.",
        rules.lines(4),
        rules.initials("RAIN"),
    ),
    _task(
        6,
        "Write one sentence about breakfast without using the letter e.",
        rules.sentences(1),
        rules.words(4, 60),
        rules.without("e"),
    ),
    _task(
        7,
        "Give a Markdown list of exactly six kitchen tools. Every line begins with a hyphen and a blank; there is no "
        "other line.",
        rules.lines(6),
        rules.each_line(r"- \S.*", "lines that begin with a hyphen and a blank"),
    ),
    _task(
        8,
        "Write a notice for a closed museum in capital letters only, of 10 to 25 words, that ends with an exclamation "
        "mark. It must name a day of the week.",
        rules.upper_case(),
        rules.words(10, 25),
        rules.ends("!"),
        rules.matches(
            r".*\b(MONDAY|TUESDAY|WEDNESDAY|THURSDAY|FRIDAY|SATURDAY|SUNDAY)S?\b.*", "names a day of the week"
        ),
    ),
    _task(
        9,
        'Write a short dialogue of exactly six lines between two people. The lines begin in turn with "A: " and "B: ", '
        "the first with A. Write nothing else.",
        rules.lines(6),
        rules.matches(r"(A: [^\n]+\nB: [^\n]+(\n|$)){3}", "A and B in turn"),
    ),
    _task(
        10,
        'Write about bicycles in exactly two paragraphs with an empty line between them. The word "wheel" occurs '
        'exactly three times in all, never as "wheels".',
        rules.paragraphs(2),
        rules.times("wheel", 3),
        rules.never("wheels"),
    ),
    _task(
        11,
        'Give a JSON list of exactly four objects with the keys "item" (text) and "count" (integer). The counts add up '
        f"to 100 and stand in descending order. {_BARE}",
        rules.is_json("a list of this shape", _stock),
    ),
    _task(
        12,
        "Answer this question with the single word yes or no, in lower case and without a full stop: is 91 a prime "
        "number?",
        rules.exactly("no"),
    ),
    _task(
        13,
        "Write three lines of exactly five words each about winter, without any punctuation. Write nothing else.",
        rules.lines(3),
        rules.words_a_line(5),
        rules.matches(r"[\w\s'-]+", "no punctuation"),
    ),
    _task(
        14,
        'Explain what a hash table is in 50 to 90 words. Begin with "In short:" and end with "That is all."',
        rules.begins("In short:"),
        rules.ends("That is all."),
        rules.words(50, 90),
    ),
    _task(
        15,
        "Give the numbers from 1 to 15 on one line, separated by single commas without blanks, but write F in place of "
        f"every multiple of 4. {_BARE}",
        rules.exactly("1,2,3,F,5,6,7,F,9,10,11,F,13,14,15"),
    ),
    _task(
        16,
        "Write a table in Markdown with exactly the three columns Planet, Moons and Rings and four rows of data. Write "
        "nothing else.",
        rules.lines(6),
        rules.each_line(r"\|?[^|]+\|[^|]+\|[^|]+\|?\s*", "three columns in each line"),
        rules.matches(r"\|?\s*Planet\s*\|\s*Moons\s*\|\s*Rings\s*\|?\s*\n[|\s:-]+\n.*", "this heading"),
    ),
    _task(
        17,
        "Recommend a book to a friend in exactly four sentences, each a question.",
        rules.sentences(4),
        rules.matches(r"[^.!]*\?", "questions only"),
    ),
    _task(
        18,
        "Give ten different English words of exactly seven letters each, in lower case and alphabetical order, one on "
        "each line. Write nothing else.",
        rules.lines(10),
        rules.each_line(r"[a-z]{7}", "seven letters in lower case"),
        rules.in_order(),
    ),
    _task(
        19,
        "Turn this into an ISO date and give that alone, without a full stop: the third of November in the year two "
        "thousand and nineteen.",
        rules.exactly("2019-11-03"),
    ),
    _task(
        20,
        'Give a tree as JSON. Every node is an object with exactly the keys "label" (text) and "children" (list of '
        "nodes). The root has two children; the first of them has one child, the second none, and that child none. "
        f"{_BARE}",
        rules.is_json("a tree of this shape", _tree),
    ),
    _task(
        21,
        "Sort these words by their length, shortest first, and those of equal length alphabetically: pear, fig, "
        "banana, apple, kiwi, plum, date, lime. Give them on one line, separated by a comma and a blank. Write "
        "nothing else.",
        rules.exactly("fig, date, kiwi, lime, pear, plum, apple, banana"),
    ),
    _task(
        22,
        "Summarise the idea of compound interest in at most 30 words. Name the words principal and rate. Use no digits "
        "and no per cent sign.",
        rules.words(5, 30),
        rules.mentions("principal", "rate"),
        rules.without("0123456789%"),
    ),
)
