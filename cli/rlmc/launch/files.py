"""The files of a launch: those of the user that are read, and our own that live as long as the child."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rlmc.launch.integration import TempFile

_LARGEST = 64 * 1024 * 1024


class DiskFiles:
    """Reads for a plan. A file that cannot be read is as good as none: the agent itself will complain of it."""

    def read(self, path: str) -> str | None:
        try:
            file = Path(path)
            # A pipe (`--settings <(…)`) could be read only once, and the agent needs it.
            if not file.is_file() or file.stat().st_size > _LARGEST:
                return None
            return file.read_text(encoding="utf-8")
        except (OSError, ValueError):
            return None

    def exists(self, path: str) -> bool:
        try:
            return Path(path).exists()
        except (OSError, ValueError):
            return False


@contextmanager
def on_disk(argv: tuple[str | TempFile, ...]) -> Iterator[tuple[str, ...]]:
    """The arguments with every temporary file in place, in a folder of its own that is gone afterwards."""
    if not any(isinstance(word, TempFile) for word in argv):
        yield tuple(str(word) for word in argv)
        return
    import tempfile

    with tempfile.TemporaryDirectory(prefix="rlmc-", ignore_cleanup_errors=True) as folder:
        words = []
        for number, word in enumerate(argv):
            if isinstance(word, TempFile):
                path = Path(folder) / f"{number}{word.suffix}"
                descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
                with os.fdopen(descriptor, "w", encoding="utf-8") as out:
                    out.write(word.content)
                words.append(str(path))
            else:
                words.append(word)
        yield tuple(words)
