"""The measurements: rounds in which every server is asked the same, one after the other, in changing order.

Rule: figures of different servers are compared within a round only; what the machine does to one it does to the others.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from statistics import fmean, median
from typing import get_args

from tests.bench.answers import EVENTS
from tests.bench.load import Job, Load, Result
from tests.bench.process import Process
from tests.bench.requests import Kind

CONNECTIONS = 32
_LEAST_TURNS = 64
_WARM_UP = 20
_BLOCK = 10
_LATENCY: tuple[Kind, ...] = ("agent", "small")


@dataclass(frozen=True, slots=True)
class Scale:
    """How much is measured. A CPU figure takes about `seconds`, at most `turns`; `alone` turns are asked at one
    connection; `streams` slow streams run at once, `pause_ms` between their events."""

    rounds: int
    turns: int
    seconds: float
    alone: int
    streams: int
    pause_ms: int


FULL = Scale(rounds=7, turns=2000, seconds=0.6, alone=60, streams=200, pause_ms=50)
QUICK = Scale(rounds=2, turns=300, seconds=0.3, alone=30, streams=50, pause_ms=20)


@dataclass(slots=True)
class Server:
    """Something that answers. `process` is what its CPU and memory are read from, None for the upstream itself.

    `exact`: its answers must be the upstream's to the byte. `skipping`: it is asked in the middle of a task alone, and
    answers with a draft, from the same process as another. `optional`: it may be left out. `asked`, `bad` and `problem`
    are the account of its turns.
    """

    name: str
    process: Process | None
    port: int
    path: str = "/v1/messages"
    headers: tuple[tuple[str, str], ...] = ()
    exact: bool = True
    skipping: bool = False
    optional: bool = False
    asked: int = 0
    bad: int = 0
    problem: str | None = None

    @property
    def requests(self) -> tuple[Kind, ...]:
        return ("agent-mid-task",) if self.skipping else ("agent", "small", "small-whole")


class Measurement:
    """Measures `servers` beside the `upstream` they ask.

    `figures` has a value a round, by server and figure: `cpu REQUEST`, `first_byte REQUEST`, `total REQUEST` in
    milliseconds, `cpu event` in microseconds; and once a run `idle` and `after` in megabytes.
    """

    def __init__(
        self, load: Load, upstream: Server, servers: list[Server], scale: Scale, tell: Callable[[str], None]
    ) -> None:
        self._load = load
        self._scale = scale
        self._tell = tell
        self._turns: dict[tuple[str, Kind], int] = {}
        self.upstream = upstream
        self.servers = servers
        self.figures: defaultdict[str, defaultdict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
        self.left_out: list[tuple[str, str]] = []

    @property
    def account(self) -> list[Server]:
        """Everybody who was asked anything and is still in the table."""
        return [self.upstream, *self.servers]

    def run(self) -> None:
        self._tell("warming up")
        self._memory("idle")
        for server in (self.upstream, *self.servers):
            self._warm_up(server)
        for server in [s for s in self.servers if s.optional and s.bad]:
            self.left_out.append((server.name, server.problem or "bad answers"))
            self.servers.remove(server)
        for number in range(self._scale.rounds):
            self._tell(f"round {number + 1} of {self._scale.rounds}")
            first = number % len(self.servers)
            self._round([*self.servers[first:], *self.servers[:first]])
        self._memory("after")

    def _round(self, servers: list[Server]) -> None:
        for request in get_args(Kind):
            for server in servers:
                if request in server.requests:
                    self._cpu(server, request)
        for request in _LATENCY:
            self._added([s for s in servers if request in s.requests], request)
        for server in servers:
            if "small" in server.requests:
                self._slow_streams(server)

    def _warm_up(self, server: Server) -> None:
        """Also finds out how many turns make a figure."""
        for request in server.requests:
            self._ask(server, request, 5)
            result = self._ask(server, request, _WARM_UP)
            turns = self._scale.turns
            if result.total:
                turns = min(turns, round(self._scale.seconds / (fmean(result.total) / 1000)))
            self._turns[server.name, request] = max(min(_LEAST_TURNS, self._scale.turns), turns)

    def _cpu(self, server: Server, request: Kind) -> None:
        turns = self._turns[server.name, request]
        before = self._cpu_seconds(server)
        self._ask(server, request, turns, CONNECTIONS)
        self._note(server, f"cpu {request}", (self._cpu_seconds(server) - before) * 1000 / turns)

    def _added(self, servers: list[Server], request: Kind) -> None:
        """In blocks of a few turns, the upstream's own among them: the difference is small, and the machine's mood
        changes from one moment to the next."""
        results: defaultdict[str, list[Result]] = defaultdict(list)
        for _ in range(0, self._scale.alone, _BLOCK):
            for server in (self.upstream, *servers):
                results[server.name].append(self._ask(server, request, min(_BLOCK, self._scale.alone)))
        for what in ("first_byte", "total"):
            times = {name: [t for r in blocks for t in getattr(r, what)] for name, blocks in results.items()}
            for server in servers:
                if times[server.name] and times[self.upstream.name]:
                    added = median(times[server.name]) - median(times[self.upstream.name])
                    self._note(server, f"{what} {request}", added)

    def _slow_streams(self, server: Server) -> None:
        streams = self._scale.streams
        before = self._cpu_seconds(server)
        self._ask(server, "small", streams, streams, self._scale.pause_ms)
        self._note(server, "cpu event", (self._cpu_seconds(server) - before) * 1e6 / (streams * EVENTS))

    def _ask(self, server: Server, request: Kind, turns: int, connections: int = 1, pause_ms: int = 0) -> Result:
        result = self._load.run(
            Job(
                port=server.port,
                path=server.path,
                request=request,
                turns=turns,
                connections=connections,
                pause_ms=pause_ms,
                headers=server.headers,
                expect="call" if server.skipping else "text",
                exact=server.exact,
            )
        )
        server.asked += result.asked
        server.bad += result.bad
        server.problem = server.problem or result.first_problem
        return result

    def _cpu_seconds(self, server: Server) -> float:
        """Once the server is at rest: work it puts off is its work too."""
        if server.process is None:
            return 0.0
        server.process.settle()
        return server.process.cpu_seconds()

    def _memory(self, figure: str) -> None:
        for server in self.servers:
            if server.process is not None and not server.skipping:
                server.process.settle()
                self._note(server, figure, server.process.memory_mb())

    def _note(self, server: Server, figure: str, value: float) -> None:
        self.figures[server.name][figure].append(value)
