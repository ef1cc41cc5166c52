"""The load itself, `python -m tests.load.generator`: a job on stdin, a line of figures every few seconds on stdout.

Small turns come at fixed times, however long answers take, and are timed from when they were due: a server that is
late cannot hide behind a client that waits for it. Rule: every answer is checked, and whatever is not as it should be
is counted and said.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import cycle
from typing import Any, TypeVar

import msgspec
import uvloop
from tests.bench import answers
from tests.bench.answers import EVENTS
from tests.bench.requests import HEADERS, Kind, body_of
from tests.load.client import Answer, Broken, Connection, Pool, request
from tests.load.requests import flood_body, large_body
from tests.load.upstream import flood_size

_TO_FLOOR = (0, 11)  # of twenty small turns, those that are asked of the floor as well: one streamed, one whole
_LARGE_AT_ONCE = 3
_FLOOD_PIECES = 400
_LEFT_AFTER = 0.3
_LATE = 0.05
# Of ten small turns: eight of 1 KB, half of them streamed, and two of 100 KB in the middle of a task.
_MIX: tuple[Kind, ...] = ("small", "small-whole", "small", "agent-mid-task", "small-whole") * 2


@dataclass(frozen=True, slots=True)
class Job:
    """`direct` and `skipped` are the paths of sessions whose turns end so. `every` is the time between two lines."""

    port: int
    floor: int
    direct: tuple[str, ...]
    skipped: tuple[str, ...]
    seconds: float
    rate: float
    streams: int
    stream_seconds: float
    slow_readers: int
    large: int
    large_every: float
    every: float


@dataclass(slots=True)
class Window:
    """Figures of the time since the last line, times in milliseconds. `asked` counts turns by path, `answers` by kind;
    `left` those hung up on, `unheard` those of them of which nothing had come, so that the daemon may not have known
    of them. `late` turns were sent late by the generator itself, `large` says whether large bodies were about."""

    seconds: float = 0.0
    asked: dict[str, int] = field(default_factory=Counter)
    answers: dict[str, int] = field(default_factory=Counter)
    unheard: dict[str, int] = field(default_factory=Counter)
    left: int = 0
    late: int = 0
    large: bool = False
    bad: int = 0
    problems: list[str] = field(default_factory=list)
    direct: list[float] = field(default_factory=list)
    skipped: list[float] = field(default_factory=list)
    floor: list[float] = field(default_factory=list)
    last: bool = False


_T = TypeVar("_T")
_JOB = msgspec.json.Decoder(Job)
_MOST_PROBLEMS = 5


class Generator:
    def __init__(self, job: Job, tell: Callable[[Window], None]) -> None:
        self._job = job
        self._tell = tell
        self._window = Window()
        self._rlmc, self._floor = Pool(job.port), Pool(job.floor)
        self._turns: set[asyncio.Task[None]] = set()
        self._direct, self._skipped = cycle(job.direct), cycle(job.skipped)
        self._requests: dict[tuple[str, str], bytes] = {}
        self._sending, self._ending = 0, False

    async def run(self) -> None:
        job = self._job
        standing: list[Coroutine[Any, Any, None]] = [self._stream(number) for number in range(job.streams)]
        standing += [self._slow_reader() for _ in range(job.slow_readers)]
        standing += [self._hang_up(), self._hang_up_while_sending(), self._large()]
        tasks = [asyncio.ensure_future(self._for_ever(one)) for one in standing]
        reporting = asyncio.ensure_future(self._report())
        await self._small()
        self._ending = True
        if self._turns:
            await asyncio.wait(self._turns, timeout=30)
        for _ in self._turns:
            self._note("a turn had no answer within 30 s of the end")
        # Who is in the middle of something hangs up now.
        for task in (*tasks, *self._turns, reporting):
            task.cancel()
        await asyncio.gather(*tasks, *self._turns, reporting, return_exceptions=True)
        self._rlmc.close()
        self._floor.close()
        await asyncio.sleep(0.01)  # until the lines are really closed
        self._window.last = True
        self._tell(self._window)

    async def _report(self) -> None:
        began = time.perf_counter()
        while True:
            await asyncio.sleep(self._job.every)
            now = time.perf_counter()
            window, self._window = self._window, Window()
            window.seconds, began = now - began, now
            self._window.large = self._sending > 0
            self._tell(window)

    # --- small turns, at fixed times --------------------------------------------------------------------------------

    async def _small(self) -> None:
        began = time.perf_counter()
        for number in range(int(self._job.seconds * self._job.rate)):
            due = began + number / self._job.rate
            now = time.perf_counter()
            if due > now:
                await asyncio.sleep(due - now)
            elif now - due > _LATE:
                self._window.late += 1
            kind = _MIX[number % len(_MIX)]
            self._begin(self._turn(kind, due))
            if number % 20 in _TO_FLOOR:
                self._begin(self._floor_turn(kind, due))

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._turns.add(task)
        task.add_done_callback(self._turns.discard)

    async def _turn(self, kind: Kind, due: float) -> None:
        skipping = kind == "agent-mid-task"
        path = next(self._skipped if skipping else self._direct)
        answer = await self._asked(self._rlmc.ask, path, self._request(path, kind), kind)
        if answer is not None and self._good(answer, kind, "call" if skipping else "text", exact=not skipping):
            times = self._window.skipped if skipping else self._window.direct
            times.append((answer.ended - due) * 1000)

    async def _floor_turn(self, kind: Kind, due: float) -> None:
        try:
            answer = await self._floor.ask(self._request("/v1/messages", kind))
        except (Broken, OSError) as error:
            self._note(f"floor: {error}")
            return
        if self._good(answer, kind, "text", exact=True):
            self._window.floor.append((answer.ended - due) * 1000)

    # --- slow and large ones, all the time ----------------------------------------------------------------------------

    async def _for_ever(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except (Broken, OSError) as error:
            self._note(f"a standing client gave up: {error}")

    async def _stream(self, number: int) -> None:
        """One slow stream after another on one connection; they begin spread over the time that one takes."""
        job = self._job
        pause = max(1, round(job.stream_seconds * 1000 / EVENTS))
        await asyncio.sleep(number / job.streams * job.stream_seconds)
        path = job.direct[number % len(job.direct)]
        data = request(job.port, path, body_of("small", pause), (*HEADERS, ("x-claude-code-session-id", f"s{number}")))
        connection = await Connection.to(job.port)
        try:
            while True:
                if not connection.open:
                    connection = await Connection.to(job.port)
                answer = await self._asked(connection.ask, path, data, "stream", connection)
                if answer is not None:
                    self._good(answer, "small", "text", exact=True)
        finally:
            connection.leave()

    async def _slow_reader(self) -> None:
        path, size = next(self._direct), flood_size(_FLOOD_PIECES)
        data = request(self._job.port, path, flood_body(_FLOOD_PIECES), HEADERS)
        while True:
            connection = await Connection.to(self._job.port, sip=True)
            try:
                answer = await self._asked(connection.ask, path, data, "slow reader", connection)
                if answer is not None and (answer.status != 200 or len(answer.body) != size):
                    self._note(f"a long answer came as {answer.status} with {len(answer.body)} of {size} bytes")
            finally:
                connection.leave()

    async def _hang_up(self) -> None:
        """A client that leaves in the middle of its answer, one a second."""
        while True:
            path = next(self._direct)
            data = request(self._job.port, path, body_of("small", 100), HEADERS)
            connection = await Connection.to(self._job.port)

            async def ask(data: bytes, connection: Connection = connection) -> bool:
                return await connection.ask_and_leave(data, _LEFT_AFTER)

            self._window.left += bool(await self._asked(ask, path, data, "hung up on", connection))
            await asyncio.sleep(1 - _LEFT_AFTER)

    async def _hang_up_while_sending(self) -> None:
        while True:
            await asyncio.sleep(self._job.large_every / 2)
            path = next(self._direct)
            data = request(self._job.port, path, large_body(self._job.large), HEADERS)
            connection = await Connection.to(self._job.port)
            await connection.send_and_leave(data[: len(data) // 2])

    async def _large(self) -> None:
        """A few large bodies at once."""
        path = next(self._direct)
        data = request(self._job.port, path, large_body(self._job.large), HEADERS)
        while True:
            await asyncio.sleep(self._job.large_every)
            if not self._sending and not self._ending:
                for _ in range(_LARGE_AT_ONCE):
                    self._begin(self._one_large(path, data))

    async def _one_large(self, path: str, data: bytes) -> None:
        self._sending += 1
        self._window.large = True
        connection = await Connection.to(self._job.port)
        try:
            answer = await self._asked(connection.ask, path, data, "large", connection)
        finally:
            self._sending -= 1
            connection.leave()
        if answer is not None:
            self._good(answer, "small", "text", exact=True)

    # --- what all do ------------------------------------------------------------------------------------------------

    async def _asked(
        self,
        ask: Callable[[bytes], Awaitable[_T]],
        path: str,
        data: bytes,
        what: str,
        connection: Connection | None = None,
    ) -> _T | None:
        asked = self._window.asked
        asked[path] = asked.get(path, 0) + 1
        try:
            answer = await ask(data)
        except asyncio.CancelledError:
            self._window.left += 1
            if connection is None or not connection.heard:
                self._window.unheard[path] = self._window.unheard.get(path, 0) + 1
            raise
        except (Broken, OSError) as error:
            self._note(f"{what}: {error}")
            return None
        self._window.answers[what] = self._window.answers.get(what, 0) + 1
        return answer

    def _request(self, path: str, kind: Kind) -> bytes:
        port = self._floor.port if path == "/v1/messages" else self._rlmc.port
        made = self._requests.get((path, kind))
        if made is None:
            made = self._requests[path, kind] = request(port, path, body_of(kind), HEADERS)
        return made

    def _good(self, answer: Answer, kind: Kind, expect: answers.Kind, *, exact: bool) -> bool:
        if answer.status != 200:
            self._note(f"{kind}: status {answer.status}: {answer.body[:200].decode(errors='replace')}")
            return False
        problem = answers.problem(answer.body, expect, stream=kind != "small-whole", exact=exact)
        if problem is not None:
            self._note(f"{kind}: {problem}")
        return problem is None

    def _note(self, problem: str) -> None:
        self._window.bad += 1
        if len(self._window.problems) < _MOST_PROBLEMS:
            self._window.problems.append(problem)


def main() -> None:
    def tell(window: Window) -> None:
        sys.stdout.buffer.write(msgspec.json.encode(window) + b"\n")
        sys.stdout.buffer.flush()

    job = _JOB.decode(sys.stdin.buffer.readline())
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner, suppress(BrokenPipeError):
        runner.run(Generator(job, tell).run())


if __name__ == "__main__":
    main()
