"""`rlmc quality`: how often a turn that a draft answered was worse, as far as audits tell, and with which certainty.

Rule: reads the ledger and nothing else; no daemon is needed. `--resume` alone changes something: it ends a stop.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from rlmc.commands import which
from rlmc.errors import DaemonError, LedgerError

if TYPE_CHECKING:
    from rlmc.ledger.epochs import EpochQuality

SCHEMA, RESUME_SCHEMA = "rlmc.quality/1", "rlmc.quality-resume/1"


def register(app: typer.Typer) -> None:
    app.command("quality")(quality)


def quality(
    all: Annotated[bool, typer.Option("--all", help="Every epoch in full.")] = False,
    simulated: Annotated[bool, typer.Option("--simulated", help="Epochs of simulated models.")] = False,
    resume: Annotated[
        bool, typer.Option("--resume", help="Let drafts answer again after a stop, in every epoch that has one.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show how good drafts were: audits, their bound, the target."""
    which.only_one({"--all": all, "--resume": resume})
    from rlmc.commands.aim import aim, now
    from rlmc.config.paths import ledger_file
    from rlmc.ledger import epochs
    from rlmc.ledger.queries import LedgerReader

    reader = LedgerReader.open(ledger_file())
    try:
        found = epochs.quality(reader, aim(), now(), simulated=simulated)
        id_length = reader.shortest("turn", [one.turn for epoch in found.epochs for one in epoch.losses])
    finally:
        reader.close()
    if resume:
        stopped = [one for one in found.epochs if one.stopped]
        _resume([one.row.id for one in stopped])
        _print_resumed(stopped, as_json=json)
    elif json:
        from rlmc.ui.result import envelope
        from rlmc.views.epochs_data import epochs_data

        typer.echo(envelope(SCHEMA, epochs_data(found)))
    else:
        from rlmc.ui.history import LEAST_ID
        from rlmc.ui.page import show, show_heading
        from rlmc.ui.quality import quality_lines

        show_heading("rlmc quality")
        show(quality_lines(found, all, max(LEAST_ID, id_length), sys.stdout))


def _print_resumed(stopped: Sequence[EpochQuality], *, as_json: bool) -> None:
    if as_json:
        from rlmc.ui.result import envelope

        typer.echo(envelope(RESUME_SCHEMA, {"epochs": [one.row.id for one in stopped]}))
        return
    from rlmc.ui.page import show_notes
    from rlmc.views.figures import label

    for one in stopped:
        drafts = f"Drafts of {label(one.row.draft)} for {label(one.row.verify)} (policy {label(one.row.policy)})"
        closed = one.care is not None and one.care.closed
        again = "may answer again once the price of a regression has sunk" if closed else "may answer again"
        show_notes([f"{drafts} {again}."])
    if not stopped:
        show_notes(["No drafts are stopped."])


def _resume(ids: Sequence[str]) -> None:
    """A daemon has its own view of what it serves with, so it is the one to change it."""
    from rlmc.daemon import control
    from rlmc.daemon.state import daemon_lock

    if not ids:
        return
    endpoint = control.find()
    if endpoint is None and daemon_lock().held():
        raise DaemonError("the daemon does not answer, so its drafts stay stopped", "try again soon")
    left = [id for id in ids if endpoint is None or not control.resume_quality(endpoint, id)]
    if left:
        _write(left)


def _write(ids: Sequence[str]) -> None:
    import sqlite3
    from contextlib import closing

    from rlmc.config.paths import ledger_file
    from rlmc.ledger.files import connect
    from rlmc.ledger.resume import resume

    try:
        with closing(connect(ledger_file())) as db:
            for id in ids:
                resume(db, id)
    except sqlite3.Error as error:
        raise LedgerError(f"the ledger {ledger_file()} cannot be changed: {error}", "try again in a moment") from error
