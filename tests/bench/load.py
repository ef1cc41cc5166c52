"""The load driver, `python -m tests.bench.load`: a job a line on stdin, its outcome a line on stdout.

A closed loop over raw sockets: each connection asks again as soon as its answer has come.

Rule: every answer is checked for completeness, outside the time that is measured; a turn that was begun is counted as
good or as bad, never forgotten.
"""

from __future__ import annotations

import asyncio
import functools
import sys
import time
from dataclasses import dataclass, field
from typing import Literal, cast

import httptools
import msgspec
import uvloop
from tests.bench import answers
from tests.bench.process import HOST, Process
from tests.bench.requests import HEADERS, Growing, Kind, body_of


@dataclass(frozen=True, slots=True)
class Job:
    """`path` is where the server takes messages, `headers` what it wants besides. `expect` is what a good answer says,
    `exact` whether it must be the upstream's to the byte. `growing` requests begin with turn `first`. `conversation` is
    what the client's sessions are named by, one a connection."""

    port: int
    path: str
    request: Kind
    turns: int
    connections: int
    pause_ms: int = 0
    first: int = 1
    conversation: str = "bench"
    headers: tuple[tuple[str, str], ...] = ()
    expect: Literal["text", "call"] = "text"
    exact: bool = False
    seconds: float = 120.0


@dataclass(slots=True)
class Result:
    """`asked` turns were begun, `bad` of them had no complete answer; times are of the good ones, in milliseconds."""

    asked: int = 0
    bad: int = 0
    first_problem: str | None = None
    seconds: float = 0.0
    first_byte: list[float] = field(default_factory=list)
    total: list[float] = field(default_factory=list)


_JOB = msgspec.json.Decoder(Job)
_RESULT = msgspec.json.Decoder(Result)
growing = functools.cache(Growing)  # one for all jobs: its messages are made once


class Load:
    """The driver's process, seen from the bench."""

    def __init__(self, process: Process) -> None:
        self._process = process

    def run(self, job: Job) -> Result:
        self._process.say(msgspec.json.encode(job))
        return _RESULT.decode(self._process.hear())


class Run:
    """One job under way."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.result = Result()
        self._body = b"" if job.request == "growing" else body_of(job.request, job.pause_ms)
        self.stream = job.request != "small-whole"
        self._unchecked: list[tuple[bytes, float, float]] = []
        self._clients: set[Client] = set()
        self._working = 0
        self._over = asyncio.Event()

    async def perform(self) -> Result:
        began = time.perf_counter()
        connections = min(self.job.connections, self.job.turns)
        self._working = connections
        try:
            async with asyncio.timeout(self.job.seconds):
                await asyncio.gather(*(self.connect(number) for number in range(connections)))
                await self._over.wait()
        except TimeoutError:
            self.note(f"not done after {self.job.seconds:g} s")
        except OSError as error:
            self.note(f"no connection: {error}")
        self.result.seconds = time.perf_counter() - began
        for client in self._clients:
            client.leave()
        for answer, first_byte, total in self._unchecked:
            problem = answers.problem(answer, self.job.expect, stream=self.stream, exact=self.job.exact)
            if problem is None:
                self.result.first_byte.append(round(first_byte * 1000, 4))
                self.result.total.append(round(total * 1000, 4))
            else:
                self.note(problem)
        # Whatever did not end well is bad, also what never ended.
        self.result.bad = self.result.asked - len(self.result.total)
        return self.result

    async def connect(self, number: int) -> None:
        loop = asyncio.get_running_loop()
        _, client = await loop.create_connection(lambda: Client(self, number), HOST, self.job.port)
        self._clients.add(client)

    def take(self) -> bytes | None:
        """The body of the next turn, which counts as asked; None where there is none left."""
        if self.result.asked >= self.job.turns:
            return None
        self.result.asked += 1
        return self._body or growing().body_of(self.job.first + self.result.asked - 1)

    def arrived(self, answer: bytes, first_byte: float, total: float) -> None:
        self._unchecked.append((answer, first_byte, total))

    def note(self, problem: str) -> None:
        if self.result.first_problem is None:
            self.result.first_problem = problem

    def done(self) -> None:
        self._working -= 1
        if self._working == 0:
            self._over.set()


class Client(asyncio.Protocol):
    """One connection: asks, reads, asks again. One that breaks is opened anew, for the next turn."""

    def __init__(self, run: Run, number: int) -> None:
        self._run = run
        self._number = number
        self._parser = httptools.HttpResponseParser(self)
        self._transport: asyncio.Transport
        self._body: list[bytes] = []
        self._sent = self._first = 0.0
        self._asking = self._leaving = False
        self._again: asyncio.Future[None] | None = None
        name = f"{run.job.conversation}-{number}"
        headers = (*HEADERS, ("x-claude-code-session-id", name), *run.job.headers)
        lines = [f"POST {run.job.path} HTTP/1.1", f"host: {HOST}:{run.job.port}", *(f"{k}: {v}" for k, v in headers)]
        self._head = ("\r\n".join(lines) + "\r\ncontent-length: ").encode()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's own is no subclass
        self._ask()

    def data_received(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as error:
            self._run.note(f"no HTTP: {error}")
            self._transport.close()

    def on_body(self, body: bytes) -> None:
        if not self._body:
            self._first = time.perf_counter()
        self._body.append(body)

    def on_message_complete(self) -> None:
        now = time.perf_counter()
        answer = b"".join(self._body)
        self._asking = False
        status = self._parser.get_status_code()
        if status != 200:
            self._run.note(f"status {status}: {answer[:200].decode(errors='replace')}")
        elif answer:
            self._run.arrived(answer, self._first - self._sent, now - self._sent)
        if self._parser.should_keep_alive():
            self._ask()
        else:
            self._transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._leaving:
            return
        if self._asking:
            self._run.note(f"the connection broke in the middle of an answer ({exc or 'closed'})")
        self._again = asyncio.ensure_future(self._reconnect())

    def leave(self) -> None:
        """Hangs up for good, in the middle of an answer if need be."""
        self._leaving = True
        self._transport.abort()

    async def _reconnect(self) -> None:
        try:
            await self._run.connect(self._number)
        except OSError as error:
            self._run.note(f"no connection: {error}")
            self._run.done()

    def _ask(self) -> None:
        body = self._run.take()
        if body is None:
            self.leave()
            self._run.done()
            return
        request = b"%b%d\r\n\r\n%b" % (self._head, len(body), body)
        self._body = []
        self._asking = True
        self._sent = time.perf_counter()
        self._transport.write(request)


def main() -> None:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        while line := sys.stdin.buffer.readline():
            result = runner.run(Run(_JOB.decode(line)).perform())
            sys.stdout.buffer.write(msgspec.json.encode(result) + b"\n")
            sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
