"""`rlmc export`: the ledger's facts for other tools, one record a line.

Rule: streamed, so that a year of turns needs no memory; a file is written whole or not at all. Prompts and answers are
left out unless they are asked for.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from contextlib import closing
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from rlmc.commands import which
from rlmc.errors import UsageError


class Format(StrEnum):
    JSONL = "jsonl"
    CSV = "csv"


class Table(StrEnum):
    """What a CSV holds a row of."""

    SESSIONS = "sessions"
    TURNS = "turns"
    CALLS = "calls"


def register(app: typer.Typer) -> None:
    app.command("export")(export)


def export(
    session: which.Session = None,
    today: which.Today = False,
    yesterday: which.Yesterday = False,
    week: which.Week = False,
    month: which.Month = False,
    since: which.Since = None,
    until: which.Until = None,
    all: which.All = False,
    format: Annotated[Format, typer.Option("--format", help="How the records are written.")] = Format.JSONL,
    table: Annotated[Table | None, typer.Option("--table", help="Of a CSV: what a row is; turns by default.")] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Write there instead of stdout.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite the file.")] = False,
    content: Annotated[bool, typer.Option("--content", help="Also prompts and answers, where they were kept.")] = False,
) -> None:
    """Write sessions, turns and calls as JSON lines or CSV. Without a period: everything."""
    choice = which.only_one(
        {
            "SESSION": session is not None,
            "--today": today,
            "--yesterday": yesterday,
            "--week": week,
            "--month": month,
            "--since/--until": since is not None or until is not None,
            "--all": all,
        }
    )
    if content and format is Format.CSV:
        raise UsageError("--content does not fit into a CSV", "leave --format csv out")
    if table is not None and format is not Format.CSV:
        raise UsageError(
            "--table is for CSV; a JSON line holds a turn with its session and its calls", "add --format csv"
        )
    if force and output is None:
        raise UsageError("--force has no file to overwrite", "add --output FILE")
    if output is not None and output.exists():
        if not output.is_file():
            raise UsageError(f"--output {output}: that is no file", "leave --output out to write to a pipe or a device")
        if not force:
            raise UsageError(f"--output {output}: there is such a file", "choose another name, or add --force")
    from rlmc.config.paths import ledger_file
    from rlmc.ledger import records
    from rlmc.ledger.queries import LedgerReader

    reader = LedgerReader.open(ledger_file())
    try:
        if session is not None:
            row = which.session(reader, session, [])
            chosen = records.Chosen(session=None if row is None else row.id)
        else:
            period = which.period(reader, choice or "--all", since, until, [])
            chosen = records.Chosen(period.since, period.until)
        rows = (
            records.lines(reader, chosen, content)
            if format is Format.JSONL
            else records.csv(reader, chosen, (table or Table.TURNS).value)
        )
        if content:
            typer.echo("Prompts and answers are in what follows; mind who reads it.", err=True)
        try:
            with closing(rows):
                _write(rows, output)
        except BrokenPipeError:  # whoever read it has seen enough
            sys.stdout = None  # nothing more may be written, not even at the end
    finally:
        reader.close()


def _write(rows: Iterator[str], output: Path | None) -> None:
    if output is None:
        if isinstance(sys.stdout, io.TextIOWrapper):
            sys.stdout.reconfigure(encoding="utf-8")  # as a file, whatever the terminal's is
        for line in rows:
            sys.stdout.write(line)
        sys.stdout.flush()
        return
    import os
    import tempfile

    try:
        handle, name = tempfile.mkstemp(prefix=f".{output.name}.", dir=output.parent)  # for its owner only
        part = Path(name)
        try:
            with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
                file.writelines(rows)
            part.replace(output)
        except BaseException:
            part.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise UsageError(f"--output {output}: {error.strerror or error}", "choose another place") from error
