"""The folders that a command line goes to, and the names it uses: a harmless name may be a secret's in another folder.

Rule: which name is looked up in which folder is not worked out. Each counts in all of them.
"""

from __future__ import annotations

from collections.abc import Sequence

from rlmc.cascade.effects.private import leads_to_secrets

_GO = "cd"
_MOST_FOLDERS = 16


class Visited:
    """`folder` is where the line begins, if that is known."""

    def __init__(self, folder: str) -> None:
        self._folders = [folder] if folder else []
        self._names: set[str] = set()

    def command(self, words: Sequence[str]) -> None:
        self._names.update(words[1:])
        if _GO in words[:-1]:
            before = self._folders[-1] if self._folders else ""
            self._folders.append(words[-1] if words[-1].startswith("/") or not before else f"{before}/{words[-1]}")

    def name(self, name: str) -> None:
        self._names.add(name)

    def leads_to_secrets(self) -> bool:
        """Also where there are too many folders to say."""
        folders = set(self._folders)
        return len(self._folders) > _MOST_FOLDERS or any(
            leads_to_secrets(f"{folder}/{name}") for folder in folders for name in self._names
        )
