"""`rlmc bench`: tasks that can be checked, through the live proxy, one session for each arm.

Rule: what costs money is said before it is asked for. Nothing a model wrote is shown, kept or run outside the sandbox.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rlmc.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rlmc.bench.run import Arm
    from rlmc.bench.task import Task

SCHEMA = "rlmc.bench/1"
OWN = "own"
_Model = "PROVIDER/MODEL"


def register(app: typer.Typer) -> None:
    app.command("bench")(bench)


def bench(
    sources: Annotated[
        list[str] | None,
        typer.Option(
            "--tasks", metavar="FILE", help="Tasks of this file; may be repeated. `own`: rlmc's, the default."
        ),
    ] = None,
    kinds: Annotated[
        str | None, typer.Option("--kinds", metavar="KIND,…", help="Only maths, instruct, code or tools.")
    ] = None,
    limit: Annotated[
        int | None, typer.Option("--limit", metavar="N", min=1, help="No more than the first N of each kind.")
    ] = None,
    arms: Annotated[
        str | None, typer.Option("--arms", metavar="ARM,…", help="Only direct, draft, paper or balanced.")
    ] = None,
    draft_model: Annotated[
        str | None, typer.Option("--draft-model", metavar=_Model, help="The cheap model that proposes.")
    ] = None,
    verify_model: Annotated[
        str | None, typer.Option("--verify-model", metavar=_Model, help="The capable model that decides.")
    ] = None,
    parallel: Annotated[
        int, typer.Option("--parallel", metavar="N", min=1, max=64, help="How many tasks at a time.")
    ] = 4,
    fresh: Annotated[
        bool, typer.Option("--fresh/--resume", help="Begin anew, or go on where the same run was broken off.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask, though it costs money.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Measure the models on tasks that can be checked."""
    from rlmc.commands.bench_run import Wish, run_bench

    flags = {"draft-model": draft_model, "verify-model": verify_model}
    wish = Wish(
        tasks=_tasks(sources or [OWN], _named("--kinds", kinds, _kinds()), limit),
        arms=_arms(arms),
        flags={key: value for key, value in flags.items() if value is not None},
        parallel=parallel,
        fresh=fresh,
        yes=yes,
        json=json,
    )
    report = run_bench(wish)
    if json:
        from rlmc.bench.report import bench_data
        from rlmc.ui.result import envelope

        typer.echo(envelope(SCHEMA, bench_data(report)))
    else:
        from rlmc.commands.bench_text import report_lines
        from rlmc.ui import console

        for line in report_lines(report):
            console.out(line)


def _tasks(sources: Sequence[str], kinds: Sequence[str], limit: int | None) -> tuple[Task, ...]:
    from rlmc.bench.files import read
    from rlmc.bench.task import KINDS
    from rlmc.bench.tasks import OWN as OURS

    files = [Path(source) for source in sources if source != OWN]
    every = [*(OURS if OWN in sources else ()), *read(files)]
    found: list[Task] = []
    for kind in KINDS:
        if kind in kinds:
            found += [task for task in every if task.kind == kind][:limit]
    if not found:
        raise UsageError(
            f"--kinds {','.join(kinds)}: none of the tasks is of such a kind",
            f"the tasks are of: {', '.join(sorted({task.kind for task in every}))}",
        )
    return tuple(found)


def _arms(text: str | None) -> tuple[Arm, ...]:
    from rlmc.bench.run import ARMS

    names = _named("--arms", text, [arm.name for arm in ARMS])
    return tuple(arm for arm in ARMS if arm.name in names)


def _kinds() -> Sequence[str]:
    from rlmc.bench.task import KINDS

    return KINDS


def _named(option: str, text: str | None, known: Sequence[str]) -> Sequence[str]:
    """What a list between commas names; everything where the option is not given."""
    if text is None:
        return known
    names = [name.strip() for name in text.split(",") if name.strip()]
    wrong = next((name for name in names if name not in known), None)
    if wrong is not None or not names:
        raise UsageError(f"{option} {text}: there is no {wrong or 'name in it'}", f"any of {', '.join(known)}")
    return names
