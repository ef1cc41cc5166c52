"""What a reader of one format is: a few facts and three functions. A new format is a file and a line in the table."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import field
from pathlib import Path

from rlmc.domain.effect import Effect
from rlmc.domain.frozen import dataclass
from rlmc.replay.readers.lines import lines
from rlmc.replay.readers.seen import Seen
from rlmc.replay.recorded import ReadingFaults, RecordedCall

EffectOf = Callable[[str, str], Effect]
"""A tool's name and its arguments as JSON text to the worst the call could do."""


@dataclass(slots=True)
class Reading:
    """One reading of any number of files, and what the readers share in it. `seen` holds the calls counted so far."""

    effect_of: EffectOf
    faults: ReadingFaults
    progress: Callable[[int], None]
    seen: Seen = field(default_factory=Seen)

    def lines(self, path: Path) -> Iterator[bytes]:
        return lines(path, self.faults, self.progress)


def _itself(path: Path) -> Path:
    return path


@dataclass(frozen=True, slots=True)
class Reader:
    """One format.

    `places` are folders below the user's home where the client keeps such files. `recognises` says of one line whether
    it is of this format. `session_file` names the file whose session another file belongs to, by default itself.
    `sessions` reads the files of one such group, the session's own first, and gives one list of calls a session.
    """

    name: str
    places: tuple[str, ...]
    recognises: Callable[[bytes], bool]
    sessions: Callable[[Sequence[Path], Reading], Iterator[list[RecordedCall]]]
    session_file: Callable[[Path], Path] = _itself
