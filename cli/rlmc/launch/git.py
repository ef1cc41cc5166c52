"""Which git branch a folder is on, read from its files: starting git would cost more than all the rest."""

from __future__ import annotations

from pathlib import Path

_HEADS = "ref: refs/heads/"


def branch_of(directory: Path) -> str | None:
    """The branch, the short commit where none is checked out, or None outside a repository."""
    for folder in (directory, *directory.parents):
        entry = folder / ".git"
        try:
            if entry.is_file():  # a worktree or a submodule: the file says where the folder is
                pointer = entry.read_text(encoding="utf-8").strip()
                entry = folder / pointer.removeprefix("gitdir:").strip()
            if entry.is_dir():
                head = (entry / "HEAD").read_text(encoding="utf-8").strip()
                return head.removeprefix(_HEADS) if head.startswith(_HEADS) else head[:12] or None
        except (OSError, ValueError):
            return None
    return None
