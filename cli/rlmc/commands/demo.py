"""`rlmc demo`: the main job with nothing configured and no network, shown turn by turn, then accounted for.

Rule: it says that models and prices are simulated, and never touches the user's own ledger, configuration or daemon.
"""

from __future__ import annotations

import signal
import sys
import time
from dataclasses import asdict
from types import FrameType
from typing import TYPE_CHECKING, Annotated

import typer

from rlmc.ui import console

if TYPE_CHECKING:
    from rlmc.demo.run import DemoTurn, Sandbox

SCHEMA = "rlmc.demo/1"
DRAFT = "sim/draft"
_NEXT = (
    (
        "rlmc config set draft-model deepseek/deepseek-flash",
        "name a draft model; unset, a small Claude of your own key drafts",
    ),
    ("rlmc run -- claude", "put rlmc in front of your coding agent"),
    ("rlmc doctor", "check that everything is in place"),
)


def register(app: typer.Typer) -> None:
    app.command("demo")(demo)


def demo(
    json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
    keep: Annotated[bool, typer.Option("--keep", help="Keep the demo's folder: configuration, ledger, log.")] = False,
) -> None:
    """Watch a scripted agent work through rlmc, without a network."""
    from rlmc.demo.run import Sandbox

    previous = signal.signal(signal.SIGTERM, _end)
    started = time.monotonic()
    try:
        with Sandbox(keep=keep) as sandbox:
            if json:
                _report(sandbox, started)
            else:
                _show(sandbox, started)
    finally:
        signal.signal(signal.SIGTERM, previous)


def _show(sandbox: Sandbox, started: float) -> None:
    """Progress on stderr while it runs; then the summary, the account, and where to go next."""
    from rlmc.demo.run import POLICY, VERIFY_MODEL

    console.err("rlmc demo: a scripted agent on a made-up project. Models and prices are simulated; no network.")
    console.err(f"draft model {DRAFT}, verify model {VERIFY_MODEL}, policy {POLICY}")
    session = sandbox.session(_Progress())
    account = sandbox.rlmc("stats", "--last")
    console.err()
    console.out(session.summary)
    console.out()
    console.out(console.paint("$ rlmc stats --last", "dim"))
    console.out((account.stdout or account.stderr).rstrip())
    console.out()
    if sandbox.keep:
        console.out(f"The demo's folder: {sandbox.folder}")
    console.out(f"That was a simulation of {time.monotonic() - started:.0f} s. For the real thing:")
    for line in console.columns([(f"  {console.paint(command, 'bold')}", what) for command, what in _NEXT]):
        console.out(line)


def _report(sandbox: Sandbox, started: float) -> None:
    from rlmc.ui.result import envelope

    session = sandbox.session(lambda _turn: None)
    data = {
        "simulated": True,
        "turns": [asdict(turn) for turn in session.turns],
        "summary": session.summary,
        "stats": sandbox.stats(),
        "session_seconds": round(session.seconds, 3),
        "seconds": round(time.monotonic() - started, 3),
        "folder": str(sandbox.folder) if sandbox.keep else None,
    }
    console.out(envelope(SCHEMA, data))


class _Progress:
    """One line a turn on stderr; a new task is headed by the user's words."""

    def __init__(self) -> None:
        self._task = 0

    def __call__(self, turn: DemoTurn) -> None:
        if turn.task != self._task:
            self._task = turn.task
            console.err()
            console.err(f"{console.paint('>', 'bold', sys.stderr)} {turn.asked}")
        colour: console.Colour = "green" if turn.model == DRAFT else "blue"
        model = console.paint(f"{turn.model:<10}", colour, sys.stderr)
        tokens = f"{turn.prompt_tokens / 1000:.1f}k" if turn.prompt_tokens >= 1000 else str(turn.prompt_tokens)
        console.err(f"  {turn.turn:>3}  {model}  {turn.does[:44]:<44}  {tokens:>6}  {turn.seconds:5.2f} s")


def _end(_signal: int, _frame: FrameType | None) -> None:
    sys.exit(128 + signal.SIGTERM)
