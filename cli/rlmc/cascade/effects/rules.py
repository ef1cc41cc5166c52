"""What arguments a program may have to be no more than a look at things: a rule, and whether a line of words fits it.

Rule: options are allowed by name, never forbidden by name, so that one nobody thought of is refused. A word that could
turn out to be an option counts as an unknown one.

Options are written as a manual lists them: `-a --all` take no value (a long one may have one after `=`), `-n:` takes
one, `-M?` may have one right behind it, `-#` is a number such as `-5`, and `--watch=false` is allowed just so.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import field

from rlmc.cascade.effects.words import UNKNOWN, Word
from rlmc.domain.frozen import dataclass

# A value that begins with a dash may be an option after all, where a table is wrong about what takes a value.
_NEGATIVE = re.compile(r"-\d+[A-Za-z]?")
_NUMBER = re.compile(r"-\d+")
_ATTACHED = re.compile(r"[\w%/.]*")


@dataclass(frozen=True, slots=True)
class Rule:
    """`least` and `most` count operands, `operands` is what each of them must be. One of `needs` must be there, if
    there are any. `values` are patterns for the values of some options. Without `clusters` an option is a whole word;
    with them `-ab5` may be `-a -b 5`. `ordered` is for programs that take what follows an operand for operands. `rest`
    holds for what follows `--`, which are operands otherwise."""

    plain: frozenset[str]
    valued: frozenset[str]
    attached: frozenset[str]
    numbers: bool
    least: int
    most: int | None
    operands: re.Pattern[str] | None
    needs: frozenset[str]
    values: Mapping[str, re.Pattern[str]]
    clusters: bool
    ordered: bool
    rest: Rule | None


def rule(
    options: str = "",
    *,
    least: int = 0,
    most: int | None = None,
    operands: str | None = None,
    needs: str = "",
    values: Mapping[str, str] | None = None,
    clusters: bool = True,
    ordered: bool = False,
    rest: Rule | None = None,
) -> Rule:
    names = options.split()
    return Rule(
        plain=frozenset(n for n in names if n[-1] not in ":?"),
        valued=frozenset(n[:-1] for n in names if n.endswith(":")),
        attached=frozenset(n[:-1] for n in names if n.endswith("?")),
        numbers="-#" in names,
        least=least,
        most=most,
        operands=None if operands is None else re.compile(operands),
        needs=frozenset(needs.split()),
        values={name: re.compile(pattern) for name, pattern in (values or {}).items()},
        clusters=clusters,
        ordered=ordered,
        rest=rest,
    )


def fits(rule: Rule, words: Sequence[Word]) -> bool:
    """Whether these arguments, the program's name not among them, are what the rule allows."""
    reading = _Reading(rule)
    after = reading.options(words, whole=True)
    if after is None or (rule.needs and rule.needs.isdisjoint(reading.seen)):
        return False
    rest = words[after:]
    if rule.rest is not None:
        return reading.operands_fit() and fits(rule.rest, rest)
    reading.operands.extend(rest)
    return reading.operands_fit()


def after_options(rule: Rule, words: Sequence[Word]) -> Sequence[Word] | None:
    """What follows the leading options; None where these are not what the rule allows."""
    after = _Reading(rule).options(words, whole=False)
    return None if after is None else words[after:]


@dataclass(slots=True)
class _Reading:
    rule: Rule
    seen: set[str] = field(default_factory=set)
    operands: list[Word] = field(default_factory=list)

    def options(self, words: Sequence[Word], *, whole: bool) -> int | None:
        """Where options end: behind `--`, at the end or, unless the `whole` line is wanted, at the first operand."""
        at = 0
        while at < len(words):
            word = words[at]
            if word.exact and word.text == "--" and not (self.operands and self.rule.ordered):
                return at + 1
            if not word.may_be_option or (word.exact and word.text == "-"):
                if not whole:
                    return at
                self.operands.append(word)
                at += 1
                continue
            if self.operands and self.rule.ordered:
                return None
            taken = self._option(word, words[at + 1] if at + 1 < len(words) else None)
            if not taken:
                return None
            at += taken
        return at

    def operands_fit(self) -> bool:
        rule, operands = self.rule, self.operands
        if rule.least > len(operands):
            return False
        if rule.most is not None and (len(operands) > rule.most or not all(w.single for w in operands)):
            return False
        pattern = rule.operands
        if pattern is None:
            return True
        return all(not w.loose and UNKNOWN not in w.text and pattern.fullmatch(w.text) for w in operands)

    def _option(self, word: Word, following: Word | None) -> int:
        """How many words this option takes; 0 where it is none of the rule's."""
        rule, text = self.rule, word.text
        if not word.single:
            return 0
        name, equals, value = text.partition("=")
        if word.exact and text in rule.plain:
            return self._see(text)
        if equals and (name in rule.valued or (name in rule.plain and name.startswith("--"))):
            return self._see(name) if self._value_fits(name, value) else 0
        if not word.exact:
            return 0
        if text in rule.valued:
            if following is None:
                return self._see(text)
            return self._see(text) + 1 if self._may_be_value(text, following) else 0
        if rule.numbers and _NUMBER.fullmatch(text):
            return self._see("-#")
        return self._cluster(text, following) if rule.clusters and not text.startswith("--") else 0

    def _cluster(self, text: str, following: Word | None) -> int:
        rule = self.rule
        for at in range(1, len(text)):
            name, rest = f"-{text[at]}", text[at + 1 :]
            if name in rule.plain:
                self._see(name)
            elif name in rule.attached:
                return self._see(name) if _ATTACHED.fullmatch(rest) and self._value_fits(name, rest) else 0
            elif name in rule.valued:
                if rest:
                    return self._see(name) if self._value_fits(name, rest) else 0
                if following is None or not self._may_be_value(name, following):
                    return 0
                return self._see(name) + 1
            else:
                return 0
        return 1

    def _see(self, name: str) -> int:
        self.seen.add(name)
        return 1

    def _may_be_value(self, name: str, word: Word) -> bool:
        if not word.single or (word.may_be_option and not _NEGATIVE.fullmatch(word.text)):
            return False
        return self._value_fits(name, word.text) and (word.exact or name not in self.rule.values)

    def _value_fits(self, name: str, value: str) -> bool:
        pattern = self.rule.values.get(name)
        return pattern is None or pattern.fullmatch(value) is not None
