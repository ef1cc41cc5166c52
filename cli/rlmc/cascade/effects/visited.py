"""The folders that a command line goes to, and the names it uses: a harmless name may be a secret's in another folder.

Rule: which name is looked up in which folder is not worked out. Each counts in all of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from rlmc.cascade.effects.private import holds_a_home, leads_to_secrets, only_goes_up

_GO = "cd"
_GIT, _GIT_GO = "git", "-C"
_BELOW = frozenset({"grep", "egrep", "fgrep", "rg", "diff"})
_SEARCHES = _BELOW | {_GIT}
_MOST_FOLDERS = 16
# Where others' files lie in a project.
_OF_OTHERS = re.compile(r"/(?:node_modules|vendor|third[-_]party|site-packages|submodules|fixtures|testdata)(?:/|$)")
_STEPS_UP = re.compile(r"(?:\.{0,2}/)*\.{0,2}")


class Visited:
    """`folder` is where the line begins, if that is known."""

    def __init__(self, folder: str) -> None:
        self._folders = [folder] if folder else []
        self._names: set[str] = set()
        self._searched: set[str] = set()
        self._programs: set[str] = set()

    def command(self, words: Sequence[str]) -> None:
        self._names.update(words[1:])
        self._programs.update(words)
        if not _BELOW.isdisjoint(words):
            self._searched.update(words[1:])
        for folder in _folders(words):
            before = self._folders[-1] if self._folders else ""
            self._folders.append(folder if folder.startswith(("/", "~")) or not before else f"{before}/{folder}")

    def name(self, name: str) -> None:
        self._names.add(name)

    def is_harmless(self) -> bool:
        """Not so where there are too many folders to say."""
        folders = set(self._folders)
        if len(self._folders) > _MOST_FOLDERS or (_GIT in self._programs and any(map(_may_be_planted, folders))):
            return False
        if not _SEARCHES.isdisjoint(self._programs) and any(map(holds_a_home, folders | self._names)):
            return False
        searched = {f"{folder}/{name}" for folder in folders for name in self._searched}
        if any(map(holds_a_home, searched)) or any(map(only_goes_up, self._searched)):
            return False
        return not any(leads_to_secrets(f"{folder}/{name}") for folder in folders for name in self._names)


def _folders(words: Sequence[str]) -> Iterator[str]:
    if _GO in words[:-1]:
        yield words[-1]
    elif words[-1:] == [_GO]:
        yield "~"
    if _GIT in words:
        yield from (words[at + 1] for at, word in enumerate(words[:-1]) if word == _GIT_GO)


def _may_be_planted(folder: str) -> bool:
    """Whether git could find a repository there that came with another's files: its settings may run programs."""
    if folder.startswith(("/", "~")):
        return _OF_OTHERS.search(folder) is not None
    return _STEPS_UP.fullmatch(folder) is None
