"""An arm: the tasks in their order through one session, some at a time.

Rule: what a task comes to is a value; only a refusal that would meet every further task ends the run. It knows no
daemon: it is handed an address.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from rlmc.bench.client import BUSY, Address, Posted, Reply, ask
from rlmc.bench.results import Result
from rlmc.bench.task import Task
from rlmc.domain.frozen import dataclass
from rlmc.errors import RlmcError

_T = TypeVar("_T")
_D = TypeVar("_D")
_R = TypeVar("_R", Posted, Reply)

TRIES = 5
_WAITS = (2.0, 5.0, 15.0, 30.0)
_LONGEST_WAIT = 60.0
# Whoever is refused so once is refused again: no credit or a passed budget, no valid key, no such model or session.
HOPELESS: dict[int, str] = {
    401: "see whether the key is valid",
    402: "see `rlmc status` for budgets, or the provider for your credit",
    403: "see whether the key may use this model",
    404: "see whether the provider knows this model",
}


class _Nothing:
    """There is no more to do."""


_NOTHING = _Nothing()


class BenchError(RlmcError):
    """The benchmark cannot go on."""

    code = "bench"


@dataclass(frozen=True, slots=True)
class Arm:
    """One way to answer: the policy of a session. `drafts` is false where no draft model is asked."""

    name: str
    policy: str
    drafts: bool = True


ARMS: tuple[Arm, ...] = (
    Arm("direct", "verify-only", drafts=False),
    Arm("draft", "draft-only"),
    Arm("paper", "paper"),
    Arm("balanced", "balanced"),
)


def run_arm(arm: Arm, tasks: Sequence[Task], address: Address, parallel: int, done: Callable[[Result], None]) -> None:
    """`done` is called in this thread, in the order in which tasks are finished."""
    spread(tasks, lambda task, stop: _result(arm, task, address, stop), parallel, done)


def spread(
    things: Iterable[_T], work: Callable[[_T, threading.Event], _D], parallel: int, done: Callable[[_D], None]
) -> None:
    """Works on so many at a time; `done` is called in this thread. Whatever ends this, nothing is begun any more, and
    `work` is told by its event; what is under way is left to itself."""
    todo = iter(things)
    turn = threading.Lock()
    stop = threading.Event()
    finished: queue.SimpleQueue[tuple[_D] | BaseException | None] = queue.SimpleQueue()

    def run() -> None:
        try:
            while not stop.is_set():
                with turn:
                    thing = next(todo, _NOTHING)
                if isinstance(thing, _Nothing):
                    break
                finished.put((work(thing, stop),))
        except BaseException as error:  # told to the thread that waits
            finished.put(error)
        else:
            finished.put(None)

    # Daemon threads: after Ctrl-C nobody waits for answers that are minutes away.
    for _ in range(parallel):
        threading.Thread(target=run, name="rlmc-bench", daemon=True).start()
    try:
        running = parallel
        while running:
            match finished.get():
                case None:
                    running -= 1
                case (found,):
                    done(found)
                case BaseException() as error:
                    raise error
    finally:
        stop.set()


def _result(arm: Arm, task: Task, address: Address, stop: threading.Event) -> Result:
    reply = patiently(lambda: ask(address, task), stop)
    if reply.answer is None:
        said = f"status {reply.status}: {reply.problem}" if reply.status else reply.problem
        if reply.status in HOPELESS:
            raise BenchError(f"arm {arm.name}: {task.id} was refused with {said}", HOPELESS[reply.status])
        return Result(arm.name, task.id, None, said)
    verdict = task.check(reply.answer)
    return Result(arm.name, task.id, verdict.passed, verdict.why)


def patiently(once: Callable[[], _R], stop: threading.Event) -> _R:
    """Again after a while where the other side has too much to do."""
    reply = once()
    for wait in _WAITS[: TRIES - 1]:
        if reply.status not in BUSY:
            break
        if stop.wait(min(wait if reply.retry_after is None else reply.retry_after, _LONGEST_WAIT)):
            break
        reply = once()
    return reply
