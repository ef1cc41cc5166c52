"""Which words of a task are worth searching for."""

from __future__ import annotations

import re

_IDENTIFIER = re.compile(r"`([^`]+)`|\b([a-z]+_\w+|[a-z]+[A-Z]\w+|[A-Z]\w+[a-z][A-Z]\w*)\b")
_WORD = re.compile(r"[A-Za-z]{4,}")
# fmt: off
_COMMON = frozenset({
    "about", "after", "also", "apply", "before", "change", "code", "could", "detail", "does", "each", "every",
    "explain", "file", "files", "find", "first", "from", "happens", "have", "here", "into", "look", "make",
    "please", "propose", "read", "rename", "replace", "should", "tell", "that", "them", "then", "there",
    "they", "this", "through", "update", "walk", "what", "when", "where", "which", "while", "with", "work",
    "works", "would", "your",
})
# fmt: on


def search_words(task: str) -> list[str]:
    """Things quoted or spelled like names first, in their order, then the other words, longest first. Never empty."""
    named = [str(m.group(1) or m.group(2)) for m in _IDENTIFIER.finditer(task)]
    plain = sorted((w.lower() for w in _WORD.findall(task) if w.lower() not in _COMMON), key=len, reverse=True)
    spelled = " ".join(named).lower()
    words = [*named, *(w for w in plain if w not in spelled)]
    return list(dict.fromkeys(words)) or ["TODO"]
