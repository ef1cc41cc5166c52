"""The plain values of a script: JavaScript's literals, read as JavaScript reads them.

Rule: a value that JavaScript would have to work out is not read, but for texts put together.
"""

from __future__ import annotations

import re
from dataclasses import field
from typing import Any

from rlmc.domain.frozen import dataclass

_MOST_DEPTH = 20
_MOST_DIGITS = 15

_SPACE = re.compile(r"(?:[ \t\n]|//[^\n\r\u2028\u2029]*|/\*(?:[^*]|\*(?!/))*\*/)*")
_NAME = re.compile(r"[A-Za-z_$][\w$]*", re.ASCII)
NUMBER = re.compile(r"-?(?:0|[1-9]\d*(?:_\d+)*)(?:\.\d+)?(?![\w.$])", re.ASCII)
_WORDS = {"true": True, "false": False, "null": None}
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "v": "\v"} | dict.fromkeys("\n\u2028\u2029", "")
_CODE = re.compile(r"x([0-9A-Fa-f]{2})|u([0-9A-Fa-f]{4})|u\{([0-9A-Fa-f]{1,6})\}")


class UnreadableError(Exception):
    """Something that is not read here."""


@dataclass(slots=True)
class ValueReader:
    """Reads on from `at`. `values` are the constants so far that are plain values."""

    source: str
    at: int = 0
    values: dict[str, Any] = field(default_factory=dict)
    depth: int = 0

    # --- plain values -------------------------------------------------------------------------------------------------

    def _value(self) -> Any:
        self._enter()
        value = self._value_term()
        while self._next() == "+":
            self._need("+")
            more = self._value_term()
            if not isinstance(value, str) or not isinstance(more, str):
                raise UnreadableError
            value += more
        self.depth -= 1
        return value

    def _value_term(self) -> Any:
        sign = self._next()
        if sign in ("'", '"', "`"):
            return self._text(sign)
        if sign == "{":
            return self._object()
        if sign == "[":
            return self._list()
        if number := NUMBER.match(self.source, self.at):
            self.at = number.end()
            told = number.group().replace("_", "")
            if len(told) > _MOST_DIGITS:
                raise UnreadableError  # JavaScript would round it
            return float(told) if "." in told else int(told)
        name = self._name()
        if name in _WORDS:
            return _WORDS[name]
        if name == "String":
            self._need(".")
            self._word("raw")
            return self._raw()
        if name not in self.values:
            raise UnreadableError
        return self.values[name]

    def _object(self) -> dict[str, Any]:
        self._need("{")
        given: dict[str, Any] = {}
        while not self._sign("}"):
            sign = self._next()
            name = self._text(sign) if sign in ("'", '"') else self._name()
            if name in given or name == "__proto__":
                raise UnreadableError
            if self._sign(":"):
                given[name] = self._value()
            elif sign not in ("'", '"') and name in self.values:
                given[name] = self.values[name]
            else:
                raise UnreadableError
            if not self._sign(","):
                self._need("}")
                break
        return given

    def _list(self) -> Any:
        self._need("[")
        given: list[Any] = []
        while not self._sign("]"):
            given.append(self._value())
            if not self._sign(","):
                self._need("]")
                break
        if self._next() != ".":
            return given
        self._need(".")
        self._word("join")
        self._need("(")
        between = self._value()
        self._need(")")
        if not isinstance(between, str) or not all(isinstance(one, str) for one in given):
            raise UnreadableError
        return between.join(given)

    def _text(self, quote: str) -> str:
        self._need(quote)
        found: list[str] = []
        while True:
            sign = self.source[self.at : self.at + 1]
            self.at += 1
            if sign == quote:
                return _whole("".join(found))
            if not sign or (sign == "\n" and quote != "`"):
                raise UnreadableError
            if quote == "`" and self.source.startswith("${", self.at - 1):
                raise UnreadableError
            found.append(self._escaped() if sign == "\\" else sign)

    def _escaped(self) -> str:
        sign = self.source[self.at : self.at + 1]
        if code := _CODE.match(self.source, self.at):
            self.at = code.end()
            number = int(next(filter(None, code.groups())), 16)
            if number > 0x10FFFF:
                raise UnreadableError
            return chr(number)
        if not sign or sign.isdigit() or sign in "xu":
            raise UnreadableError
        self.at += 1
        return _ESCAPES.get(sign, sign)

    def _raw(self) -> str:
        """`String.raw`: nothing in the text means anything but itself."""
        if self.source[self.at : self.at + 1] != "`":
            raise UnreadableError
        end = re.compile(r"(?:[^`\\]|\\.)*`", re.DOTALL).match(self.source, self.at + 1)
        if end is None or "${" in end.group():
            raise UnreadableError
        self.at = end.end()
        return end.group()[:-1]

    # --- signs --------------------------------------------------------------------------------------------------------

    def _enter(self) -> None:
        self.depth += 1
        if self.depth > _MOST_DEPTH:
            raise UnreadableError

    def _space(self) -> None:
        space = _SPACE.match(self.source, self.at)
        self.at = space.end() if space else self.at

    def _ended(self) -> bool:
        self._space()
        return self.at >= len(self.source)

    def _next(self) -> str:
        self._space()
        return self.source[self.at : self.at + 1]

    def _peek(self) -> str:
        self._space()
        name = _NAME.match(self.source, self.at)
        return name.group() if name else ""

    def _name(self) -> str:
        name = self._peek()
        if not name:
            raise UnreadableError
        self.at += len(name)
        return name

    def _word(self, word: str) -> None:
        if self._name() != word:
            raise UnreadableError

    def _sign(self, sign: str) -> bool:
        self._space()
        if not self.source.startswith(sign, self.at):
            return False
        self.at += len(sign)
        return True

    def _need(self, *signs: str) -> None:
        for sign in signs:
            if not self._sign(sign):
                raise UnreadableError


def _whole(text: str) -> str:
    """The text with its surrogates joined; one that stands alone cannot be passed on."""
    try:
        return text.encode("utf-16", "surrogatepass").decode("utf-16")
    except UnicodeError:
        raise UnreadableError from None
