"""Starts everything that takes part in a run, measures, and ends it all again, whatever happens."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Collection, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from tests.bench import cold, commands
from tests.bench.daemon import DRAFT_MODEL, Daemon
from tests.bench.growth import Growth
from tests.bench.load import Load
from tests.bench.measure import Measurement, Server
from tests.bench.peers import Peer
from tests.bench.process import Process
from tests.bench.rows import FLOOR_NAME, More, Table
from tests.bench.scale import Scale

Tell = Callable[[str], None]
_KEPT = Path(tempfile.gettempdir()) / "rlmc-bench"  # what takes long to make up
_SERVED = frozenset({"cpu", "first-byte", "event", "memory", "growth"})
# Row by figure of the servers.
_FIGURES = {
    "cpu": "cpu agent", "first-byte": "first_byte agent", "event": "event",
    "memory idle": "idle", "memory soon": "soon", "memory late": "late",
}  # fmt: skip
_MORE = (
    ("CPU a direct turn, 1 KB streamed", "rlmc", "cpu small"),
    ("CPU a direct turn, 1 KB whole", "rlmc", "cpu small-whole"),
    ("CPU a skipped turn, 100 KB (floor: relaying it)", "rlmc, skipped turn", "cpu agent-mid-task"),
    ("added to the first byte, 1 KB", "rlmc", "first_byte small"),
)
_PEERS_FIGURES = {**_FIGURES, "memory after": "after"}


@dataclass(slots=True)
class Run:
    """What came of it. `ledger` is what the ledger has otherwise than was asked, `failed` which rows could not be
    measured and why, `picture` the growing session."""

    table: Table
    account: list[Server] = field(default_factory=list)
    left_out: list[tuple[str, str]] = field(default_factory=list)
    ledger: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    picture: str | None = None

    @property
    def good(self) -> bool:
        return not self.ledger and not self.failed and not any(server.bad for server in self.account)


def run(
    folder: Path, scale: Scale, wanted: Collection[str], peers: Sequence[Peer], upstream_port: int, tell: Tell
) -> Run:
    """`upstream_port` 0 is a free one."""
    found = Run(Table(scale))
    if _SERVED & set(wanted) or (peers and "cold" in wanted):
        _serve(found, folder, wanted, peers, upstream_port, tell)
    alone: tuple[tuple[str, Callable[[], None]], ...] = (
        ("decision", lambda: commands.decisions(found.table, scale)),
        ("run", lambda: commands.runs(found.table, scale, folder)),
        ("cold", lambda: cold.starts(found.table, scale, folder)),
        ("stats", lambda: commands.stats(found.table, scale, folder)),
        ("replay", lambda: commands.replays(found.table, scale, _KEPT)),
    )
    for name, measure in alone:
        if name in wanted:
            tell(name)
            try:
                measure()
            except RuntimeError as error:  # the other rows are worth having all the same
                found.failed.append(f"{name}: {error}")
    return found


def _serve(
    found: Run, folder: Path, wanted: Collection[str], peers: Sequence[Peer], upstream_port: int, tell: Tell
) -> None:
    with ExitStack() as stack:

        def started(process: Process) -> Process:
            stack.callback(process.stop)
            return process

        def own(module: str, name: str, *arguments: str) -> tuple[Process, int]:
            process = started(Process.own(module, folder / f"{name}.log", *arguments))
            return process, int(process.hear())

        _, upstream = own("upstream", "upstream", "--port", str(upstream_port))
        _, draft_upstream = own("upstream", "draft-upstream", "--answer", "call")
        floor_process, floor_port = own("floor", "floor", "--upstream", str(upstream))
        daemon = Daemon(folder / "rlmc", upstream=upstream, draft_upstream=draft_upstream)
        started(daemon.process)
        daemon.wait()
        direct = daemon.open_session("direct")
        skipped = daemon.open_session("skipped", {"draft-model": DRAFT_MODEL})
        floor = Server(FLOOR_NAME, floor_process, floor_port)
        of_session = {
            direct.id: Server("rlmc", daemon.process, daemon.port, direct.path),
            skipped.id: Server(
                "rlmc, skipped turn", daemon.process, daemon.port, skipped.path, exact=False, skipping=True
            ),
        }
        servers = [floor, *of_session.values()]
        for number, peer in enumerate(peers):
            tell(f"starting {peer.name}")
            began = time.perf_counter()
            process = started(peer.start(folder / f"peer-{number}.log"))
            why_not = peer.wait(process)
            if why_not is None:
                server = Server(peer.name, process, peer.port, peer.path, peer.headers, exact=False, optional=True)
                server.cold_ms = (time.perf_counter() - began) * 1000
                servers.append(server)
            else:
                found.left_out.append((peer.name, why_not))
        load = Load(started(Process.own("load", folder / "load.log")))
        table = found.table
        measured = Measurement(load, Server("upstream", None, upstream), servers, table.scale, wanted, tell)
        measured.run()
        if "growth" in wanted:
            growth = Growth(measured, floor, of_session[direct.id], table.scale)
            growth.run(tell)
            growth.fill(table)
            found.picture = growth.picture()
        _fill(table, measured, wanted)
        found.account = measured.account
        found.left_out += measured.left_out
        found.ledger = daemon.close_books({session_id: server.asked for session_id, server in of_session.items()})


def _fill(table: Table, measured: Measurement, wanted: Collection[str]) -> None:
    figures = measured.figures
    for key, figure in _FIGURES.items():
        for number, value in figures["rlmc"][figure].items():
            table.note(key, number, value, figures[FLOOR_NAME][figure].get(number))
    soon, late = (table.own[key].get(0) for key in ("memory soon", "memory late"))
    if soon is not None and late is not None:
        table.note("memory flat", 0, late, soon)
    for server in measured.servers:
        if server.optional:
            table.peers[server.name] = {k: figures[server.name][f] for k, f in _PEERS_FIGURES.items()}
            if server.cold_ms is not None and "cold" in wanted:
                table.peers[server.name]["cold"] = {0: server.cold_ms}
    table.more = [
        More(title, "ms", 3, own, figures[FLOOR_NAME][figure.replace("-mid-task", "")])
        for title, server, figure in _MORE
        if (own := figures[server][figure])
    ]
