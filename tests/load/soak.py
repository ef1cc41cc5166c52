"""Starts everything, lets the load run, looks at the daemon all the while, and ends it all again.

Rule: the daemon is the real one, in a process of its own and with everything on; what looks at it is not in its way.
"""

from __future__ import annotations

import http.client
import json
import queue
import sqlite3
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
from tests.bench.daemon import DRAFT_MODEL, Daemon
from tests.bench.process import HOST, Process
from tests.bench.requests import HEADERS, body_of
from tests.load.churn import Churn
from tests.load.generator import Job, Window
from tests.load.samples import Sample, growth, open_files, size_of, waited_seconds

_WINDOW = msgspec.json.Decoder(Window)
_REST_SECONDS = 60.0
_SLOW_READERS = 10
_DIRECT_SESSIONS, _SKIPPED_SESSIONS = 6, 2


@dataclass(frozen=True, slots=True)
class Scale:
    seconds: float
    streams: int
    rate: float
    large: int
    sessions: int

    @property
    def every(self) -> float:
        """Between two looks: a few hundred of them are enough."""
        return min(5.0, max(0.5, self.seconds / 240))


@dataclass(slots=True)
class Outcome:
    """`windows` are what the clients saw, with the time at which each ended; `before` and `after` the daemon without
    load. `cpu` is in cores, by process; `starved` is the share of the time in which the daemon was ready to run and had
    no core."""

    scale: Scale
    samples: list[Sample] = field(default_factory=list)
    windows: list[tuple[float, Window]] = field(default_factory=list)
    before: Sample | None = None
    after: Sample | None = None
    cpu: dict[str, float] = field(default_factory=dict)
    starved: float = 0.0
    registered: int = 0
    problems: list[str] = field(default_factory=list)

    def times(self, which: str, *, calm: bool = False) -> list[float]:
        """Ascending; `calm`: without those of moments in which large bodies came in."""
        windows = (window for _, window in self.windows if not (calm and window.large))
        return sorted(value for window in windows for value in getattr(window, which))

    def total(self, which: str) -> int:
        return sum(getattr(window, which) for _, window in self.windows)

    def counted(self, which: str) -> Counter[str]:
        found: Counter[str] = Counter()
        for _, window in self.windows:
            found.update(getattr(window, which))
        return found


def run(folder: Path, scale: Scale, tell: Callable[[str], None]) -> Outcome:
    outcome = Outcome(scale)
    with ExitStack() as stack:

        def started(process: Process) -> Process:
            stack.callback(process.stop)
            return process

        def own(module: str, name: str, *arguments: str) -> Process:
            command = [sys.executable, "-m", f"tests.load.{module}", *arguments]
            return started(Process(command, folder / f"{name}.log", talks=True))

        upstream, drafts = own("upstream", "upstream"), own("upstream", "drafts", "--answer", "call")
        ports = int(upstream.hear()), int(drafts.hear())
        floor = started(Process.own("floor", folder / "floor.log", "--upstream", str(ports[0])))
        floor_port = int(floor.hear())
        daemon = Daemon(folder / "rlmc", upstream=ports[0], draft_upstream=ports[1])
        started(daemon.process)
        daemon.wait()
        look = _Look(daemon, folder / "rlmc")
        direct = [daemon.open_session("direct") for _ in range(_DIRECT_SESSIONS)]
        skipped = [daemon.open_session("skipped", {"draft-model": DRAFT_MODEL}) for _ in range(_SKIPPED_SESSIONS)]
        for session in (direct[0], skipped[0]):
            _ask_once(daemon.port, session.path)
        time.sleep(1)
        outcome.before = look.sample()

        generator = own("generator", "generator")
        job = Job(
            port=daemon.port,
            floor=floor_port,
            direct=tuple(session.path for session in direct),
            skipped=tuple(session.path for session in skipped),
            seconds=scale.seconds,
            rate=scale.rate,
            streams=scale.streams,
            stream_seconds=60.0 if scale.seconds >= 120 else scale.seconds / 3,
            slow_readers=min(_SLOW_READERS, scale.streams),
            large=scale.large,
            large_every=min(15.0, scale.seconds / 4),
            every=scale.every,
        )
        beside = {"daemon": daemon.process, "upstream": upstream, "generator": generator, "floor": floor}
        cpu = {name: process.cpu_seconds() for name, process in beside.items()}
        waited = waited_seconds(daemon.process.pid)
        look.begin()
        churn = Churn(look.endpoint, scale.sessions, scale.seconds, min(30.0, scale.seconds / 4))
        churn.start()
        generator.say(msgspec.json.encode(job))
        _follow(generator, look, outcome, tell)
        spent = look.clock()
        outcome.cpu = {name: (process.cpu_seconds() - cpu[name]) / spent for name, process in beside.items()}
        outcome.starved = (waited_seconds(daemon.process.pid) - waited) / spent
        churn.finish()
        outcome.registered = churn.registered
        look.rest(outcome.before)  # a provider that went now would be one that broke off
        for process in (generator, upstream, drafts, floor):
            process.stop()
        outcome.after = look.rest(outcome.before, idle=True)
        asked = outcome.counted("asked")
        asked[direct[0].path] += 1
        asked[skipped[0].path] += 1
        by_id = {session.id: asked[session.path] for session in (*direct, *skipped)}
        look.end(by_id)
        unheard = sum(outcome.counted("unheard").values())
        outcome.problems += _judge(outcome, churn, look.lost(by_id, unheard, churn.turns))
    return outcome


def _follow(generator: Process, look: _Look, outcome: Outcome, tell: Callable[[str], None]) -> None:
    """Until the load has ended. Looks at the daemon in between."""
    lines: queue.SimpleQueue[Window | Exception] = queue.SimpleQueue()

    def read() -> None:
        try:
            last = False
            while not last:
                window = _WINDOW.decode(generator.hear())
                last = window.last
                lines.put(window)
        except (RuntimeError, msgspec.DecodeError) as error:
            lines.put(error)

    threading.Thread(target=read, daemon=True).start()
    told = 0.0
    while True:
        try:
            window = lines.get(timeout=outcome.scale.every)
        except queue.Empty:
            continue
        if isinstance(window, Exception):
            raise window
        outcome.windows.append((look.clock(), window))
        if window.last:
            return
        sample = look.sample()
        outcome.samples.append(sample)
        if sample.at - told >= 30:
            told = sample.at
            tell(
                f"{sample.at:5.0f} s  {sample.rss / 1e6:.0f} MB, {sample.files} files, {sample.tasks} tasks, "
                f"{sample.sessions} sessions, {sample.cpu:.2f} cores, {outcome.total('bad')} bad"
            )


class _Look:
    """The daemon from outside, and what it says of itself."""

    def __init__(self, daemon: Daemon, folder: Path) -> None:
        self._daemon = daemon
        self.endpoint = daemon.endpoint
        self._ledger = folder / "data" / "ledger.db"
        self._began = self._at = time.monotonic()
        self._cpu = daemon.process.cpu_seconds()

    def begin(self) -> None:
        self._began = time.monotonic()

    def clock(self) -> float:
        return time.monotonic() - self._began

    def sample(self) -> Sample:
        now, cpu = time.monotonic(), self._daemon.process.cpu_seconds()
        spent = (cpu - self._cpu) / max(1e-3, now - self._at)
        self._at, self._cpu = now, cpu
        status = self._status()
        process = status["process"]
        files, sockets = open_files(self._daemon.process.pid)
        return Sample(
            at=round(self.clock(), 1),
            rss=round(self._daemon.process.memory_mb() * 1024 * 1024),
            files=files,
            sockets=sockets,
            tasks=process["tasks"],
            sessions=len(status["sessions"]),
            body_bytes=process["body_bytes"],
            ledger_waiting=process["ledger_waiting"],
            pending=size_of(self._ledger.with_suffix(".pending")),
            ledger=size_of(self._ledger),
            cpu=round(spent, 3),
        )

    def rest(self, before: Sample, *, idle: bool = False) -> Sample:
        """Waits until no more is under way than before; `idle`: until no more is open either."""
        deadline = time.monotonic() + _REST_SECONDS
        while True:
            sample = self.sample()
            there = sample.tasks <= before.tasks and (not idle or sample.files <= before.files)
            if there or time.monotonic() > deadline:
                return sample
            time.sleep(0.5)

    def end(self, sessions: dict[str, int]) -> None:
        self._daemon.close_books(sessions)

    def lost(self, asked: dict[str, int], unheard: int, others: int) -> list[str]:
        """Turns without a row, and rows that are not as they should be. Of the `unheard` turns there may be none."""
        with closing(sqlite3.connect(f"file:{self._ledger}?mode=ro", uri=True)) as db:
            rows = dict(db.execute("SELECT session_id, COUNT(*) FROM turns GROUP BY 1"))
            strange = db.execute(
                "SELECT outcome, ending, COUNT(*) FROM turns "
                "WHERE ending NOT IN ('complete', 'client-gone') GROUP BY 1, 2"
            ).fetchall()
        missing = {session: count - rows.get(session, 0) for session, count in asked.items()}
        found = [f"session {session}: {-many} rows too many" for session, many in missing.items() if many < 0]
        if sum(missing.values()) > unheard:
            found.append(f"{sum(missing.values())} turns have no row, and only {unheard} were left before they began")
        rest = sum(count for session, count in rows.items() if session not in asked)
        if rest != others:
            found.append(f"sessions that came and went: {rest} rows for {others} turns")
        return found + [f"{count} turns are {outcome}, {ending}" for outcome, ending, count in strange]

    def _status(self) -> dict[str, Any]:
        connection = http.client.HTTPConnection(HOST, self._daemon.port, timeout=30)
        try:
            connection.request("GET", "/-/status", headers={"authorization": f"Bearer {self.endpoint.control_token}"})
            found: dict[str, Any] = json.loads(connection.getresponse().read())
            return found
        except TimeoutError:
            raise RuntimeError("the daemon is so busy that it does not say how it is; ask for less load") from None
        finally:
            connection.close()


def _ask_once(port: int, path: str) -> None:
    """So that what a first turn opens is open before the count begins."""
    connection = http.client.HTTPConnection(HOST, port, timeout=30)
    try:
        connection.request("POST", path, body_of("agent-mid-task"), dict(HEADERS))
        connection.getresponse().read()
    finally:
        connection.close()


def _judge(outcome: Outcome, churn: Churn, lost: list[str]) -> list[str]:
    problems = []
    bad = outcome.total("bad")
    if bad:
        said = dict.fromkeys(problem for _, window in outcome.windows for problem in window.problems)
        problems.append(f"{bad} answers were not as they should be: {'; '.join(list(said)[:5])}")
    if churn.bad:
        problems.append(f"{churn.bad} times something went wrong with {churn.problem}")
    before, after = outcome.before, outcome.after
    assert before is not None and after is not None
    problems += [
        f"{name}: {getattr(before, name)} before, {getattr(after, name)} after everybody left"
        for name in ("files", "sockets", "tasks", "sessions")
        if getattr(after, name) > getattr(before, name)
    ]
    if after.body_bytes:
        problems.append(f"{after.body_bytes} bytes of bodies are counted and nobody sends any")
    grown = [f"not flat, {one.figure.title}: {one.middle:.0f}, then {one.last:.0f}" for one in growth(outcome.samples)]
    return problems + lost + grown
