"""`rlmc statusline`: one line on the session it is called in, for an agent's status line.

Rule: called without options it never comes here: the way in prints it before the command line is even built.
"""

from __future__ import annotations

import typer


def register(app: typer.Typer) -> None:
    app.command("statusline")(statusline)


def statusline() -> None:
    """Print a line on this session for Claude Code's status line."""
    from rlmc.commands.session_line import print_session_line

    raise typer.Exit(print_session_line())
