"""Whether a script of sed only prints, changes and leaves out lines on their way to the output.

Rule: implementations disagree about where a pattern with brackets ends. A script must be harmless read in every way.
"""

from __future__ import annotations

import re
from typing import Literal

# Brackets are letters like others; or hold a list, in which the end of a pattern is one letter more; or a list in which
# [:class:] has an end of its own.
_Brackets = Literal["letters", "lists", "classes"]

_STEP = re.compile(r"[pdqQDGHghxlnNP=]")
_LINE = re.compile(r"\d+(?:~\d+)?|\$")
_LAST_LINE = re.compile(r"[+~]?\d+|\$")
_FLAGS = re.compile(r"[gpiIM0-9]*")
_BLANKS = re.compile(r"\s*")
_SEPARATORS = re.compile(r"[\s;]*")
_CODE = re.compile(r"[ \t]*\d*")
_SPACES = re.compile(r"[ \t]*")
_MODES = re.compile(r"[IM]*")
# A bracket right at the start of a list is one of its members.
_LIST_START = re.compile(r"\^?\]?")
_MARKS = "/|#,:@!%+~_="


class _Other(Exception):
    """The script does something else, or nobody can tell what."""


def only_prints(script: str) -> bool:
    try:
        return all(_Script(script, brackets).harmless() for brackets in ("letters", "lists", "classes"))
    except _Other:
        return False


class _Script:
    def __init__(self, text: str, brackets: _Brackets) -> None:
        self._text = text
        self._at = 0
        self._brackets = brackets

    def harmless(self) -> bool:
        depth = 0
        while True:
            self._skip(_SEPARATORS)
            if self._at == len(self._text):
                return depth == 0
            if self._next("}"):
                depth -= 1
                if depth < 0:
                    return False
                continue
            self._lines()
            while self._next("!"):
                self._skip(_BLANKS)
            if self._next("{"):
                depth += 1
                continue
            self._command()

    def _lines(self) -> None:
        """The lines a command is for: none, one address or two."""
        if not self._address(_LINE):
            return
        self._skip(_BLANKS)
        if self._next(","):
            self._skip(_BLANKS)
            if not self._address(_LAST_LINE):
                raise _Other
        self._skip(_BLANKS)

    def _command(self) -> None:
        if self._next("s"):
            mark = self._mark()
            self._until(mark, pattern=True)
            self._until(mark, pattern=False)
            self._skip(_FLAGS)
        elif self._next("y"):
            mark = self._mark()
            self._until(mark, pattern=False)
            self._until(mark, pattern=False)
        elif step := _STEP.match(self._text, self._at):
            self._at = step.end()
            if step[0] in "qQl":
                self._skip(_CODE)
        else:
            raise _Other
        self._skip(_SPACES)
        if self._at < len(self._text) and self._text[self._at] not in ";\n}":
            raise _Other

    def _address(self, number: re.Pattern[str]) -> bool:
        if line := number.match(self._text, self._at):
            self._at = line.end()
            return True
        if not self._next("/"):
            return False
        self._until("/", pattern=True)
        self._skip(_MODES)
        return True

    def _mark(self) -> str:
        mark = self._text[self._at : self._at + 1]
        if not mark or mark not in _MARKS:
            raise _Other
        self._at += 1
        return mark

    def _until(self, mark: str, *, pattern: bool) -> None:
        text = self._text
        bracket = False
        while self._at < len(text):
            char = text[self._at]
            self._at += 1
            if char == "\\" and not bracket:
                if self._at == len(text):
                    raise _Other
                self._at += 1
            elif bracket:
                if char == "\\" and text.startswith("]", self._at):
                    raise _Other
                if self._brackets == "classes" and char == "[" and text[self._at : self._at + 1] in (":", ".", "="):
                    self._at = text.find(f"{text[self._at]}]", self._at + 1) + 2
                    if self._at < 2:
                        raise _Other
                bracket = char != "]"
            elif pattern and char == "[" and self._brackets != "letters":
                bracket = True
                self._skip(_LIST_START)
            elif char == mark:
                return
            elif char == "\n":
                raise _Other
        raise _Other

    def _next(self, char: str) -> bool:
        if self._text.startswith(char, self._at):
            self._at += 1
            return True
        return False

    def _skip(self, pattern: re.Pattern[str]) -> None:
        if match := pattern.match(self._text, self._at):
            self._at = match.end()
