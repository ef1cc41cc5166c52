"""The measurements of servers: rounds in which every one is asked the same, one after the other, in changing order.

Rule: figures of different servers are compared within a round only; what the machine does to one it does to the others.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection
from dataclasses import dataclass
from statistics import fmean, median
from typing import get_args

from tests.bench.answers import EVENTS
from tests.bench.load import Job, Load, Result
from tests.bench.process import Process
from tests.bench.requests import Kind
from tests.bench.scale import Scale

CONNECTIONS = 32
_LEAST_TURNS = 64
_WARM_UP = 20
_BLOCK = 10
_PIECE = 2_500  # turns at a time: a load must come to its end within the driver's patience
_LATENCY: tuple[Kind, ...] = ("agent", "small")
_SLOW_MS = 20.0  # a turn alone; who takes longer takes part in fewer rounds


@dataclass(slots=True)
class Server:
    """Something that answers. `process` is what its CPU and memory are read from, None for the upstream itself.

    `exact`: its answers must be the upstream's to the byte. `skipping`: it is asked in the middle of a task alone, and
    answers with a draft, from the same process as another. `optional`: it is a peer, asked for less, and may be left
    out. `cold_ms` is how long it took to serve. `asked`, `bad` and `problem` are the account of its turns; `slow` is
    found out on the way.
    """

    name: str
    process: Process | None
    port: int
    path: str = "/v1/messages"
    headers: tuple[tuple[str, str], ...] = ()
    exact: bool = True
    skipping: bool = False
    optional: bool = False
    cold_ms: float | None = None
    slow: bool = False
    asked: int = 0
    bad: int = 0
    problem: str | None = None

    @property
    def requests(self) -> tuple[Kind, ...]:
        if self.skipping:
            return ("agent-mid-task",)
        return ("agent",) if self.optional else ("agent", "small", "small-whole")


class Measurement:
    """Measures `servers` beside the `upstream` they ask, for the groups of rows that are `wanted`.

    `figures` has values by server, figure and round: `cpu REQUEST`, `first_byte REQUEST` in milliseconds, `event` in
    microseconds, `idle`, `soon`, `late` and `after` in megabytes.
    """

    def __init__(
        self,
        load: Load,
        upstream: Server,
        servers: list[Server],
        scale: Scale,
        wanted: Collection[str],
        tell: Callable[[str], None],
    ) -> None:
        self._load = load
        self._scale = scale
        self._wanted = wanted
        self._tell = tell
        self._turns: dict[tuple[str, Kind], int] = {}
        self.upstream = upstream
        self.servers = servers
        self.figures: defaultdict[str, defaultdict[str, dict[int, float]]] = defaultdict(lambda: defaultdict(dict))
        self.left_out: list[tuple[str, str]] = []

    @property
    def account(self) -> list[Server]:
        """Everybody who was asked anything and is still in the table."""
        return [self.upstream, *self.servers]

    def run(self) -> None:
        self._tell("warming up")
        if "memory" in self._wanted:
            self._memory("idle", self.servers)
        for server in (self.upstream, *self.servers):
            self._warm_up(server)
        for server in [s for s in self.servers if s.optional and s.bad]:
            self.left_out.append((server.name, server.problem or "bad answers"))
            self.servers.remove(server)
        if "memory" in self._wanted:
            self._tell("memory under load")
            self._loaded()
        if self._wanted & {"cpu", "first-byte", "event"}:
            for number in range(self._scale.rounds):
                self._tell(f"round {number + 1} of {self._scale.rounds}")
                taking = [s for s in self.servers if not s.slow or number < self._scale.slow_rounds]
                first = number % len(taking)
                self._round(number, [*taking[first:], *taking[:first]])
        if "memory" in self._wanted:
            self._memory("after", [server for server in self.servers if server.optional])

    def _round(self, number: int, servers: list[Server]) -> None:
        if "cpu" in self._wanted:
            for request in get_args(Kind):
                for server in servers:
                    if request in server.requests:
                        self._cpu(number, server, request)
        if "first-byte" in self._wanted:
            for request in _LATENCY:
                self._added(number, [s for s in servers if request in s.requests], request)
        if "event" in self._wanted:
            for server in servers:
                if not server.skipping:
                    self._slow_streams(number, server)

    def _warm_up(self, server: Server) -> None:
        """Also finds out how many turns make a figure."""
        for request in server.requests:
            self.ask(server, request, 5)
            result = self.ask(server, request, _WARM_UP)
            turns = self._scale.turns
            if result.total:
                turns = min(turns, round(self._scale.seconds / (fmean(result.total) / 1000)))
                server.slow = server.slow or median(result.total) > _SLOW_MS
            self._turns[server.name, request] = max(min(_LEAST_TURNS, self._scale.turns), turns)

    def _loaded(self) -> None:
        """What many turns leave behind in memory. Peers would take too long; theirs is looked at after the run."""
        done: dict[str, int] = {}
        for figure, turns in (("soon", self._scale.soon), ("late", self._scale.late)):
            for server in [s for s in self.servers if not s.skipping and not s.optional]:
                for asked in range(done.get(server.name, 0), turns, _PIECE):
                    self.ask(server, "agent", min(_PIECE, turns - asked), CONNECTIONS)
                done[server.name] = turns
                self._memory(figure, [server])

    def _cpu(self, number: int, server: Server, request: Kind) -> None:
        turns = self._turns[server.name, request]
        spent = self.cpu_of(server, lambda: self.ask(server, request, turns, CONNECTIONS))
        self._note(server, f"cpu {request}", number, spent * 1000 / turns)

    def _added(self, number: int, servers: list[Server], request: Kind) -> None:
        """In blocks of a few turns, the upstream's own among them: the difference is small, and the machine's mood
        changes from one moment to the next."""
        results: defaultdict[str, list[Result]] = defaultdict(list)
        for _ in range(0, self._scale.alone, _BLOCK):
            for server in (self.upstream, *servers):
                results[server.name].append(self.ask(server, request, min(_BLOCK, self._scale.alone)))
        times = {name: [t for r in blocks for t in r.first_byte] for name, blocks in results.items()}
        for server in servers:
            if times[server.name] and times[self.upstream.name]:
                added = median(times[server.name]) - median(times[self.upstream.name])
                self._note(server, f"first_byte {request}", number, added)

    def _slow_streams(self, number: int, server: Server) -> None:
        streams, pause = self._scale.streams, self._scale.pause_ms
        spent = self.cpu_of(server, lambda: self.ask(server, "small", streams, streams, pause))
        self._note(server, "event", number, spent * 1e6 / (streams * EVENTS))

    def ask(
        self,
        server: Server,
        request: Kind,
        turns: int,
        connections: int = 1,
        pause_ms: int = 0,
        *,
        first: int = 1,
        conversation: str = "bench",
    ) -> Result:
        result = self._load.run(
            Job(
                port=server.port,
                path=server.path,
                request=request,
                turns=turns,
                connections=connections,
                pause_ms=pause_ms,
                first=first,
                conversation=conversation,
                headers=server.headers,
                expect="call" if server.skipping else "text",
                exact=server.exact,
            )
        )
        server.asked += result.asked
        server.bad += result.bad
        server.problem = server.problem or result.first_problem
        return result

    def cpu_of(self, server: Server, asking: Callable[[], object]) -> float:
        """Seconds, to the moment at which the server is at rest again: work it puts off is its work too."""
        if server.process is None:
            return 0.0
        server.process.settle()
        before = server.process.cpu_seconds()
        asking()
        server.process.settle()
        return server.process.cpu_seconds() - before

    def _memory(self, figure: str, servers: list[Server]) -> None:
        for server in servers:
            if server.process is not None and not server.skipping:
                server.process.settle()
                self._note(server, figure, 0, server.process.memory_mb())

    def _note(self, server: Server, figure: str, number: int, value: float) -> None:
        self.figures[server.name][figure][number] = value
