"""`rlmc run -- claude …`: the agent as ever, with rlmc behind its base URL, and an account at the end.

Rule: it never keeps the agent from working. Where rlmc itself cannot, the agent starts without it, and that is said.
Asked for in the plain way it never comes here: the way in reads its words by `run_words`.
"""

from __future__ import annotations

from typing import Annotated

import typer

_Model = "PROVIDER/MODEL"


def register(app: typer.Typer) -> None:
    # Options end at the child's first word, so the `--` in front of it may be left out.
    app.command("run", context_settings={"allow_interspersed_args": False})(run)


def run(
    command: Annotated[
        list[str] | None, typer.Argument(metavar="COMMAND", help="The agent and its arguments.", show_default=False)
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
    as_client: Annotated[
        str | None, typer.Option("--as", metavar="CLIENT", help="Treat the command as this agent.")
    ] = None,
    no_summary: Annotated[bool, typer.Option("--no-summary", help="Print no account at the end.")] = False,
) -> None:
    """Run a coding agent through rlmc, and show what that saved."""
    from rlmc.commands.run_words import Wish
    from rlmc.commands.wrapped import run_wrapped
    from rlmc.errors import UsageError

    if not command:
        raise UsageError("there is no command to run", "for example: rlmc run -- claude")
    flags = {"draft-model": draft_model, "verify-model": verify_model, "policy": policy, "budget.session": budget}
    given = {key: value for key, value in flags.items() if value}
    raise typer.Exit(run_wrapped(Wish(tuple(command), given, name or None, as_client or None, not no_summary)))
