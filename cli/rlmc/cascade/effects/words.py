"""A word of a command line as the shell will read it: quotes taken away, and what cannot be known marked as unknown.

Rule: the grammar says where a word is, the lexer here says what it is, byte by byte. A word that the two would cut
differently, or that zsh and dash read differently from bash in a way that matters, is refused.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Mapping

from rlmc.domain.frozen import dataclass

UNKNOWN = "\0"
"""Stands in a word's text for what only the shell will know. No command holds the character itself."""


class Refused(Exception):
    """The command is not understood well enough to be called safe."""


@dataclass(frozen=True, slots=True)
class Word:
    """`text` is without quotes, with `UNKNOWN` for unknown parts. A `glob` becomes names of files that fit it; a
    `loose` word may become none or several words of any kind."""

    text: str
    glob: bool = False
    loose: bool = False

    @property
    def exact(self) -> bool:
        return not self.glob and not self.loose and UNKNOWN not in self.text

    @property
    def single(self) -> bool:
        return not self.glob and not self.loose

    @property
    def may_be_option(self) -> bool:
        first = self.text[:1]
        return self.loose or first in ("-", UNKNOWN) or (self.glob and first in ("*", "?", "["))


Bound = Mapping[str, str | None]
"""What loop variables hold: text of characters that mean themselves in every shell, `UNKNOWN` at its end where only its
beginning is known, or None for anything."""

Nested = Callable[[int], int]
"""The end of the substitution that begins here, once what is in it was judged. Refuses where none begins."""

_BLANKS = b" \t\n"
_META = b";|&<>()"
_ESCAPED_IN_QUOTES = b'$`"\\'
# A dollar sign before one of these is just that, inside double quotes, in every shell.
_PLAIN_AFTER_DOLLAR = b'" \t\n|)/\\.,:;]'
# Bytes of letters of other languages that the C library of some systems takes for blanks.
_ODD_BLANKS = b"\x85\xa0"

_VARIABLE = re.compile(rb"\$(?:([A-Za-z_][A-Za-z0-9_]*)|\{([A-Za-z_][A-Za-z0-9_]*)\})")
_COUNT = re.compile(rb"\$[?#](?![A-Za-z0-9_{])")
_PARAMETER = re.compile(rb"\$[0-9@*!$_-]")
# What zsh would do to the value before it is used.
_MODIFIER = re.compile(rb"\[|:[A-Za-z]")
_SECRET = re.compile(
    r"KEY|TOKEN|SECRET|PASS|CRED|AUTH|COOKIE|DSN|JWT|BEARER|PAT(?![A-Z])|_PWD?$|_UR[IL]$", re.IGNORECASE
)
_FOLDERS = (b"HOME", b"PWD", b"OLDPWD")

_ANSI = re.compile(rb"\$'((?:[^\\']|\\[nt\\])*)'")
_ANSI_ESCAPES = {b"\\n": b"\n", b"\\t": b"\t", b"\\\\": b"\\"}

_BRACES = re.compile(r"([^{}]*)\{([^{}]*)\}([^{}]*)")


def is_secret(name: str) -> bool:
    """Whether a variable of this name may hold a key or the like."""
    return _SECRET.search(name) is not None


def read_words(source: bytes, start: int, end: int, nested: Nested, bound: Bound, spent: Container[str]) -> list[Word]:
    """What the grammar takes for one word; braces may make several of it. Variables that are `spent` have been the loop
    variables of other loops, and hold what a draft chose."""
    reader = _Reader(source, end, nested, bound, spent)
    word = reader.word(start)
    raw = source[start:end]
    if not reader.braces or raw == b"{}":
        return [word]
    if b"," not in raw and b".." not in raw:
        if re.fullmatch(rb"\{\w*\}", raw):
            raise Refused  # in front of a redirection, the name of a variable
        return [word]
    match = _BRACES.fullmatch(word.text)
    if match is None or word.loose or re.search(rb"[\\'\"$`~]", raw):
        raise Refused
    before, inner, after = match.groups()
    if ".." in inner:
        return [Word(f"{before}*{after}", glob=True, loose=not before)]
    if "," not in inner:
        return [word]  # the comma stands outside: these braces stay as they are
    return [Word(f"{before}{part}{after}", word.glob) for part in inner.split(",")]


class _Reader:
    """One word, from where it starts to where the grammar says it ends."""

    def __init__(self, source: bytes, end: int, nested: Nested, bound: Bound, spent: Container[str]) -> None:
        self._source = source
        self._end = end
        self._nested = nested
        self._bound = bound
        self._spent = spent
        self._text = bytearray()
        self._glob = self._loose = False
        self.braces = False

    def word(self, start: int) -> Word:
        source, at = self._source, start
        if source.startswith(b"#", at) or (source.startswith(b"=", at) and self._end - at > 1):
            raise Refused  # a comment; to zsh, the place of a program
        while at < self._end:
            char = source[at]
            if char == ord("'"):
                close = source.find(b"'", at + 1, self._end)
                if close < 0:
                    raise Refused
                self._text += source[at + 1 : close]
                at = close + 1
            elif char == ord('"'):
                at = self._quoted(at + 1)
            elif char == ord("\\"):
                if at + 1 >= self._end or source[at + 1] in b"\t\n" or source[at + 1] >= 0x80:
                    raise Refused
                self._text.append(source[at + 1])
                at += 2
            elif char in b"$`" or source.startswith(b"<(", at):
                at = self._expansion(at, quoted=False)
            elif char in _BLANKS or char in _META:
                raise Refused
            else:
                self.braces = self.braces or char == ord("{")
                self._glob = self._glob or char in b"*?["
                self._loose = self._loose or char in _ODD_BLANKS
                self._text.append(char)
                at += 1
        if at != self._end:
            raise Refused
        return Word(self._text.decode(errors="replace"), self._glob, self._loose)

    def _quoted(self, at: int) -> int:
        source = self._source
        while at < self._end:
            char = source[at]
            if char == ord('"'):
                return at + 1
            if char == ord("\\"):
                if at + 1 >= self._end or source[at + 1] == ord("\n"):
                    raise Refused
                if source[at + 1] not in _ESCAPED_IN_QUOTES:
                    self._text.append(char)
                self._text.append(source[at + 1])
                at += 2
            elif char in b"$`":
                at = self._expansion(at, quoted=True)
            else:
                self._text.append(char)
                at += 1
        raise Refused

    def _expansion(self, at: int, *, quoted: bool) -> int:
        source = self._source
        if source.startswith((b"$(", b"`"), at):
            self._unknown(loose=not quoted)
            return self._inside(self._nested(at))
        if not quoted and source.startswith(b"<(", at):
            self._text += b"/dev/fd/0"
            return self._inside(self._nested(at))
        if not quoted and (ansi := _ANSI.match(source, at, self._end)):
            self._text += re.sub(rb"\\.", lambda escape: _ANSI_ESCAPES[escape[0]], ansi[1])
            return ansi.end()
        if count := _COUNT.match(source, at, self._end):
            self._text += b"0"  # a number; which one makes no difference to what a command may do
            return count.end()
        if variable := _VARIABLE.match(source, at, self._end):
            self._variable(variable[1] or variable[2], quoted)
            if variable[1] and _MODIFIER.match(source, variable.end()):
                raise Refused
            return variable.end()
        if parameter := _PARAMETER.match(source, at, self._end):
            self._unknown(loose=not quoted or b"@" in parameter[0])
            return parameter.end()
        if at + 1 == self._end or (quoted and source[at + 1] in _PLAIN_AFTER_DOLLAR):
            self._text += b"$"
            return at + 1
        raise Refused

    def _variable(self, raw: bytes, quoted: bool) -> None:
        name = raw.decode()
        if name in self._bound and (value := self._bound[name]) is not None:
            self._text += value.encode()
            self._loose = self._loose or (UNKNOWN in value and not quoted)
        elif name not in self._bound and (name in self._spent or is_secret(name)):
            raise Refused
        elif raw in _FOLDERS and not self._text:
            self._text += b"/" + UNKNOWN.encode()
        else:
            self._unknown(loose=not quoted)

    def _unknown(self, *, loose: bool) -> None:
        self._text += UNKNOWN.encode()
        self._loose = self._loose or loose

    def _inside(self, end: int) -> int:
        if end > self._end:
            raise Refused
        return end
