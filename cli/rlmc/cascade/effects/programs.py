"""Programs whose arguments are programs themselves: sed, awk, jq, and the shell's own `test` and `printf`.

Rule: each of these little languages is read as far as it only reads and prints; at the first sign of anything else, or
of a place where two implementations differ, the answer is no.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from rlmc.cascade.effects.rules import after_options, fits, rule
from rlmc.cascade.effects.sed import only_prints
from rlmc.cascade.effects.words import Word

_SED = rule(
    "-n -E -r -u -z -s -e: --quiet --silent --regexp-extended --null-data --separate --unbuffered --posix --sandbox "
    "--expression:"
)
_SED_SCRIPT = re.compile(r"(?:-[nErusz]*e|--expression=|--expression$)(.*)", re.DOTALL)
_AWK = rule("-F: -v:")
_DIGITS = re.compile(r"[-+]?\d+")
_HIDDEN_COMMAND = re.compile(r"\$\(|`")

# In any place, also inside texts: what awk can do besides printing, under every name it has.
_AWK_DOES = re.compile(r"system|getline|ARGV|ARGC|ARGIND|ENVIRON|PROCINFO|SYMTAB|FUNCTAB|@|close|fflush|extension")
_AWK_OUT = re.compile(r"[|>]")
_AWK_BEFORE_PATTERN = "~(,!{;&|}\n"
_AWK_TEXT = re.compile(r'"(?:[^"\\\n]|\\.)*"')
_AWK_PATTERN = re.compile(r"/(?:[^/\\\n]|\\.)*/")

_JQ_ENVIRONMENT = re.compile(r"(?<![.\w])(?:env|ENV)\b")

_PRINTF = re.compile(r"(?:[^%]|%%|%[-0-9.]{0,6}[sbqc])*", re.DOTALL)
_PRINTF_NUMBERS = re.compile(r"(?:[^%]|%%|%[-+ 0-9.]{0,6}[sbqcdiuxXofeg])*", re.DOTALL)

_COMPARES_NUMBERS = frozenset({"-eq", "-ne", "-lt", "-le", "-gt", "-ge"})
_COMPARES = _COMPARES_NUMBERS | {"=", "==", "!=", "-nt", "-ot", "-ef"}
_ASKS = frozenset(f"-{letter}" for letter in "abcdefghknprstuwxzGLNOS")
# Asked of a variable's name, in which a command may hide; or with an order of letters of its own.
_NEVER = frozenset({"-v", "-R", "<", ">", "=~"})


def sed(words: Sequence[Word]) -> bool:
    if not fits(_SED, words) or any(word.text == "--" for word in words):
        return False
    scripts: list[Word] = []
    others: list[Word] = []
    follows = False
    for word in words:
        if follows:
            scripts.append(word)
            follows = False
        elif not word.text.startswith("-"):
            others.append(word)
        elif given := _SED_SCRIPT.fullmatch(word.text):
            if others:
                return False  # to GNU's sed these are files, to BSD's the first of them is the script
            follows = not given[1]
            if given[1]:
                scripts.append(Word(given[1], word.glob, word.loose))
    scripts = scripts or others[:1]
    return bool(scripts) and all(script.exact and only_prints(script.text) for script in scripts)


def awk(words: Sequence[Word]) -> bool:
    rest = after_options(_AWK, words)
    return rest is not None and bool(rest) and rest[0].exact and _awk_only_prints(rest[0].text)


def _awk_only_prints(program: str) -> bool:
    """A `>` compares outside of braces and inside of parentheses; everywhere else it writes, and a `|` runs."""
    if _AWK_DOES.search(program):
        return False
    if not _AWK_OUT.search(program):
        return True
    braces = parens = at = 0
    before = "\n"
    while at < len(program):
        char = program[at]
        if char == '"':
            text = _AWK_TEXT.match(program, at)
            if text is None:
                return False
            at, before = text.end(), char
            continue
        if char == "/":
            # Where this could be a division, what follows could be read in two ways.
            pattern = _AWK_PATTERN.match(program, at)
            if pattern is None or "[" in pattern[0] or before not in _AWK_BEFORE_PATTERN:
                return False
            at, before = pattern.end(), char
            continue
        if char in "#\\":
            return False
        braces += (char == "{") - (char == "}")
        parens += (char == "(") - (char == ")")
        if char == ">" and braces and not parens:
            return False
        if char == "|":
            if program[at : at + 2] != "||" or program[at + 2 : at + 3] in ("|", "&"):
                return False
            at += 1
        if braces < 0 or parens < 0:
            return False
        before = before if char in " \t" else char
        at += 1
    return True


def jq(words: Sequence[Word]) -> bool:
    return not any(_JQ_ENVIRONMENT.search(word.text) for word in words)


def printf(words: Sequence[Word]) -> bool:
    """Numbers are arithmetic to some shells, and arithmetic can run commands: only where they are numbers already."""
    if words and words[0].exact and words[0].text == "--":
        words = words[1:]
    if not words or not words[0].exact or words[0].text.startswith("-"):
        return False
    if _PRINTF.fullmatch(words[0].text):
        return True
    return bool(_PRINTF_NUMBERS.fullmatch(words[0].text)) and all(_is_number(word) for word in words[1:])


def test(words: Sequence[Word]) -> bool:
    """`test`, `[` and `[[` alike, brackets not among the words. Some shells work out numbers as arithmetic, and names
    of variables with it: in both a command can hide."""
    if any(not word.single or word.text in _NEVER or _HIDDEN_COMMAND.search(word.text) for word in words):
        return False
    for at, word in enumerate(words):
        before = words[at - 1].text if at else ""
        after = words[at + 1].text if at + 1 < len(words) else ""
        numbers = before in _COMPARES_NUMBERS or after in _COMPARES_NUMBERS or before == "-t"
        if numbers and not _is_number(word):
            return False
        if not word.exact and len(words) > 1 and not (before in _COMPARES or before in _ASKS or after in _COMPARES):
            return False  # it may be an operator itself
    return True


def _is_number(word: Word) -> bool:
    return word.exact and _DIGITS.fullmatch(word.text) is not None


PROGRAMS: dict[str, Callable[[Sequence[Word]], bool]] = {
    "sed": sed,
    "gsed": sed,
    "awk": awk,
    "gawk": awk,
    "mawk": awk,
    "nawk": awk,
    "printf": printf,
    "test": test,
}
