"""Scripts for Codex's `exec` tool: JavaScript that calls tools and shows what they gave back.

Rule: only straight scripts are read, and each sign of them is accounted for: constants, calls of tools with plain
values, all of them awaited, and output. Whatever else stands in a script makes it one that cannot be read. What is read
here is read alike by JavaScript, or refused by it.
"""

from __future__ import annotations

import json
import re
from dataclasses import field
from typing import Any, Literal

from rlmc.cascade.script_values import NUMBER, UnreadableError, ValueReader
from rlmc.domain.frozen import dataclass

MOST_CHARS = 100_000
_MOST_CALLS = 32

# Names that mean something to the language or to the tool: no constant of a script has one of them.
_TAKEN = frozenset(
    {
        *("tools", "text", "notify", "image", "forward_output", "yield_control", "exit", "store", "load", "JSON"),
        *("ALL_TOOLS", "Promise", "String", "undefined", "NaN", "Infinity", "arguments", "eval", "globalThis", "await"),
        *("break", "case", "catch", "class", "const", "continue", "debugger", "default", "delete", "do", "else"),
        *("enum", "export", "extends", "false", "finally", "for", "function", "if", "import", "in", "instanceof"),
        *("new", "null", "return", "super", "switch", "this", "throw", "true", "try", "typeof", "var", "void"),
        *("while", "with", "yield", "let", "static", "async", "of", "implements", "interface", "package"),
        *("private", "protected", "public", "setTimeout", "clearTimeout", "get", "set", "console"),
    }
)
_OUTPUTS = frozenset({"text", "notify"})
# Methods of texts and lists that do nothing but give another.
_METHODS = frozenset({"trim", "trimEnd", "slice", "join", "split", "toString", "at"})

Shows = Literal["output", "result", ""]


@dataclass(frozen=True, slots=True)
class Script:
    """`calls` are the tools called in their order, each by name with its arguments as JSON; a bare text as an argument
    is `{"input": …}`. `shows` says what alone the script gives back of its one call: the `output` in its result, the
    whole `result`, or something else."""

    calls: tuple[tuple[str, str], ...]
    shows: Shows


def read_script(source: str) -> Script | None:
    """None for a script that is not as plain as that. Never raises."""
    if len(source) > MOST_CHARS or "\r" in source:
        return None
    reader = _Reader(source)
    try:
        reader.script()
    except UnreadableError:
        return None
    return Script(tuple(reader.calls), reader.shows())


@dataclass(slots=True)
class _Reader(ValueReader):
    calls: list[tuple[str, str]] = field(default_factory=list)
    results: set[str] = field(default_factory=set)  # names of what calls gave back
    shown: list[str] = field(default_factory=list)  # the outputs, as they are written

    # --- statements ---------------------------------------------------------------------------------------------------

    def script(self) -> None:
        while not self._ended():
            if not self._sign(";"):
                self._statement()

    def shows(self) -> Shows:
        if len(self.calls) != 1 or len(self.shown) != 1 or len(self.results) > 1:
            return ""
        name = re.escape(next(iter(self.results), ""))
        called = r"\(await tools\.[^()]*\([^()]*\)\)"
        what = re.sub(r"\s+", " ", self.shown[0])
        if re.fullmatch(rf"text\((?:{name}|{called})\??\.output(?: (?:\?\?|\|\|) {name})?\)", what):
            return "output"
        return "result" if re.fullmatch(rf"text\((?:{name}|JSON\.stringify\({name}\)|await tools\..*)\)", what) else ""

    def _statement(self) -> None:
        word = self._peek()
        if word in ("const", "let", "var"):
            self._name()
            self._declaration()
        elif word == "await":
            self._awaited()
        elif word == "for":
            self._loop()
        elif word == "yield_control":
            self._name()
            self._need("(", ")")
        elif word in self.results:
            self._for_each()
        else:
            self._output()

    def _declaration(self) -> None:
        if self._sign("["):
            names = [self._new_name()]
            while self._sign(","):
                names.append(self._new_name())
            self._need("]", "=")
            if self._peek() != "await":
                raise UnreadableError
            self._awaited(several=True)
            self.results.update(names)
            return
        name = self._new_name()
        self._need("=")
        if self._peek() == "await":
            self._awaited()
            self.results.add(name)
        else:
            self.values[name] = self._value()

    def _awaited(self, *, several: bool = False) -> None:
        """A call that is waited for, or several at once."""
        self._word("await")
        if self._peek() != "Promise":
            if several:
                raise UnreadableError
            self._call()
            return
        self._word("Promise")
        self._need(".")
        if self._name() not in ("all", "allSettled"):
            raise UnreadableError
        self._need("(", "[")
        while not self._sign("]"):
            self._call()
            if not self._sign(","):
                self._need("]")
                break
        self._sign(",")
        self._need(")")

    def _call(self) -> None:
        self._word("tools")
        self._need(".")
        name = self._name()
        self._need("(")
        given: Any = {}
        if not self._sign(")"):
            given = self._value()
            self._sign(",")
            self._need(")")
        if isinstance(given, str):
            given = {"input": given}
        if not isinstance(given, dict) or len(self.calls) >= _MOST_CALLS:
            raise UnreadableError
        self.calls.append((name, json.dumps(given, ensure_ascii=False)))

    def _loop(self) -> None:
        """`for (const one of results) …`, with nothing but output in it."""
        self._word("for")
        self._need("(")
        if self._name() not in ("const", "let", "var"):
            raise UnreadableError
        name = self._new_name()
        self._word("of")
        if self._name() not in self.results:
            raise UnreadableError
        self._need(")")
        self._shown_of_each([name])

    def _for_each(self) -> None:
        """`results.forEach(one => …)`, with nothing but output in it."""
        self._name()
        self._need(".")
        self._word("forEach")
        self._need("(")
        names = []
        if self._sign("("):
            names.append(self._new_name())
            while self._sign(","):
                names.append(self._new_name())
            self._need(")")
        else:
            names.append(self._new_name())
        self._need("=>")
        self._shown_of_each(names)
        self._need(")")

    def _shown_of_each(self, names: list[str]) -> None:
        calls = len(self.calls)
        self.results.update(names)
        if self._sign("{"):
            while not self._sign("}"):
                if not self._sign(";"):
                    self._output()
        else:
            self._output()
        self.results.difference_update(names)
        self.shown.append("")  # one for each: more than can be told
        if len(self.calls) > calls:
            raise UnreadableError  # how often it would be made is not known

    # --- output -------------------------------------------------------------------------------------------------------

    def _output(self) -> None:
        self._space()
        start = self.at
        name = self._name()
        self._need("(")
        if name == "image":
            self._result()
        elif name in _OUTPUTS:
            self._shown()
        else:
            raise UnreadableError
        self._sign(",")
        self._need(")")
        self.shown.append(self.source[start : self.at])

    def _shown(self) -> None:
        self._enter()
        self._shown_term()
        while self._sign("??") or self._sign("||") or self._sign("+"):
            self._shown_term()
        self.depth -= 1

    def _shown_term(self) -> None:
        sign = self._next()
        if sign == "(":
            self._need("(")
            self._shown()
            self._need(")")
            self._steps()
        elif sign in ("'", '"') or NUMBER.match(self.source, self.at):
            self._value_term()
        elif sign == "`":
            self._template()
        elif self._peek() == "await":
            self._awaited()
        elif self._peek() == "JSON":
            self._word("JSON")
            self._need(".")
            self._word("stringify")
            self._need("(")
            self._shown()
            while self._sign(","):
                if self._next() != ")":
                    self._value()
            self._need(")")
        elif self._peek() in self.values:
            self._name()
            self._steps()
        else:
            self._result()

    def _result(self) -> None:
        """What a call gave back, or a part of it."""
        if self._name() not in self.results:
            raise UnreadableError
        self._steps()

    def _steps(self) -> None:
        while True:
            if self._sign("?.") or (self._next() == "." and self._sign(".")):
                name = self._name()
                if self._next() != "(":
                    continue
                if name not in _METHODS:
                    raise UnreadableError
                self._need("(")
                while not self._sign(")"):
                    self._value()
                    if not self._sign(","):
                        self._need(")")
                        break
            elif self._next() == "[":
                self._need("[")
                self._value()
                self._need("]")
            else:
                return

    def _template(self) -> None:
        self._need("`")
        while True:
            sign = self.source[self.at : self.at + 1]
            if not sign:
                raise UnreadableError
            self.at += 1
            if sign == "`":
                return
            if sign == "\\":
                self.at += 1
            elif sign == "$" and self.source.startswith("{", self.at):
                self.at += 1
                self._shown()
                self._need("}")

    # --- names -----------------------------------------------------------------------------------------------------

    def _new_name(self) -> str:
        name = self._name()
        if name in _TAKEN or name in self.values or name in self.results:
            raise UnreadableError
        return name
