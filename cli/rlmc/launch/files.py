"""The files of a launch: those of the user that are read, and our own that live as long as the child."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from rlmc.config.paths import ensure_dir, state_dir
from rlmc.launch.integration import TempFile

_PREFIX = "run-"
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
    """The arguments with every temporary file in place, in a folder of its own that is gone afterwards.

    Not where temporary files lie: an agent may read them again after weeks, when such folders have been cleaned.
    """
    if not any(isinstance(word, TempFile) for word in argv):
        yield tuple(str(word) for word in argv)
        return
    import tempfile

    base = ensure_dir(state_dir())
    _clear_after_the_dead(base)
    prefix = f"{_PREFIX}{os.getpid()}-"
    with tempfile.TemporaryDirectory(prefix=prefix, dir=base, ignore_cleanup_errors=True) as folder:
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


def _clear_after_the_dead(base: Path) -> None:
    """What runs that were killed have left."""
    for folder in base.glob(f"{_PREFIX}*-*"):
        with suppress(OSError, ValueError):
            try:
                os.kill(int(folder.name.removeprefix(_PREFIX).partition("-")[0]), 0)
            except ProcessLookupError:
                shutil.rmtree(folder, ignore_errors=True)
