"""`eval "$(rlmc env)"`: a session for everything that is started in this terminal, without `rlmc run` in front of it.

Rule: what it prints is for a shell to read, never for the screen, and nothing else goes to stdout. The session ends
with the terminal.
"""

from __future__ import annotations

import os
import shlex
from typing import Annotated

import typer

_Model = "PROVIDER/MODEL"
_SHELLS = ("bash", "zsh", "sh", "fish")


def register(app: typer.Typer) -> None:
    app.command("env")(env)


def env(
    as_client: Annotated[
        str | None, typer.Option("--as", metavar="CLIENT", help="For this agent; by default for any program.")
    ] = None,
    shell: Annotated[
        str | None, typer.Option("--shell", metavar="SHELL", help="Which shell reads it; by default that of $SHELL.")
    ] = None,
    draft_model: Annotated[
        str | None, typer.Option("--draft-model", metavar=_Model, help="The cheap model that proposes.")
    ] = None,
    verify_model: Annotated[
        str | None, typer.Option("--verify-model", metavar=_Model, help="The capable model that decides.")
    ] = None,
    policy: Annotated[str | None, typer.Option("--policy", metavar="POLICY", help="How turns are routed.")] = None,
    budget: Annotated[
        str | None, typer.Option("--budget", metavar="USD", help="What the session may cost; see budget.action.")
    ] = None,
    name: Annotated[str | None, typer.Option("--name", metavar="NAME", help="A name for the session.")] = None,
) -> None:
    """Lead this terminal's agents through rlmc: eval "$(rlmc env)"."""
    import sys

    from rlmc.commands.terminal_session import open_for_terminal
    from rlmc.errors import UsageError
    from rlmc.ui import console

    if shell and shell not in _SHELLS:
        raise UsageError(f"--shell is {shell!r}, which rlmc env cannot write for", f"known: {', '.join(_SHELLS)}")
    fish = (shell or os.environ.get("SHELL", "").rpartition("/")[2]) == "fish"
    if console.is_terminal(sys.stdout):
        how = "rlmc env | source" if fish else 'eval "$(rlmc env)"'
        raise UsageError("what rlmc env prints holds a secret, and is for a shell to read", how)
    flags = {"draft-model": draft_model, "verify-model": verify_model, "policy": policy, "budget.session": budget}
    given = {key: value for key, value in flags.items() if value}
    terminal = open_for_terminal(given, name or None, as_client or None)
    for variable, value in terminal.variables.items():
        console.out(_line(variable, value, fish=fish))
    for program in terminal.by_arguments:
        console.out(f"# {program} needs arguments: rlmc run -- {program}")


def _line(variable: str, value: str, *, fish: bool) -> str:
    """Ends in a semicolon: fish joins the lines that `eval (rlmc env)` gives it."""
    if fish:
        quoted = value.replace("\\", "\\\\").replace("'", "\\'")
        return f"set -gx {variable} '{quoted}';"
    return f"export {variable}={shlex.quote(value)};"
