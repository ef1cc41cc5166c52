"""An arm: the tasks in their order through one session, some at a time.

Rule: what a task comes to is a value; only a refusal that would meet every further task ends the run. It knows no
daemon: it is handed an address.
"""

from __future__ import annotations

import queue
import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rlmc.bench.client import BUSY, Address, Reply, ask
from rlmc.bench.results import Result
from rlmc.bench.task import Task
from rlmc.errors import RlmcError

TRIES = 5
_WAITS = (2.0, 5.0, 15.0, 30.0)
_LONGEST_WAIT = 60.0
# Whoever is refused so once is refused again: no credit or a passed budget, no valid key, no such model or session.
_HOPELESS = frozenset({401, 402, 403, 404})
_HINTS = {
    401: "see whether the key is valid",
    402: "see `rlmc status` for budgets, or the provider for your credit",
    403: "see whether the key may use this model",
    404: "see whether the provider knows this model",
}


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
    """`done` is called in this thread, in the order in which tasks are finished. Whatever ends this, no task is begun
    any more; those under way are left to themselves."""
    todo = deque(tasks)
    stop = threading.Event()
    finished: queue.SimpleQueue[Result | BaseException] = queue.SimpleQueue()

    def work() -> None:
        while not stop.is_set():
            try:
                task = todo.popleft()
            except IndexError:
                return
            try:
                finished.put(_result(arm, task, address, stop))
            except BaseException as error:  # told to the thread that waits
                finished.put(error)
                return

    # Daemon threads: after Ctrl-C nobody waits for answers that are minutes away.
    for _ in range(min(parallel, len(tasks))):
        threading.Thread(target=work, name="rlmc-bench", daemon=True).start()
    try:
        for _ in tasks:
            found = finished.get()
            if isinstance(found, BaseException):
                raise found
            done(found)
    finally:
        stop.set()


def _result(arm: Arm, task: Task, address: Address, stop: threading.Event) -> Result:
    reply = _patiently(task, address, stop)
    if reply.answer is None:
        said = f"status {reply.status}: {reply.problem}" if reply.status else reply.problem
        if reply.status in _HOPELESS:
            raise BenchError(f"arm {arm.name}: {task.id} was refused with {said}", _HINTS[reply.status])
        return Result(arm.name, task.id, None, said)
    verdict = task.check(reply.answer)
    return Result(arm.name, task.id, verdict.passed, verdict.why)


def _patiently(task: Task, address: Address, stop: threading.Event) -> Reply:
    """Again after a while where the other side has too much to do."""
    reply = ask(address, task)
    for wait in _WAITS[: TRIES - 1]:
        if reply.status not in BUSY:
            break
        if stop.wait(min(wait if reply.retry_after is None else reply.retry_after, _LONGEST_WAIT)):
            break
        reply = ask(address, task)
    return reply
