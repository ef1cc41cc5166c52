"""What the daemon held, moment by moment, and whether that was flat.

Rule: the first third is warming up; of the rest, the second half must not be above the first by more than noise.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from statistics import median

_FEWEST, _FLAT_FROM_SECONDS = 6, 240.0


@dataclass(frozen=True, slots=True)
class Sample:
    """`at` is seconds from the beginning. Sizes are in bytes; `cpu` is the daemon's own, in cores since the last."""

    at: float
    rss: int
    files: int
    sockets: int
    tasks: int
    sessions: int
    body_bytes: int
    ledger_waiting: int
    pending: int
    ledger: int
    cpu: float


@dataclass(frozen=True, slots=True)
class Figure:
    """`share` and `least` are what counts as noise: a share of the value, or so much, whichever is more."""

    name: str
    title: str
    share: float
    least: float
    unit: float = 1.0


MB = 1e6
FIGURES = (
    Figure("rss", "resident memory, MB", 0.05, 6 * MB, MB),
    Figure("files", "open files", 0.10, 20),
    Figure("sockets", "of them sockets", 0.10, 20),
    Figure("tasks", "tasks", 0.05, 20),
    Figure("sessions", "sessions", 0.05, 20),
    Figure("ledger_waiting", "rows on their way to the ledger", 0.25, 500),
    Figure("pending", "their journal, MB", 0.25, 4 * MB, MB),
)


@dataclass(frozen=True, slots=True)
class Course:
    """One figure over the run: at its beginning, its medians in the second and the last third, its highest."""

    figure: Figure
    first: float
    middle: float
    last: float
    highest: float

    @property
    def grew(self) -> bool:
        return self.last - self.middle > max(self.figure.share * self.middle, self.figure.least)


def courses(samples: Sequence[Sample]) -> list[Course]:
    found = []
    third = max(1, len(samples) // 3)
    for figure in FIGURES:
        values = [float(getattr(sample, figure.name)) for sample in samples]
        middle = values[-2 * third : -third] or values
        found.append(Course(figure, values[0], median(middle), median(values[-third:]), max(values)))
    return found


def growth(samples: Sequence[Sample]) -> list[Course]:
    """What grew. A run too short to tell says nothing."""
    if len(samples) < _FEWEST or samples[-1].at - samples[0].at < _FLAT_FROM_SECONDS:
        return []
    return [course for course in courses(samples) if course.grew]


def open_files(pid: int) -> tuple[int, int]:
    """How many files a process has open, and how many of them are sockets."""
    files = sockets = 0
    with suppress(OSError):
        for entry in Path(f"/proc/{pid}/fd").iterdir():
            with suppress(OSError):
                sockets += str(entry.readlink()).startswith("socket:")
            files += 1
    return files, sockets


def waited_seconds(pid: int) -> float:
    """How long the threads of a process were ready to run and had no core. 0 where the kernel does not say."""
    total = 0
    with suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            with suppress(OSError):
                total += int((task / "schedstat").read_text().split()[1])
    return total / 1e9


def size_of(path: Path) -> int:
    with suppress(OSError):
        return path.stat().st_size
    return 0
