"""`rlmc dashboard`: opens the live page in the browser.

Rule: what a browser is handed works once, so that whoever reads it in a list of processes later has nothing.
"""

from __future__ import annotations

from typing import Annotated

import typer

SCHEMA = "rlmc.dashboard-link/1"


def register(app: typer.Typer) -> None:
    app.command("dashboard")(dashboard)


def dashboard(
    no_open: Annotated[bool, typer.Option("--no-open", help="Print the link and open nothing.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print JSON and open nothing.")] = False,
) -> None:
    """Open the live page: savings, models, latencies, sessions. Starts the daemon if need be."""
    from rlmc.commands.start import port_wish
    from rlmc.daemon.control import dashboard_link
    from rlmc.daemon.lifecycle import ensure_running
    from rlmc.ui import console

    running = ensure_running(port_wish(None))
    for note in running.notes:
        console.warning(note)
    url = dashboard_link(running.endpoint)
    if json:
        from rlmc.ui.result import envelope

        console.out(envelope(SCHEMA, {"url": url}))
        return
    console.out(url)
    if no_open:
        console.err("It works once, for two minutes.")
    elif (why_not := _no_browser()) is not None:
        port = running.endpoint.port
        console.err(f"Open it yourself within two minutes ({why_not}); it works once.")
        console.err(f"From another machine, first: ssh -L {port}:127.0.0.1:{port} HOST")
    elif not _open(url):
        console.err("No browser could be opened. Open it yourself within two minutes; it works once.")


def _no_browser() -> str | None:
    """Why a browser here would be of no use, or None."""
    import os
    import sys

    if os.environ.get("SSH_CONNECTION"):
        return "this is a remote shell"
    if sys.platform.startswith("linux") and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        return None if os.environ.get("BROWSER") else "there is no display"
    return None


def _open(url: str) -> bool:
    import webbrowser

    try:
        return webbrowser.open(url)
    except (OSError, webbrowser.Error):
        return False
