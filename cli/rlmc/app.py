"""The root of the command line: every command there is, and what holds for all of them.

Rule: a command's module is imported only when it is asked for, because `rlmc run` stands in front of every start of an
agent. `app` has all of them.
"""

from __future__ import annotations

from importlib import import_module

import typer

from rlmc import __version__
from rlmc.commands.plain import PlainGroup, PlainTyper

# In the order in which the help shows them. Each is a module of rlmc.commands with a `register(app)`.
COMMANDS: tuple[str, ...] = (
    "run",
    "env",
    "start",
    "stop",
    "restart",
    "status",
    "logs",
    "stats",
    "sessions",
    "turns",
    "explain",
    "quality",
    "export",
    "dashboard",
    "top",
    "statusline",
    "replay",
    "bench",
    "calibrate",
    "config",
    "doctor",
    "demo",
    "completions",
)


class _InOrder(PlainGroup):
    """Groups stand among the commands: typer itself would put them last."""

    def list_commands(self, ctx: typer.Context) -> list[str]:  # type: ignore[override]  # typer's own kind of context
        return sorted(super().list_commands(ctx), key=COMMANDS.index)


def build(only: str | None = None) -> typer.Typer:
    """The whole command line, or as much of it as the command `only` needs."""
    app = PlainTyper(
        name="rlmc",
        cls=_InOrder,
        no_args_is_help=True,
        add_completion=False,  # ours are static files: `rlmc completions`
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(_root)
    alone = only in COMMANDS and only != "completions"  # completions are of the whole command line
    for name in (only,) if alone else COMMANDS:
        import_module(f"rlmc.commands.{name}").register(app)
    return app


def __getattr__(name: str) -> typer.Typer:
    if name == "app":
        return build()
    raise AttributeError(name)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"rlmc {__version__}")
        raise typer.Exit


def _root(
    version: bool = typer.Option(
        False, "--version", "-V", callback=_version, is_eager=True, help="Print the version and exit."
    ),
    debug: bool = typer.Option(False, "--debug", help="Show where an error comes from; RLMC_DEBUG=1 does the same."),
) -> None:
    """Make a coding agent cheaper: a draft model proposes, the verify model decides, every cent is accounted for."""
