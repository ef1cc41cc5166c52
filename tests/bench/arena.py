"""Starts everything that takes part in a run, measures, and ends it all again, whatever happens."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path

from tests.bench.daemon import DRAFT_MODEL, Daemon
from tests.bench.load import Load
from tests.bench.measure import Measurement, Scale, Server
from tests.bench.peers import Peer
from tests.bench.process import Process
from tests.bench.report import FLOOR


def run(
    folder: Path, scale: Scale, peers: Sequence[Peer], upstream_port: int, tell: Callable[[str], None]
) -> tuple[Measurement, list[str]]:
    """The measurement, and what the ledger has otherwise than was asked. `upstream_port` 0 is a free one."""
    with ExitStack() as stack:

        def started(process: Process) -> Process:
            stack.callback(process.stop)
            return process

        def own(module: str, name: str, *arguments: str) -> tuple[Process, int]:
            process = started(Process.own(module, folder / f"{name}.log", *arguments))
            return process, int(process.hear())

        _, upstream = own("upstream", "upstream", "--port", str(upstream_port))
        _, draft_upstream = own("upstream", "draft-upstream", "--answer", "call")
        floor, floor_port = own("floor", "floor", "--upstream", str(upstream))
        daemon = Daemon(folder / "rlmc", upstream=upstream, draft_upstream=draft_upstream)
        started(daemon.process)
        daemon.wait()
        direct = daemon.open_session("direct")
        skipped = daemon.open_session("skipped", {"draft-model": DRAFT_MODEL})
        of_session = {
            direct.id: Server("rlmc", daemon.process, daemon.port, direct.path),
            skipped.id: Server(
                "rlmc, skipped turn", daemon.process, daemon.port, skipped.path, exact=False, skipping=True
            ),
        }
        servers = [Server(FLOOR, floor, floor_port), *of_session.values()]
        left_out: list[tuple[str, str]] = []
        for number, peer in enumerate(peers):
            tell(f"starting {peer.name}")
            process = started(peer.start(folder / f"peer-{number}.log"))
            why_not = peer.wait(process)
            if why_not is None:
                servers.append(
                    Server(peer.name, process, peer.port, peer.path, peer.headers, exact=False, optional=True)
                )
            else:
                left_out.append((peer.name, why_not))
        load = Load(started(Process.own("load", folder / "load.log")))
        measured = Measurement(load, Server("upstream", None, upstream), servers, scale, tell)
        measured.left_out += left_out
        measured.run()
        asked = {session_id: server.asked for session_id, server in of_session.items()}
        return measured, daemon.close_books(asked)
