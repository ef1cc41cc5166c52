"""`rlmc completions`: prints the completion script of a shell, rendered from the commands as they are."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, cast

import typer

from rlmc.errors import RlmcError, UsageError

if TYPE_CHECKING:
    from typer.core import TyperGroup

    from rlmc.completion import Shell

ShellName = Literal["bash", "zsh", "fish"]


def register(app: typer.Typer) -> None:
    app.command("completions", help="Print the completion script for a shell.")(_completions)


def _completions(
    context: typer.Context,
    shell: Annotated[
        ShellName | None, typer.Argument(metavar="SHELL", help="The shell; without it, the one $SHELL names.")
    ] = None,
    write: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER", file_okay=False, help="Write a file into this folder instead, without SHELL one for each."
        ),
    ] = None,
) -> None:
    import os
    import sys

    from rlmc.completion import SHELLS, find
    from rlmc.completion.known import known_values
    from rlmc.completion.tree import read
    from rlmc.launch.integrations import NAMES
    from rlmc.ui import console

    chosen = find(shell) if shell else None
    if chosen is None and write is None:
        chosen = _from_environment(os.environ.get("SHELL", ""))
    tree = read(cast("TyperGroup", context.find_root().command), known_values(NAMES))
    if write is not None:
        for one in (chosen,) if chosen else SHELLS:
            console.out(str(_write(write / one.file, one.render(tree))))
    elif chosen is not None:
        console.out(chosen.render(tree).removesuffix("\n"))
        if console.is_terminal(sys.stdout):
            console.err()
            for line in _where_to(chosen):
                console.err(line)


def _from_environment(path: str) -> Shell:
    from rlmc.completion import SHELLS, find

    shell = find(Path(path).name)
    if shell is None:
        names = ", ".join(one.name for one in SHELLS)
        said = f"$SHELL is {path}, for which there are no completions" if path else "$SHELL is not set"
        raise UsageError(f"{said}.", f"Name one of {names}: rlmc completions bash")
    return shell


def _write(file: Path, text: str) -> Path:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise RlmcError(
            f"--write: {file} cannot be written: {error.strerror or error}.", "Name a folder that you may write to."
        ) from error
    return file


def _where_to(shell: Shell) -> list[str]:
    folder = shell.place.rpartition("/")[0]
    lines = [
        f"To use it in every new {shell.name}:",
        f"  mkdir -p {folder} && rlmc completions {shell.name} > {shell.place}",
    ]
    return [*lines, f"  {shell.note}"] if shell.note else lines
