"""Whether a command line only looks at things or checks the project: read with a grammar of the shell.

Rule: what is allowed is listed, and everything else is unsafe: what does not parse, what is not in the lists, and every
place where the grammar could see something else than the shell that will run it. So each stretch of the text must be
accounted for: by a word the lexer has read, by a sign that may stand there, or by blanks.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import replace

import tree_sitter_bash
from tree_sitter import Language, Node, Parser

from rlmc.cascade.effects.nodes import (
    INLINE,
    NEED_A_BLANK,
    NEED_AN_END,
    OPEN,
    SIGNS,
    STATEMENTS,
    WORDS,
    State,
    gap,
    has_line_end,
    loop_variables,
    text_of,
)
from rlmc.cascade.effects.outline import may_be_command
from rlmc.cascade.effects.private import leads_to_secrets
from rlmc.cascade.effects.simple_commands import Commands
from rlmc.cascade.effects.visited import Visited
from rlmc.cascade.effects.words import UNKNOWN, Refused, Word
from rlmc.domain.effect import Effect

_BASH = Language(tree_sitter_bash.language())

MOST_CHARS = 4_096
_MOST_DEPTH = 40
# Statements judged; a loop counts once for each value.
_MOST_STATEMENTS = 400
_MOST_VALUES = 16

# Where comments are not switched on they are words like others: these do no harm even then.
_COMMENT = re.compile(rb"#(?!.*\s-)[\w \t,.:/=+@%-]*", re.ASCII)
_PLAIN_VALUE = re.compile(r"[\w./:@%+,=-]+", re.ASCII)

# Names that are nobody's environment and, to zsh, no part of the shell itself.
_LOOP_NAMES = frozenset("abcdefghijklmnopqrstuvwxyz") | {
    *("file", "dir", "name", "item", "line", "test", "pkg", "package", "mod", "module", "branch", "commit", "sha"),
    *("ref", "tag", "id", "num", "lang", "ext", "app", "svc", "service", "crate", "word", "pattern", "term", "page"),
    *("src", "repo", "project", "version", "key", "cmd", "tool", "folder", "component", "suite", "log", "port"),
}


def classify_command(command: str, folder: str = "") -> Effect:
    """`SHELL_SAFE` for a command that may run unseen, in this folder, `UNSAFE` for any other text. Never raises."""
    if len(command) > MOST_CHARS or not _is_plain(command) or not may_be_command(command):
        return Effect.UNSAFE
    source = command.encode()
    root = Parser(_BASH).parse(source).root_node
    if root.has_error:
        return Effect.UNSAFE
    try:
        _Walk(source, root, folder).judge(root)
    except Refused:
        return Effect.UNSAFE
    return Effect.SHELL_SAFE


def _is_plain(text: str) -> bool:
    """No control characters, no blanks that do not look like one, nothing that hides or turns round other text."""
    if text.isascii():
        return all(c.isprintable() or c in "\n\t" for c in text)
    return all(c in "\n\t " or unicodedata.category(c)[0] not in "CZ" for c in text)


class _Walk:
    """One walk over one line. Every method comes back when what it was given is harmless, and refuses otherwise."""

    def __init__(self, source: bytes, root: Node, folder: str) -> None:
        self._source = source
        self._visited = Visited(folder)
        self._commands = Commands(source, frozenset(loop_variables(source, root)), self._body, self._visited)
        self._statements = 0

    def judge(self, root: Node) -> None:
        gap(self._source, 0, root.start_byte, OPEN)
        gap(self._source, root.end_byte, len(self._source), OPEN)
        self._body(root, SIGNS["program"], State())
        if not self._statements or not self._visited.is_harmless():
            raise Refused

    def _statement(self, node: Node, state: State) -> None:
        self._statements += 1
        if state.depth > _MOST_DEPTH or self._statements > _MOST_STATEMENTS:
            raise Refused
        state = replace(state, depth=state.depth + 1)
        match node.type:
            case "command":
                self._commands.command(node, state)
            case "redirected_statement":
                self._statement(*self._commands.redirected(node, state))
            case "pipeline":
                self._chain(node, ("|", "|&"), state)
            case "list":
                self._chain(node, ("&&", "||"), state)
            case "negated_command":
                self._negated(node, state)
            case "test_command":
                self._commands.test(node, state)
            case "for_statement":
                self._for(node, state)
            case "subshell" if self._source.startswith(b"((", node.start_byte):
                raise Refused  # arithmetic
            case "subshell" | "compound_statement" | "if_statement":
                self._body(node, SIGNS[node.type], state)
            case _:
                raise Refused

    def _body(self, node: Node, signs: frozenset[str], state: State) -> bool:
        """Statements one after the other, each with an end of its own, between the `signs` that hold them. Whether the
        last of them has one."""
        end = node.start_byte
        ended = True
        for child in node.children:
            kind = child.type
            blanks = gap(self._source, end, child.start_byte, OPEN)
            end = child.end_byte
            ended = ended or has_line_end(blanks)
            if kind in NEED_AN_END and not ended:
                raise Refused
            if kind in NEED_A_BLANK and self._source[end : end + 1] not in (b" ", b"\t", b"\n"):
                raise Refused
            if kind in STATEMENTS:
                if not ended:
                    raise Refused
                self._statement(child, state)
                ended = False
            elif kind == "comment":
                self._comment(child)
            elif kind in ("elif_clause", "else_clause"):
                ended = self._body(child, SIGNS[kind], state)
            elif kind in (";", "\n") or kind in signs:
                ended = True
            else:
                raise Refused
        return ended or has_line_end(gap(self._source, end, node.end_byte, OPEN))

    def _chain(self, node: Node, signs: tuple[str, ...], state: State) -> None:
        end = node.start_byte
        for at, child in enumerate(node.children):
            gap(self._source, end, child.start_byte, INLINE if at % 2 else OPEN)
            end = child.end_byte
            if at % 2 == 0:
                self._statement(child, replace(state, fed=True) if at and "|" in signs else state)
            elif child.type not in signs:
                raise Refused

    def _negated(self, node: Node, state: State) -> None:
        sign, *statements = node.children
        if (
            sign.type != "!"
            or len(statements) != 1
            or not gap(self._source, sign.end_byte, statements[0].start_byte, INLINE)
        ):
            raise Refused
        self._statement(statements[0], state)

    def _for(self, node: Node, state: State) -> None:
        words: list[Word] = []
        name = ""
        end = node.start_byte
        ended = False
        for at, child in enumerate(node.children):
            kind = child.type
            blanks = gap(self._source, end, child.start_byte, OPEN if kind == "do_group" else INLINE)
            end = child.end_byte
            if kind == "do_group":
                if not ended and not has_line_end(blanks):
                    raise Refused
                self._rounds(child, name, words, state)
            elif kind == ";" and at > 2:
                ended = True
            elif at and (not blanks or ended):
                raise Refused
            elif at == 1 and kind == "variable_name":
                name = text_of(self._source, child)
            elif at > 2 and kind in WORDS:
                words += self._commands.read(child, state)
            elif (at, kind) not in ((0, "for"), (2, "in")):
                raise Refused

    def _rounds(self, body: Node, name: str, words: list[Word], state: State) -> None:
        """The body of a loop, once for each value where all of them are known."""
        if name not in _LOOP_NAMES or name in state.bound:
            raise Refused
        if any("$(" in word.text or "`" in word.text or leads_to_secrets(word.text) for word in words):
            raise Refused
        values = {_value(word) for word in words}
        if len(values) > _MOST_VALUES or None in values:
            values = {None}
        for value in values or {None}:
            self._body(body, SIGNS["do_group"], replace(state, bound={**state.bound, name: value}))

    def _comment(self, node: Node) -> None:
        source, start, end = self._source, node.start_byte, node.end_byte
        before, after = source[start - 1 : start] if start else b"\n", source[end : end + 1]
        if before not in (b" ", b"\t", b"\n", b";") or after not in (b"", b"\n"):
            raise Refused
        if not _COMMENT.fullmatch(source, start, end):
            raise Refused


def _value(word: Word) -> str | None:
    """What a loop variable holds on this word's account, as far as it is known; None where it could be anything."""
    if word.exact and _PLAIN_VALUE.fullmatch(word.text):
        return word.text
    begin = _PLAIN_VALUE.match(word.text)
    if word.single or word.loose or UNKNOWN in word.text or begin is None or word.may_be_option:
        return None
    return begin[0] + UNKNOWN
