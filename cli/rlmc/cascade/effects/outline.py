"""A first look at a command line: quotes, brackets and operators, whether they could belong together at all.

Rule: whoever passes may still be anything; whoever does not pass is no command anybody needs. The grammar would find
the same faults, but takes seconds over some texts that are nothing but faults.
"""

from __future__ import annotations

import re

_PLAIN = re.compile(r"[^\\'\"`$()<>|&;#\[\s]+")
_PLAIN_IN_QUOTES = re.compile(r"[^\\\"`$]+")
_COMMENT = re.compile(r"#[^\n]*")
_NAMED = r"\{\w+\}|\w+|[@*!$?#-]"
_VARIABLE = re.compile(rf"\$(?:{_NAMED}|(?=\s|$))")
_VARIABLE_IN_QUOTES = re.compile(rf"\$(?:{_NAMED}|(?![{{(\[']))")
_LIST = re.compile(r"\[[^\s\[\]'\"`$();&|<>\\]*\]")
_TEST = re.compile(r"(?<![^\s(])\[\[?(?=[ \t][^\n;]*\s\])")
_ANSI = re.compile(r"\$'(?:[^\\']|\\.)*'", re.DOTALL)
_OPERATOR = re.compile(r"&&|\|\||\|&?|;")
_REDIRECTION = re.compile(r">&-|(?:&>>?|>>|>\||>&|>|<<<|<(?![<>&]))[ \t]*(?=[^\s<>|&;()#])")


_MOST_BACKQUOTES = 8


def may_be_command(text: str) -> bool:
    return text.count("`") <= _MOST_BACKQUOTES and _Outline(text).holds()


class _Outline:
    """`_open` are the closing signs waited for. Around each of them a command has begun."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._open: list[str] = []
        self._begun = False  # a command, since the last operator
        self._owed = False  # a command, by an operator that joins two

    def holds(self) -> bool:
        while self._at < len(self._text):
            quoted = bool(self._open) and self._open[-1] == '"'
            if not (self._in_quotes() if quoted else self._outside()):
                return False
        return not self._open and not self._owed

    def _outside(self) -> bool:
        text, at = self._text, self._at
        char = text[at]
        if char in " \t":
            self._at += 1
        elif char == "\n":
            self._at += 1
            self._begun = False
        elif char == "#" and (at == 0 or text[at - 1] in " \t\n;"):
            self._skip(_COMMENT)
        elif char == ")":
            return self._begun and self._close(")")
        elif char == "(":
            return not self._begun and not text.startswith("((", at) and self._enter(")", 1)
        elif redirection := _REDIRECTION.match(text, at):
            self._at = redirection.end()
            return self._begun
        elif text.startswith("<(", at):
            return self._begun and self._enter(")", 2)
        elif operator := _OPERATOR.match(text, at):
            self._at = operator.end()
            begun, self._begun, self._owed = self._begun, False, operator[0] != ";"
            return begun
        else:
            self._begin()
            return self._part()
        return True

    def _part(self) -> bool:
        """One piece of a word."""
        text, at = self._text, self._at
        if text[at] == "'":
            self._at = text.find("'", at + 1) + 1
            return self._at > 0
        if text[at] == '"':
            return self._enter('"', 1)
        if ansi := _ANSI.match(text, at):
            self._at = ansi.end()
            return True
        if text[at] == "#":
            return self._step(1)
        return any(self._skip(kind) for kind in (_PLAIN, _LIST, _TEST)) or self._expansion(_VARIABLE)

    def _in_quotes(self) -> bool:
        if self._text[self._at] == '"':
            return self._close('"')
        return self._skip(_PLAIN_IN_QUOTES) or self._expansion(_VARIABLE_IN_QUOTES)

    def _expansion(self, variable: re.Pattern[str]) -> bool:
        text, at = self._text, self._at
        if text[at] == "\\":
            return self._step(2)
        if text[at] == "`":
            return self._close("`") if "`" in self._open else self._enter("`", 1)
        if text.startswith("$(", at):
            return not text.startswith("$((", at) and self._enter(")", 2)
        return self._skip(variable)

    def _begin(self) -> None:
        self._begun, self._owed = True, False

    def _enter(self, sign: str, length: int) -> bool:
        self._begin()
        self._open.append(sign)
        self._begun = sign == '"'
        return self._step(length)

    def _close(self, sign: str) -> bool:
        if not self._open or self._open[-1] != sign or self._owed:
            return False
        self._open.pop()
        self._begun = True
        return self._step(1)

    def _step(self, length: int) -> bool:
        self._at += length
        return self._at <= len(self._text)

    def _skip(self, pattern: re.Pattern[str]) -> bool:
        match = pattern.match(self._text, self._at)
        if match is None:
            return False
        self._at = match.end()
        return True
