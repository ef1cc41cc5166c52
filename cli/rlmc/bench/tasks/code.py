"""Code: small Python functions, each with tests of its own."""

from __future__ import annotations

from rlmc.bench.program import ASK, Program
from rlmc.bench.task import Task

# For tests of what must be refused; stands behind the answer's code.
_REFUSED = """
def _refused(*given):
    try:
        {function}(*given)
    except ValueError:
        return True
    return False
"""


def _task(number: int, signature: str, wanted: str, *tests: str) -> Task:
    function = signature.partition("(")[0]
    prompt = f"Write a Python function `{signature}`.\n\n{wanted}\n\n{ASK}"
    checks = "\n".join(f"assert {test}" for test in tests)
    return Task(f"code-{number:02}", "code", prompt, Program(function, _REFUSED.format(function=function) + checks))


TASKS: tuple[Task, ...] = (
    _task(
        1,
        "run_lengths(text: str) -> list[tuple[str, int]]",
        "It gives the runs of equal characters in `text`, in order, each with its length.",
        "run_lengths('') == []",
        "run_lengths('a') == [('a', 1)]",
        "run_lengths('aabccc') == [('a', 2), ('b', 1), ('c', 3)]",
        "run_lengths('abab') == [('a', 1), ('b', 1), ('a', 1), ('b', 1)]",
    ),
    _task(
        2,
        "merge_spans(spans: list[tuple[int, int]]) -> list[tuple[int, int]]",
        "Spans are closed intervals (first, last) of integers, in any order. It unites those that overlap or touch; "
        "(1, 3) and (4, 6) touch, because no integer lies between. The result is in ascending order.",
        "merge_spans([]) == []",
        "merge_spans([(4, 6), (1, 3)]) == [(1, 6)]",
        "merge_spans([(1, 3), (5, 6)]) == [(1, 3), (5, 6)]",
        "merge_spans([(1, 10), (2, 3), (12, 12)]) == [(1, 10), (12, 12)]",
        "merge_spans([(-5, -3), (-2, 0), (7, 8), (8, 9)]) == [(-5, 0), (7, 9)]",
    ),
    _task(
        3,
        "roman(number: int) -> str",
        "It writes a number from 1 to 3999 in Roman numerals, with the usual subtractive forms.",
        "roman(1) == 'I'",
        "roman(4) == 'IV'",
        "roman(49) == 'XLIX'",
        "roman(944) == 'CMXLIV'",
        "roman(2026) == 'MMXXVI'",
        "roman(3999) == 'MMMCMXCIX'",
    ),
    _task(
        4,
        "balanced(text: str) -> bool",
        "It says whether the brackets (), [] and {} in `text` are properly nested. Other characters are ignored.",
        "balanced('')",
        "balanced('a(b[c]{d})')",
        "not balanced('(]')",
        "not balanced('([)]')",
        "not balanced('((')",
        "not balanced(')(')",
    ),
    _task(
        5,
        "transpose_text(text: str) -> str",
        "It swaps the rows and columns of a text of lines. Shorter lines are filled with blanks on the right first, "
        "and blanks at the end of the resulting lines are removed. An empty text stays empty.",
        "transpose_text('') == ''",
        "transpose_text('abc') == 'a\\nb\\nc'",
        "transpose_text('ab\\nc') == 'ac\\nb'",
        "transpose_text('a\\nbc') == 'ab\\n c'",
    ),
    _task(
        6,
        "parse_duration(text: str) -> int",
        "It reads durations such as '1h30m', '45s' or '2d4h' (days d, hours h, minutes m, seconds s; each at most once "
        "and in this order) and gives seconds. Anything else, the empty text too, raises ValueError.",
        "parse_duration('45s') == 45",
        "parse_duration('1h30m') == 5400",
        "parse_duration('2d4h') == 187200",
        "parse_duration('1d1h1m1s') == 90061",
        "parse_duration('90m') == 5400",
        "all(_refused(text) for text in ('', '5', 'h', '1m1h', '1h1h', '1h 5m', '-1s'))",
    ),
    _task(
        7,
        "group_anagrams(words: list[str]) -> list[list[str]]",
        "It puts words that are made of the same letters into groups. Case matters. Groups stand in the order of their "
        "first word, words in a group in the order in which they came.",
        "group_anagrams([]) == []",
        "group_anagrams(['tea', 'tan', 'eat', 'nat', 'x']) == [['tea', 'eat'], ['tan', 'nat'], ['x']]",
        "group_anagrams(['Ab', 'ba', 'bA']) == [['Ab', 'bA'], ['ba']]",
    ),
    _task(
        8,
        "longest_unique(text: str) -> int",
        "It gives the length of the longest stretch of `text` in which no character occurs twice.",
        "longest_unique('') == 0",
        "longest_unique('aaaa') == 1",
        "longest_unique('abcabcbb') == 3",
        "longest_unique('abba') == 2",
        "longest_unique('tmmzuxt') == 5",
        "longest_unique('ab' * 100000 + 'cd') == 4",
    ),
    _task(
        9,
        "spiral(rows: list[list[int]]) -> list[int]",
        "It reads a rectangular table clockwise from its upper left corner inwards.",
        "spiral([]) == []",
        "spiral([[1, 2, 3]]) == [1, 2, 3]",
        "spiral([[1], [2], [3]]) == [1, 2, 3]",
        "spiral([[1, 2], [3, 4]]) == [1, 2, 4, 3]",
        "spiral([[1, 2, 3], [4, 5, 6], [7, 8, 9], [10, 11, 12]]) == [1, 2, 3, 6, 9, 12, 11, 10, 7, 4, 5, 8]",
    ),
    _task(
        10,
        "evaluate(text: str) -> int",
        "It works out an expression of non-negative integers, +, -, * and parentheses, with the usual precedence; "
        "blanks may stand anywhere between them. There is no unary minus. It must not use eval or exec.",
        "evaluate('7') == 7",
        "evaluate('2 + 3 * 4') == 14",
        "evaluate('(2+3)*4') == 20",
        "evaluate('10-4-3') == 3",
        "evaluate('2*(3+(4-1))*5 - 1') == 59",
    ),
    _task(
        11,
        "topological(needs: dict[str, list[str]]) -> list[str]",
        "`needs` says for each name which names must come before it; names that occur only in the lists count too. It "
        "gives all names in a valid order; where several could be next, the alphabetically first is. A cycle raises "
        "ValueError.",
        "topological({}) == []",
        "topological({'b': ['a'], 'c': ['b'], 'a': []}) == ['a', 'b', 'c']",
        "topological({'x': ['z'], 'y': []}) == ['y', 'z', 'x']",
        "topological({'d': ['b', 'c'], 'b': ['a'], 'c': ['a']}) == ['a', 'b', 'c', 'd']",
        "_refused({'a': ['b'], 'b': ['a']})",
        "_refused({'a': ['a']})",
    ),
    _task(
        12,
        "change(amount: int, coins: list[int]) -> int | None",
        "It gives the smallest number of coins that add up to `amount`, each kind as often as wanted, or None where "
        "that is impossible.",
        "change(0, [5]) == 0",
        "change(6, [1, 3, 4]) == 2",
        "change(7, [2, 4]) is None",
        "change(63, [1, 5, 10, 21, 25]) == 3",
        "change(9999, [1, 7, 500]) == 92",
    ),
    _task(
        13,
        "caesar(text: str, shift: int) -> str",
        "It moves every letter a-z and A-Z by `shift` places in the alphabet, round the end and keeping its case; all "
        "other characters stay.",
        "caesar('abc', 1) == 'bcd'",
        "caesar('xyz, XYZ!', 3) == 'abc, ABC!'",
        "caesar('Hello', -5) == 'Czggj'",
        "caesar('é z', 27) == 'é a'",
    ),
    _task(
        14,
        "next_permutation(items: list[int]) -> list[int] | None",
        "It gives the next arrangement of the items in lexicographic order, or None where there is none. The list it "
        "is given stays as it is.",
        "next_permutation([1, 2, 3]) == [1, 3, 2]",
        "next_permutation([1, 3, 2]) == [2, 1, 3]",
        "next_permutation([3, 2, 1]) is None",
        "next_permutation([1, 1, 5]) == [1, 5, 1]",
        "next_permutation([]) is None",
        "(lambda given: (next_permutation(given), given))([2, 3, 1]) == ([3, 1, 2], [2, 3, 1])",
    ),
    _task(
        15,
        "islands(grid: list[str]) -> int",
        "`grid` is a map of '#' (land) and '.' (water). It counts the pieces of land; fields that only meet at a "
        "corner are apart.",
        "islands([]) == 0",
        "islands(['...']) == 0",
        "islands(['#.', '.#']) == 2",
        "islands(['##.#', '#..#', '..##', '#...']) == 3",
        "islands(['#' * 200] * 200) == 1",
    ),
    _task(
        16,
        "wrap(text: str, width: int) -> list[str]",
        "It breaks text into lines of at most `width` characters, as many words on each line as fit with one blank "
        "between them. A word that is longer than `width` stands on a line of its own, whole. Any white space "
        "separates words.",
        "wrap('', 5) == []",
        "wrap('a bb ccc', 4) == ['a bb', 'ccc']",
        "wrap('a  bb\\nccc', 8) == ['a bb ccc']",
        "wrap('incredible me', 4) == ['incredible', 'me']",
        "wrap('aa bbb c', 5) == ['aa', 'bbb c']",
        "wrap('x incredible', 4) == ['x', 'incredible']",
    ),
    _task(
        17,
        "flatten(value: dict) -> dict",
        "It turns nested dictionaries into one whose keys are the paths, joined by dots: {'a': {'b': 1}} becomes "
        "{'a.b': 1}. An empty dictionary below the top stays as a value. Lists are values.",
        "flatten({}) == {}",
        "flatten({'a': {'b': 1, 'c': {'d': 2}}, 'e': [{'f': 3}]}) == {'a.b': 1, 'a.c.d': 2, 'e': [{'f': 3}]}",
        "flatten({'a': {}, 'b': {'c': {}}}) == {'a': {}, 'b.c': {}}",
    ),
    _task(
        18,
        "median_window(values: list[int], size: int) -> list[float]",
        "It gives the median of every window of `size` neighbours, in order; of an even number the mean of the middle "
        "two. Where the list is shorter than `size`, the result is empty.",
        "median_window([1, 3, 2], 3) == [2]",
        "median_window([1, 3, 2, 8], 2) == [2, 2.5, 5]",
        "median_window([5], 2) == []",
        "median_window([4, 1, 7, 7, 0], 3) == [4, 7, 7]",
    ),
    _task(
        19,
        "edit_distance(one: str, other: str) -> int",
        "It gives how few characters have to be inserted, removed or replaced to make one text of the other; swapping "
        "two neighbours counts as a single change too, where no other change touches them.",
        "edit_distance('', '') == 0",
        "edit_distance('abc', '') == 3",
        "edit_distance('kitten', 'sitting') == 3",
        "edit_distance('ab', 'ba') == 1",
        "edit_distance('ca', 'abc') == 3",
        "edit_distance('teh cat', 'the cart') == 2",
    ),
    _task(
        20,
        "base_digits(number: int, base: int) -> str",
        "It writes an integer, negative ones with a minus, in a base from 2 to 36, with the digits 0-9 and a-z. "
        "Another base raises ValueError.",
        "base_digits(0, 2) == '0'",
        "base_digits(255, 16) == 'ff'",
        "base_digits(-10, 3) == '-101'",
        "base_digits(123456789, 36) == '21i3v9'",
        "_refused(5, 1)",
        "_refused(5, 37)",
    ),
    _task(
        21,
        "csv_line(line: str) -> list[str]",
        "It splits one line of CSV at its commas. A field may be in double quotes; commas in it do not separate then, "
        "and a doubled quote in it is one quote. It must not use the csv module.",
        "csv_line('') == ['']",
        "csv_line('a,b,,c') == ['a', 'b', '', 'c']",
        "csv_line('\"a,b\",c') == ['a,b', 'c']",
        'csv_line(\'"say ""hi""",""\') == [\'say "hi"\', \'\']',
        "csv_line('a,') == ['a', '']",
    ),
    _task(
        22,
        "shortest(graph: dict[str, dict[str, int]], start: str, goal: str) -> int | None",
        "`graph` gives for each place the places it leads to, with lengths of 0 or more; a place without an entry "
        "leads nowhere. It gives the length of the shortest way, or None where there is none.",
        "shortest({}, 'a', 'a') == 0",
        "shortest({'a': {'b': 5}}, 'b', 'a') is None",
        "shortest({'a': {'b': 7, 'c': 2}, 'c': {'b': 3, 'd': 9}, 'b': {'d': 1}}, 'a', 'd') == 6",
        "shortest({'a': {'b': 0}, 'b': {'a': 0, 'c': 4}}, 'a', 'c') == 4",
    ),
)
