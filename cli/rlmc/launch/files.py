"""The files of a launch: those of the user that are read, and our own that live as long as the child."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
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
    with ExitStack() as stack:
        try:
            base = ensure_dir(state_dir())
            _clear_after_the_dead(base)
            words = _placed(argv, base, stack)
        except OSError:  # that disk is full, say; better a folder that may be cleaned than none
            words = _placed(argv, None, stack)
        yield words


def _placed(argv: tuple[str | TempFile, ...], base: Path | None, stack: ExitStack) -> tuple[str, ...]:
    """The files written in a folder below `base`, None for the system's own place, which goes with the stack."""
    import tempfile

    prefix = f"{_PREFIX}{os.getpid()}-"
    made = tempfile.TemporaryDirectory(prefix=prefix, dir=base, ignore_cleanup_errors=True)
    folder = Path(stack.enter_context(made))
    words = []
    for number, word in enumerate(argv):
        if isinstance(word, TempFile):
            path = folder / f"{number}{word.suffix}"
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            with os.fdopen(descriptor, "w", encoding="utf-8") as out:
                out.write(word.content)
            words.append(str(path))
        else:
            words.append(word)
    return tuple(words)


def _clear_after_the_dead(base: Path) -> None:
    """What runs that were killed have left."""
    from shutil import rmtree

    for folder in base.glob(f"{_PREFIX}*-*"):
        with suppress(OSError, ValueError):
            try:
                os.kill(int(folder.name.removeprefix(_PREFIX).partition("-")[0]), 0)
            except ProcessLookupError:
                rmtree(folder, ignore_errors=True)
