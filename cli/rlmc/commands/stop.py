"""`rlmc stop`: ends the daemon, but not under an agent that is at work."""

from __future__ import annotations

from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    app.command("stop", help="Stop the daemon. Refused while sessions live on it.")(_stop)


def _stop(
    force: Annotated[
        bool, typer.Option("--force", help="Also while sessions live; their agents lose contact.")
    ] = False,
) -> None:
    from rlmc.daemon.lifecycle import stop
    from rlmc.ui import console

    stopped = stop(force=force)
    console.out("no daemon was running" if stopped is None else f"stopped the daemon (pid {stopped.pid})")
