"""What is understood of the shell's grammar: kinds of nodes, by the grammar's own names, and the blanks between them.

Rule: a kind that is not listed is refused, and so is a gap between two nodes that is more than blanks: the grammar
skips some of what a shell would read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import field

from tree_sitter import Node

from rlmc.cascade.effects.words import Bound, Refused
from rlmc.domain.frozen import dataclass

NOTHING = re.compile(rb"")
INLINE = re.compile(rb"(?:[ \t]|\\\n)*")
OPEN = re.compile(rb"(?:[ \t\n]|\\\n)*")

STATEMENTS = frozenset(
    {
        *("command", "redirected_statement", "pipeline", "list", "negated_command", "subshell", "compound_statement"),
        *("for_statement", "if_statement", "test_command"),
    }
)
# Signs among them: the grammar takes some for operators where the shell sees plain words.
WORDS = frozenset(
    {
        *("word", "number", "string", "raw_string", "ansi_c_string", "concatenation", "simple_expansion", "expansion"),
        *("command_substitution", "process_substitution", "brace_expression", "extglob_pattern", "=", "==", "$"),
    }
)
TEST_SIGNS = frozenset({"=", "==", "!=", "!", "test_operator"})
NEED_A_BLANK = frozenset({"if", "then", "elif", "else", "do", "{"})
NEED_AN_END = frozenset({"then", "elif_clause", "else_clause", "fi", "do", "done", "}"})

SIGNS = {
    "program": frozenset[str](),
    "subshell": frozenset({"(", ")"}),
    "compound_statement": frozenset({"{", "}"}),
    "if_statement": frozenset({"if", "then", "fi"}),
    "elif_clause": frozenset({"elif", "then"}),
    "else_clause": frozenset({"else"}),
    "do_group": frozenset({"do", "done"}),
    "command_substitution": frozenset({"$(", "`", ")"}),
    "process_substitution": frozenset({"<(", ")"}),
}
"""What holds statements, and the signs that may stand between them there."""

_SUBSTITUTIONS = frozenset({"command_substitution", "process_substitution"})
_TEST_PARTS = frozenset({"unary_expression", "binary_expression"})


@dataclass(frozen=True, slots=True)
class State:
    """What is known where a statement stands. `fed` is whether it reads what others wrote."""

    fed: bool = False
    bound: Bound = field(default_factory=dict)
    depth: int = 0


def gap(source: bytes, start: int, end: int, allowed: re.Pattern[bytes]) -> bytes:
    """What stands between two nodes; it must be of the blanks `allowed`."""
    found = source[start:end]
    if start > end or not allowed.fullmatch(found):
        raise Refused
    return found


def has_line_end(blanks: bytes) -> bool:
    return b"\n" in blanks.replace(b"\\\n", b"")


def text_of(source: bytes, node: Node) -> str:
    return source[node.start_byte : node.end_byte].decode()


def parts_of_test(node: Node) -> list[Node]:
    """The words and signs of a test in their order, brackets included."""
    parts: list[Node] = []
    waiting = [node]
    while waiting:
        one = waiting.pop()
        if one is node or one.type in _TEST_PARTS:
            waiting += reversed(one.children)
        else:
            parts.append(one)
    return parts


def substitutions(node: Node) -> Iterator[Node]:
    """The substitutions in a word, not those within them."""
    waiting = [node]
    while waiting:
        one = waiting.pop()
        if one.type in _SUBSTITUTIONS:
            yield one
        else:
            waiting += one.children


def loop_variables(source: bytes, root: Node) -> Iterator[str]:
    waiting = [root] if b"for" in source else []
    while waiting:
        one = waiting.pop()
        if one.type == "for_statement":
            yield from (text_of(source, child) for child in one.children if child.type == "variable_name")
        waiting += one.children
