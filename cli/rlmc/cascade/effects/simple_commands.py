"""One simple command, one redirection, one test: from the nodes of the grammar to words, and to a judgement.

Rule: every method comes back when what it was given is harmless, and refuses otherwise.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Container
from dataclasses import replace

from tree_sitter import Node

from rlmc.cascade.effects import commands, programs
from rlmc.cascade.effects.nodes import (
    INLINE,
    NOTHING,
    SIGNS,
    TEST_SIGNS,
    WORDS,
    State,
    gap,
    parts_of_test,
    substitutions,
    text_of,
)
from rlmc.cascade.effects.private import leads_to_secrets
from rlmc.cascade.effects.visited import Visited
from rlmc.cascade.effects.words import Refused, Word, read_words

_COMMAND_NAME = re.compile(rb"[A-Za-z0-9_./@:][A-Za-z0-9_./@+-]*")
_ASSIGNMENT = re.compile(rb"[A-Z_]+=")
_DESCRIPTOR = re.compile(rb"\d")
_SINKS = frozenset({"/dev/null", "/dev/stdout", "/dev/stderr"})

Body = Callable[[Node, frozenset[str], State], bool]


class Commands:
    """`body` judges the statements in a substitution; `loops` are the loop variables of the whole line, `visited` is
    told what it names."""

    def __init__(self, source: bytes, loops: Container[str], body: Body, visited: Visited) -> None:
        self._source = source
        self._loops = loops
        self._body = body
        self._visited = visited

    def command(self, node: Node, state: State) -> None:
        words: list[Word] = []
        fed = state.fed
        end = node.start_byte
        for at, child in enumerate(node.children):
            kind = child.type
            blanks = gap(self._source, end, child.start_byte, INLINE)
            end = child.end_byte
            if kind == "herestring_redirect" and words:
                self._here_string(child, state)
                fed = True
            elif at and not blanks:
                raise Refused
            elif kind == "variable_assignment" and not words:
                self._assignment(child, state)
            elif kind == "command_name" and not words:
                if not _COMMAND_NAME.fullmatch(self._source, child.start_byte, end):
                    raise Refused
                words.append(Word(text_of(self._source, child)))
            elif kind in WORDS and words:
                words += self.read(child, state)
            else:
                raise Refused
        if end != node.end_byte or not commands.harmless(words, fed=fed):
            raise Refused
        self._visited.command([word.text for word in words])

    def _assignment(self, node: Node, state: State) -> None:
        name = _ASSIGNMENT.match(self._source, node.start_byte, node.end_byte)
        if name is None:
            raise Refused
        words = self._slice(node, name.end(), state) if name.end() < node.end_byte else [Word("")]
        pattern = commands.ENVIRONMENT.get(name[0][:-1].decode())
        if pattern is None or len(words) != 1 or not words[0].exact or not pattern.fullmatch(words[0].text):
            raise Refused

    def _here_string(self, node: Node, state: State) -> None:
        sign, *words = node.children
        if sign.type != "<<<" or len(words) != 1:
            raise Refused
        gap(self._source, sign.end_byte, words[0].start_byte, INLINE)
        self.read(words[0], state)

    def redirected(self, node: Node, state: State) -> tuple[Node, State]:
        """The statement itself, once its redirections are found harmless, and the state it runs in."""
        statement, *redirections = node.children
        end = statement.end_byte
        fed = state.fed
        for child in redirections:
            blanks = gap(self._source, end, child.start_byte, INLINE)
            if not blanks and (child.children[0].type == "file_descriptor" or self._source[end - 1] in b"0123456789}"):
                raise Refused  # what stands right before it may be part of it
            end = child.end_byte
            if child.type == "herestring_redirect":
                self._here_string(child, state)
                fed = True
            elif child.type == "file_redirect":
                fed = self._redirection(child, state) or fed
            else:
                raise Refused
        return statement, replace(state, fed=fed)

    def _redirection(self, node: Node, state: State) -> bool:
        """Whether it feeds the command. Nothing but the void and the command's own outputs may be written to."""
        children = list(node.children)
        numbered = children[0].type == "file_descriptor"
        if numbered:
            descriptor = children.pop(0)
            gap(self._source, descriptor.end_byte, children[0].start_byte, NOTHING)
            if not _DESCRIPTOR.fullmatch(self._source, descriptor.start_byte, descriptor.end_byte):
                raise Refused
        sign, *targets = children
        if sign.type == ">&-" and not targets:
            return False
        if len(targets) != 1:
            raise Refused  # to the shell, all but the first are arguments
        gap(self._source, sign.end_byte, targets[0].start_byte, INLINE)
        words = self.read(targets[0], state)
        target = words[0].text if len(words) == 1 and words[0].exact else ""
        match sign.type:
            case ">" | ">>" | ">|" if target in _SINKS:
                return False
            case "&>" | "&>>" if target == "/dev/null" and not numbered:
                return False
            case ">&" if re.fullmatch(r"\d", target):
                return False
            case "<" if target and not leads_to_secrets(target):
                self._visited.name(target)
                return target != "/dev/null"
            case _:
                raise Refused

    def test(self, node: Node, state: State) -> None:
        """`[ … ]` and `[[ … ]]`. To the first, some of what the grammar takes for operators would be redirections."""
        first, *parts = parts_of_test(node)
        last = parts[-1]
        if (first.type, last.type) not in (("[", "]"), ("[[", "]]")):
            raise Refused
        words: list[Word] = []
        end = first.end_byte
        for part in parts:
            if not gap(self._source, end, part.start_byte, INLINE):
                raise Refused
            end = part.end_byte
            if part.type in TEST_SIGNS:
                words.append(Word(text_of(self._source, part)))
            elif part.type in WORDS:
                words += self.read(part, state)
            elif part is not last:
                raise Refused
        if first.type == "[[":
            words = [Word(word.text) for word in words]  # in these, no word becomes several
        if not programs.test(words) or any(leads_to_secrets(word.text) for word in words):
            raise Refused

    def read(self, node: Node, state: State) -> list[Word]:
        return self._slice(node, node.start_byte, state)

    def _slice(self, node: Node, start: int, state: State) -> list[Word]:
        inner = {child.children[0].end_byte: child for child in substitutions(node)}

        def nested(at: int) -> int:
            quote = self._source.startswith(b"`", at)
            child = inner.get(at + 1 if quote else at + 2)
            if child is None or self._source.startswith(b"$((", at):
                raise Refused
            if quote and re.search(rb"[\\'\"`]", self._source[at + 1 : child.end_byte - 1]):
                raise Refused  # read twice, with rules of their own
            self._body(child, SIGNS[child.type], replace(state, depth=state.depth + 1))
            return child.end_byte

        return read_words(self._source, start, node.end_byte, nested, state.bound, self._loops)
