"""`rlmc logs`: what the daemon wrote to its log.

Rule: it was written without secrets, and is looked through once more: a log may be of an earlier version.
"""

from __future__ import annotations

from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    app.command("logs", help="Show the daemon's log.")(_logs)


def _logs(
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on with new lines as they come.")] = False,
    lines: Annotated[int, typer.Option("--lines", "-n", metavar="N", min=0, help="How many of the last lines.")] = 50,
) -> None:
    import sys

    from rlmc.config.paths import log_file
    from rlmc.daemon import logfile
    from rlmc.domain.redaction import redact
    from rlmc.ui import console

    path = log_file()
    if follow:
        for line in logfile.follow(path, lines):
            console.out(redact(line))
            sys.stdout.flush()
    elif path.exists():
        for line in logfile.last_lines(path, lines):
            console.out(redact(line))
    else:
        console.err(f"no log yet: {path}")
