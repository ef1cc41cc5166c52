"""`rlmc start`: the daemon, if it is not running yet. `rlmc run` does this by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rlmc.daemon.lifecycle import PortWish

PortOption = Annotated[int | None, typer.Option("--port", metavar="N", help="The port to listen on; 0: a free one.")]


def register(app: typer.Typer) -> None:
    app.command("start", help="Start the daemon. `rlmc run` does this by itself.")(_start)


def _start(port: PortOption = None) -> None:
    from rlmc.daemon.lifecycle import ensure_running
    from rlmc.ui import console

    running = ensure_running(port_wish(port))
    for note in running.notes:
        console.warning(note)
    endpoint = running.endpoint
    state = "started" if running.started else "is running already"
    console.out(f"rlmc {endpoint.version} {state} on 127.0.0.1:{endpoint.port} (pid {endpoint.pid})")


def port_wish(flag: int | None) -> PortWish:
    """The port in force and where it is set."""
    from rlmc.config.load import load
    from rlmc.daemon.lifecycle import PortWish
    from rlmc.upstream.providers import names

    config = load(flags={} if flag is None else {"port": str(flag)}, providers=names())
    source = next((entry.source for entry in config.entries if entry.key == "port"), "default")
    return PortWish(config.settings.port, source)
