"""Which part of the ledger a command is asked about: a stretch of time, a session, a turn.

Rule: the same words mean the same in every command. What fits nothing, or more than one thing, is said with a way out.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from rlmc.errors import UsageError
from rlmc.ledger import period as periods
from rlmc.ledger.period import Period
from rlmc.ledger.queries import LedgerReader, SessionRow, TurnRow
from rlmc.ledger.totals import ANYWHERE, Scope, last_turn_at
from rlmc.views import sentences
from rlmc.views.figures import count, label, path

NO_TURNS_EVER = "No turns yet. Put `rlmc run --` in front of your coding agent, or see how it works with `rlmc demo`."
_NAMED = 3

Session = Annotated[str | None, typer.Argument(metavar="SESSION", help="A session's id, the start of it, or its name.")]
Today = Annotated[bool, typer.Option("--today", help="Since midnight.")]
Yesterday = Annotated[bool, typer.Option("--yesterday", help="The day before today.")]
Week = Annotated[bool, typer.Option("--week", help="Since Monday.")]
Month = Annotated[bool, typer.Option("--month", help="Since the first of the month.")]
Since = Annotated[str | None, typer.Option(metavar="DAY", help="From this day or moment on.")]
Until = Annotated[str | None, typer.Option(metavar="DAY", help="Up to the end of this day, or this moment.")]
All = Annotated[bool, typer.Option("--all", help="Everything in the ledger.")]
Project = Annotated[
    str | None, typer.Option("--project", metavar="DIR", help="Only sessions started in this directory or below it.")
]
Limit = Annotated[int | None, typer.Option("--limit", metavar="N", min=1, help="No more than the newest N.")]
Branch = Annotated[str | None, typer.Option("--branch", metavar="NAME", help="Only sessions on this git branch.")]


def only_one(choices: Mapping[str, bool]) -> str | None:
    """The name of the choice that was made. Raises UsageError when there are several."""
    named = [name for name, given in choices.items() if given]
    if len(named) > 1:
        raise UsageError(f"{' and '.join(named)} cannot be combined", "choose one")
    return named[0] if named else None


def place(project: str | None, branch: str | None) -> Scope:
    """What `--project` and `--branch` leave of the ledger."""
    for option, text in (("--project", project), ("--branch", branch)):
        if text == "":
            raise UsageError(f"{option} is empty", "name one, or leave the option out")
    if project is None:
        return Scope(branch=branch)
    try:
        directory = str(Path(project).expanduser().resolve())
    except (OSError, RuntimeError) as error:  # a folder that is gone, a user nobody knows
        raise UsageError(f"--project {label(project)}: {error}", "write the whole path of a directory") from None
    return Scope(project=directory, branch=branch)


def where(place: Scope) -> str | None:
    """What `--project` and `--branch` were, for a line below what was asked for."""
    parts = [f"project {label(path(place.project))} and below"] if place.project is not None else []
    return ", ".join([*parts, *([f"branch {label(place.branch)}"] if place.branch is not None else [])]) or None


def period(
    reader: LedgerReader,
    name: str | None,
    since: str | None,
    until: str | None,
    notes: list[str],
    place: Scope = ANYWHERE,
) -> Period:
    """What an option called `name` means. Without one: today, or everything where there is nothing today."""
    now = datetime.now().astimezone()
    match name:
        case "--today":
            return periods.today(now)
        case "--yesterday":
            return periods.yesterday(now)
        case "--week":
            return periods.this_week(now)
        case "--month":
            return periods.this_month(now)
        case "--since/--until":
            return periods.between(since, until)
        case "--all":
            return periods.ALL
    day = periods.today(now)
    last = last_turn_at(reader, place)
    if last is None or last >= (day.since or 0):
        return day
    notes.append("No turns today, so this is everything.")
    return periods.ALL


def removed(reader: LedgerReader, period: Period) -> str | None:
    """What a figure of this period lacks because it was taken out of the ledger."""
    return sentences.removed(*reader.removed(period.since))


def session(reader: LedgerReader, text: str | None, notes: list[str]) -> SessionRow | None:
    """By id, the beginning of one, or name; without words the last one, None when there is none at all."""
    if text is None:
        return reader.last_session()
    return named_session(reader, text, notes)


def named_session(reader: LedgerReader, text: str, notes: list[str]) -> SessionRow:
    if not text:  # every id begins so
        raise UsageError("SESSION is empty", "`rlmc sessions --all` lists the sessions there are")
    found = reader.find_sessions(text)
    if not found:
        raise UsageError(f"no session is called {label(text)}", "`rlmc sessions --all` lists them")
    if len(found) > 1 and found[0].name != text:
        ids = ", ".join(row.id for row in found[:_NAMED])
        raise UsageError(f"{label(text)} could be {count(len(found), 'session')}: {ids} …", "give more of the id")
    if len(found) > 1:
        notes.append(f"The newest of {count(len(found), 'session')} of that name.")
    return found[0]


def session_name(row: SessionRow) -> str:
    parts = [row.client, row.name, f"{periods.local(row.started_at):%Y-%m-%d %H:%M}"]
    return f"session {label(row.id)} ({', '.join(label(part) for part in parts if part)})"


def session_place(row: SessionRow) -> str | None:
    """Where a session was started, for a line below its name."""
    parts = [("project", path(row.directory or "")), ("branch", row.git_branch)]
    return ", ".join(f"{name} {label(text)}" for name, text in parts if text) or None


def turn(reader: LedgerReader, text: str | None) -> TurnRow | None:
    """By id or the beginning of one; without words the last one, None when there is none at all."""
    if text is None:
        return reader.last_turn()
    if not text:
        raise UsageError("TURN is empty", "`rlmc turns` lists those of a session")
    found = reader.find_turns(text, _NAMED + 1)
    if not found:
        raise UsageError(f"no turn has an id that begins with {label(text)}", "`rlmc turns` lists those of a session")
    if len(found) > 1:
        ids = ", ".join(row.id for row in found[:_NAMED])
        more = " …" if len(found) > _NAMED else ""
        raise UsageError(f"{label(text)} could be any of these turns: {ids}{more}", "give more of the id")
    return found[0]
