"""The own coding tasks: a right solution of each passes its tests, a wrong one does not."""

from __future__ import annotations

import pytest

from rlmc.bench.program import Program, code_in
from rlmc.bench.task import Answer
from rlmc.bench.tasks.code import TASKS

# The last line of each says how it is made wrong: what is replaced, and by what.
SOLUTIONS: tuple[tuple[str, tuple[str, str]], ...] = (
    (
        "from itertools import groupby\n"
        "def run_lengths(text):\n    return [(char, len(list(run))) for char, run in groupby(text)]",
        ("groupby(text)", "groupby(sorted(text))"),
    ),
    (
        "def merge_spans(spans):\n    found = []\n    for first, last in sorted(spans):\n"
        "        if found and first <= found[-1][1] + 1:\n"
        "            found[-1] = (found[-1][0], max(last, found[-1][1]))\n"
        "        else:\n            found.append((first, last))\n    return found",
        ("found[-1][1] + 1", "found[-1][1]"),
    ),
    (
        "def roman(number):\n    out = ''\n    for value, text in zip(\n"
        "        (1000, 900, 500, 400, 100, 90, 50, 40, 10, 9, 5, 4, 1), 'M CM D CD C XC L XL X IX V IV I'.split()\n"
        "    ):\n        out += text * (number // value)\n        number %= value\n    return out",
        ("IV", "IIII"),
    ),
    (
        "def balanced(text):\n    pairs = {')': '(', ']': '[', '}': '{'}\n    open_ = []\n    for char in text:\n"
        "        if char in '([{':\n            open_.append(char)\n"
        "        elif char in pairs and (not open_ or open_.pop() != pairs[char]):\n            return False\n"
        "    return not open_",
        ("return not open_", "return True"),
    ),
    (
        "from itertools import zip_longest\n"
        "def transpose_text(text):\n"
        "    columns = zip_longest(*text.split('\\n'), fillvalue=' ')\n"
        "    return '\\n'.join(''.join(column).rstrip() for column in columns)",
        (".rstrip()", ""),
    ),
    (
        "import re\n"
        "def parse_duration(text):\n"
        "    found = re.fullmatch(r'(?:(\\d+)d)?(?:(\\d+)h)?(?:(\\d+)m)?(?:(\\d+)s)?', text)\n"
        "    if not text or not found:\n        raise ValueError(text)\n"
        "    return sum(int(n or 0) * s for n, s in zip(found.groups(), (86400, 3600, 60, 1)))",
        ("not text or ", ""),
    ),
    (
        "def group_anagrams(words):\n    found = {}\n    for word in words:\n"
        "        found.setdefault(tuple(sorted(word)), []).append(word)\n    return list(found.values())",
        ("sorted(word)", "sorted(word.lower())"),
    ),
    (
        "def longest_unique(text):\n    seen, start, best = {}, 0, 0\n    for at, char in enumerate(text):\n"
        "        start = max(start, seen.get(char, -1) + 1)\n        seen[char] = at\n"
        "        best = max(best, at - start + 1)\n    return best",
        ("max(start, seen.get(char, -1) + 1)", "seen.get(char, -1) + 1"),
    ),
    (
        "def spiral(rows):\n    out = []\n    rows = [list(row) for row in rows]\n    while rows:\n"
        "        out += rows.pop(0)\n        rows = [list(row) for row in zip(*rows)][::-1]\n    return out",
        ("[::-1]", ""),
    ),
    (
        "import re\n"
        "def evaluate(text):\n    tokens = re.findall(r'\\d+|[-+*()]', text)\n"
        "    def atom():\n        token = tokens.pop(0)\n        if token != '(':\n            return int(token)\n"
        "        value = total()\n        tokens.pop(0)\n        return value\n"
        "    def product():\n        value = atom()\n        while tokens and tokens[0] == '*':\n"
        "            tokens.pop(0)\n            value *= atom()\n        return value\n"
        "    def total():\n        value = product()\n        while tokens and tokens[0] in '+-':\n"
        "            value += product() if tokens.pop(0) == '+' else -product()\n        return value\n"
        "    return total()",
        ("else -product()", "else -total()"),
    ),
    (
        "import heapq\n"
        "def topological(needs):\n    names = set(needs) | {n for before in needs.values() for n in before}\n"
        "    left = {n: set(needs.get(n, ())) for n in names}\n"
        "    ready = [n for n in names if not left[n]]\n    heapq.heapify(ready)\n    out = []\n"
        "    while ready:\n        name = heapq.heappop(ready)\n        out.append(name)\n"
        "        for other in names:\n            if name in left[other]:\n                left[other].discard(name)\n"
        "                if not left[other]:\n                    heapq.heappush(ready, other)\n"
        "    if len(out) != len(names):\n        raise ValueError('cycle')\n    return out",
        ("raise ValueError('cycle')", "return []"),
    ),
    (
        "def change(amount, coins):\n    best = [0] + [None] * amount\n    for sum_ in range(1, amount + 1):\n"
        "        ways = [best[sum_ - c] for c in coins if c <= sum_ and best[sum_ - c] is not None]\n"
        "        best[sum_] = min(ways) + 1 if ways else None\n    return best[amount]",
        ("min(ways)", "ways[-1]"),
    ),
    (
        "def caesar(text, shift):\n    def moved(char):\n        for first in 'aA':\n"
        "            if first <= char <= chr(ord(first) + 25):\n"
        "                return chr((ord(char) - ord(first) + shift) % 26 + ord(first))\n        return char\n"
        "    return ''.join(map(moved, text))",
        ("'aA'", "'a'"),
    ),
    (
        "def next_permutation(items):\n    items = list(items)\n    at = len(items) - 2\n"
        "    while at >= 0 and items[at] >= items[at + 1]:\n        at -= 1\n    if at < 0:\n        return None\n"
        "    other = max(n for n in range(at + 1, len(items)) if items[n] > items[at])\n"
        "    items[at], items[other] = items[other], items[at]\n"
        "    return items[: at + 1] + items[:at:-1]",
        ("items = list(items)", "pass"),
    ),
    (
        "def islands(grid):\n    left = {(r, c) for r, row in enumerate(grid) for c, f in enumerate(row) if f == '#'}\n"
        "    found = 0\n    while left:\n        found += 1\n        todo = [left.pop()]\n        while todo:\n"
        "            r, c = todo.pop()\n"
        "            for near in ((r + 1, c), (r - 1, c), (r, c + 1), (r, c - 1)):\n"
        "                if near in left:\n                    left.remove(near)\n"
        "                    todo.append(near)\n    return found",
        ("(r, c - 1))", "(r, c - 1), (r + 1, c + 1), (r - 1, c - 1))"),
    ),
    (
        "def wrap(text, width):\n    lines = []\n    for word in text.split():\n"
        "        if lines and len(lines[-1]) + 1 + len(word) <= width:\n            lines[-1] += ' ' + word\n"
        "        else:\n            lines.append(word)\n    return lines",
        ("+ 1 + len(word)", "+ len(word)"),
    ),
    (
        "def flatten(value):\n    out = {}\n    for key, inner in value.items():\n"
        "        if isinstance(inner, dict) and inner:\n"
        "            out.update({f'{key}.{rest}': v for rest, v in flatten(inner).items()})\n"
        "        else:\n            out[key] = inner\n    return out",
        (" and inner", ""),
    ),
    (
        "from statistics import median\n"
        "def median_window(values, size):\n"
        "    return [median(values[at : at + size]) for at in range(len(values) - size + 1)]",
        ("median(", "min("),
    ),
    (
        "def edit_distance(one, other):\n"
        "    d = {(r, c): r + c for r in range(len(one) + 1) for c in range(len(other) + 1)}\n"
        "    for r in range(1, len(one) + 1):\n        for c in range(1, len(other) + 1):\n"
        "            d[r, c] = min(d[r - 1, c] + 1, d[r, c - 1] + 1, d[r - 1, c - 1] + (one[r - 1] != other[c - 1]))\n"
        "            if r > 1 and c > 1 and one[r - 2 : r] == other[c - 2 : c][::-1]:\n"
        "                d[r, c] = min(d[r, c], d[r - 2, c - 2] + 1)\n"
        "    return d[len(one), len(other)]",
        ("[::-1]", ""),
    ),
    (
        "def base_digits(number, base):\n    if not 2 <= base <= 36:\n        raise ValueError(base)\n"
        "    left, out = abs(number), ''\n    while left or not out:\n"
        "        out = '0123456789abcdefghijklmnopqrstuvwxyz'[left % base] + out\n        left //= base\n"
        "    return '-' * (number < 0) + out",
        ("left or not out", "left"),
    ),
    (
        "def csv_line(line):\n    fields, field, quoted, at = [], '', False, 0\n    while at < len(line):\n"
        "        char = line[at]\n"
        "        if quoted and line[at : at + 2] == '\"\"':\n            field += '\"'\n            at += 1\n"
        "        elif char == '\"':\n            quoted = not quoted\n"
        "        elif char == ',' and not quoted:\n            fields.append(field)\n            field = ''\n"
        "        else:\n            field += char\n        at += 1\n    return fields + [field]",
        ("and not quoted", ""),
    ),
    (
        "import heapq\n"
        "def shortest(graph, start, goal):\n    queue, seen = [(0, start)], set()\n    while queue:\n"
        "        length, place = heapq.heappop(queue)\n        if place == goal:\n            return length\n"
        "        if place in seen:\n            continue\n        seen.add(place)\n"
        "        for other, step in graph.get(place, {}).items():\n"
        "            heapq.heappush(queue, (length + step, other))\n    return None",
        ("length + step", "length + 1"),
    ),
)


def fenced(code: str) -> Answer:
    return Answer(f"Here it is:\n\n```python\n{code}\n```\n\nIt is short.")


def test_there_are_enough_and_a_solution_for_each() -> None:
    assert len(TASKS) == len(SOLUTIONS) >= 20
    assert len({task.id for task in TASKS}) == len(TASKS)


@pytest.mark.parametrize("at", range(len(TASKS)), ids=[task.id for task in TASKS])
def test_a_right_solution_passes_and_a_wrong_one_does_not(at: int) -> None:
    task, (code, (was, becomes)) = TASKS[at], SOLUTIONS[at]
    assert task.check(fenced(code)).why == ""
    assert code.count(was) >= 1
    wrong = task.check(fenced(code.replace(was, becomes)))
    assert not wrong.passed
    assert wrong.why in ("a test fails", "a test ends in an error")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("def f():\n    pass", "def f():\n    pass"),
        ("```\ndef f(): 1\n```", "def f(): 1\n"),
        ("```py\ndef f(): 1\n```\nor better\n```python\ndef f(): 2\n```\nused so\n```python\nf()\n```", "def f(): 2\n"),
        ("```json\ndef f(): 1\n```", "```json\ndef f(): 1\n```"),
        ("```python\ndef g(): 1\n```", None),
        ("no code", None),
    ],
)
def test_which_code_of_an_answer_counts(text: str, code: str | None) -> None:
    assert code_in(text, "f") == code


def test_an_answer_without_the_function_is_not_run() -> None:
    verdict = Program("f", "assert f() == 1")(Answer("I cannot."))
    assert (verdict.passed, verdict.why) == (False, "no such function")
