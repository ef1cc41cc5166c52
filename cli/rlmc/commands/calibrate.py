"""`rlmc calibrate`: whether a draft model's steps would have been as good as those of sessions on this machine.

Rule: opt-in. What it may cost, what leaves this machine and who gets it is said before anything is asked.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rlmc.errors import UsageError

if TYPE_CHECKING:
    from rlmc.ledger.care import Calibration

    Kept = dict[tuple[str, str], list[Calibration]]

SCHEMA = "rlmc.calibrate/1"
LIST_SCHEMA = "rlmc.calibrations/1"
SAMPLE = 600
"""A hundred of each kind of step: so many may open although one of them was worse, at the default target."""
_Model = "PROVIDER/MODEL"


def register(app: typer.Typer) -> None:
    app.command("calibrate")(calibrate)


def calibrate(
    draft_model: Annotated[
        str | None, typer.Option("--draft-model", metavar=_Model, help="The cheap model that is tried.")
    ] = None,
    verify_model: Annotated[
        str | None,
        typer.Option("--verify-model", metavar=_Model, help="The capable model; it judges. As recorded by default."),
    ] = None,
    sources: Annotated[
        list[Path] | None,
        typer.Option("--from", metavar="PATH", help="Transcripts, or folders of them; may be repeated."),
    ] = None,
    sample: Annotated[int, typer.Option("--sample", metavar="N", min=1, help="How many past steps to try.")] = SAMPLE,
    parallel: Annotated[
        int, typer.Option("--parallel", metavar="N", min=1, max=64, help="How many steps at a time.")
    ] = 4,
    rerun: Annotated[
        bool, typer.Option("--rerun/--resume", help="Begin anew, or go on where the same was broken off.")
    ] = False,
    list_: Annotated[bool, typer.Option("--list", help="Show what was found before, and ask nothing.")] = False,
    forget: Annotated[bool, typer.Option("--forget", help="Forget what was found of these models, or of all.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask, though it costs money.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Learn from your own transcripts what a draft model may do."""
    if list_ and forget:
        raise UsageError("--list and --forget cannot be combined", "choose one")
    if list_ or forget:
        if sources or rerun:
            raise UsageError("--from and --rerun go with a calibration alone", "leave them out")
        kept = _kept(draft_model, verify_model)
        if forget:
            _forget(kept, yes, json)
        else:
            _list(kept, json)
        return
    from rlmc.commands.calibrate_run import Wish, run_calibration

    flags = {"draft-model": draft_model, "verify-model": verify_model}
    report = run_calibration(
        Wish(
            sources=tuple(sources or ()),
            flags={key: value for key, value in flags.items() if value is not None},
            sample=sample,
            parallel=parallel,
            fresh=rerun,
            yes=yes,
            json=json,
        )
    )
    if json:
        from rlmc.calibrate.report import calibration_data
        from rlmc.ui.result import envelope

        typer.echo(envelope(SCHEMA, calibration_data(report)))
    else:
        from rlmc.commands.calibrate_text import report_lines
        from rlmc.ui import console

        for line in report_lines(report):
            console.out(line)


def _kept(draft: str | None, verify: str | None) -> Kept:
    """What is known of these two models, or of all."""
    from rlmc.config.paths import ledger_file
    from rlmc.ledger.care import kept_calibrations
    from rlmc.ledger.queries import LedgerReader

    reader = LedgerReader.open(ledger_file())
    try:
        found = kept_calibrations(reader)
    finally:
        reader.close()
    return {pair: rows for pair, rows in found.items() if draft in (None, pair[0]) and verify in (None, pair[1])}


def _list(kept: Kept, json: bool) -> None:
    if json:
        from rlmc.ui.result import envelope

        facts = [
            {
                "draft_model": draft,
                "verify_model": verify,
                "buckets": [
                    {
                        "bucket": one.bucket,
                        "at": one.at,
                        "labels": one.labels,
                        "loss": one.loss,
                        "opened": one.opened,
                    }
                    for one in rows
                ],
            }
            for (draft, verify), rows in kept.items()
        ]
        typer.echo(envelope(LIST_SCHEMA, facts))
        return
    from rlmc.commands.calibrate_text import list_lines
    from rlmc.ui import console

    for line in list_lines(kept):
        console.out(line)


def _forget(kept: Kept, yes: bool, json: bool) -> None:
    import sys

    from rlmc.config.paths import ledger_file
    from rlmc.daemon.control import notify_reload
    from rlmc.ledger import calibrations
    from rlmc.ui import console
    from rlmc.views.figures import count

    if json and not yes:
        raise UsageError("--json cannot ask", "add --yes")
    what = count(len(kept), "calibration")
    if kept and not yes:
        for draft, verify in kept:
            console.out(f"draft {draft}, verify {verify}")
        if not console.is_terminal(sys.stdin):
            raise UsageError(f"this would forget {what}, and there is nobody to ask", "add --yes")
        typer.confirm(f"Forget {what}?", abort=True)
    if kept:
        calibrations.forget(ledger_file(), list(kept))
        problem = notify_reload()
        if problem is not None:
            console.warning(f"the daemon may go on with what it knew: {problem}")
    if json:
        from rlmc.ui.result import envelope

        typer.echo(envelope(LIST_SCHEMA, [{"draft_model": draft, "verify_model": verify} for draft, verify in kept]))
    else:
        console.out(f"Forgot {what}." if kept else "There is nothing to forget.")
