"""Which files to read: those the user names, else where the clients keep theirs.

Rule: regular files only, each once, however many ways lead to it; the oldest first, so that a call that was copied
into a later session's file counts where it was made.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path

from rlmc.errors import UsageError
from rlmc.replay.recorded import ReadingFaults

_SUFFIX = ".jsonl"


def files_below(named: Sequence[Path], defaults: Sequence[Path], faults: ReadingFaults) -> list[Path]:
    """A folder stands for every `*.jsonl` below it, a file for itself. `defaults` may be missing, `named` may not."""
    for path in named:
        if not _exists(path):
            raise UsageError(
                f"{path} does not exist",
                "name a recorded session, a folder of them, or nothing for the clients' own folders",
            )
    places = list(named) if named else [path for path in defaults if path.is_dir()]
    found: dict[tuple[int, int], tuple[int, str, Path]] = {}
    for place in places:
        for path in _below(place, faults) if place.is_dir() else (place,):
            try:
                facts = path.stat()
            except OSError:
                faults.files += 1
                continue
            if stat.S_ISREG(facts.st_mode):
                found.setdefault((facts.st_dev, facts.st_ino), (facts.st_mtime_ns, str(path), path))
            elif not stat.S_ISDIR(facts.st_mode):
                faults.files += 1
    return [path for _, _, path in sorted(found.values())]


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # behind a folder that may not be entered
        return False


def _below(folder: Path, faults: ReadingFaults) -> Iterator[Path]:
    """Symbolic links are followed, but no folder is entered twice: a link to a folder above it would never end."""
    entered: set[tuple[int, int]] = set()

    def unreadable(_: OSError) -> None:
        faults.files += 1

    for root, folders, names in os.walk(folder, followlinks=True, onerror=unreadable):
        try:
            facts = Path(root).stat()
        except OSError:
            faults.files += 1
            folders.clear()
            continue
        if (facts.st_dev, facts.st_ino) in entered:
            folders.clear()
            continue
        entered.add((facts.st_dev, facts.st_ino))
        yield from (Path(root, name) for name in names if name.endswith(_SUFFIX))
