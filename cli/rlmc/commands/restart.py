"""`rlmc restart`: a fresh daemon. Living sessions of `rlmc run` keep their address and go on."""

from __future__ import annotations

import typer

from rlmc.commands.start import PortOption, port_wish


def register(app: typer.Typer) -> None:
    app.command("restart", help="Replace the daemon by a fresh one; those of rlmc run go on.")(_restart)


def _restart(port: PortOption = None) -> None:
    from rlmc.daemon.lifecycle import restart
    from rlmc.ui import console

    running = restart(port_wish(port))
    for note in running.notes:
        console.warning(note)
    endpoint = running.endpoint
    console.out(f"rlmc {endpoint.version} started on 127.0.0.1:{endpoint.port} (pid {endpoint.pid})")
