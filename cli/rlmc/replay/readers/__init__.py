"""The table of formats recorded sessions are read from. A new one is a file here and one line below.

What a file is, is told by what is in it and not by its name. Nothing in a file is fatal: what cannot be read is counted
and passed over.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from rlmc.replay.readers import claude_code, codex, trace
from rlmc.replay.readers.files import files_below
from rlmc.replay.readers.lines import first_lines
from rlmc.replay.readers.reader import EffectOf, Reader, Reading
from rlmc.replay.recorded import ReadingFaults, RecordedCall

__all__ = ["READERS", "EffectOf", "Reader", "find_files", "read", "sniff"]

READERS: tuple[Reader, ...] = (
    claude_code.READER,
    codex.READER,
    trace.READER,
)


def find_files(paths: Sequence[Path], home: Path, faults: ReadingFaults | None = None) -> list[Path]:
    """The files to read, oldest first. Without `paths` those in the places of all clients, which may be none."""
    defaults = [home / place for reader in READERS for place in reader.places]
    return files_below(paths, defaults, faults if faults is not None else ReadingFaults())


def sniff(first_lines: list[bytes]) -> Reader | None:
    """The format of a file that begins with these lines: that of the first line any format knows as its own."""
    for line in first_lines:
        for reader in READERS:
            if reader.recognises(line):
                return reader
    return None


def read(
    paths: Sequence[Path], effect_of: EffectOf, faults: ReadingFaults, progress: Callable[[int], None]
) -> Iterator[list[RecordedCall]]:
    """The sessions in some files, one whole session at a time, its calls in order of time.

    `effect_of` classes a tool call by its name and its arguments as JSON text. `progress` is told how many bytes more
    were read. A file of no known format counts as a fault.
    """
    reading = Reading(effect_of, faults, progress)
    for files in _sessions(paths):
        by_reader: dict[str, list[Path]] = {}
        for path in files:
            reader = sniff(first_lines(path))
            if reader is not None:
                by_reader.setdefault(reader.name, []).append(path)
            elif not _is_empty(path):
                faults.files += 1
        for reader in READERS:
            if reader.name in by_reader:
                yield from reader.sessions(by_reader[reader.name], reading)


def _sessions(paths: Sequence[Path]) -> list[list[Path]]:
    """The files in groups that are one session each, the session's own file first in its group."""
    groups: dict[Path, list[Path]] = {}
    for path in paths:
        own = next((main for reader in READERS if (main := reader.session_file(path)) != path), path)
        groups.setdefault(own, []).append(path)
    return [sorted(files, key=lambda file: (file != own, file)) for own, files in groups.items()]


def _is_empty(path: Path) -> bool:
    """A session that was opened and never used leaves an empty file; that is no fault."""
    try:
        return path.stat().st_size == 0
    except OSError:
        return False
