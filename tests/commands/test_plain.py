"""Plain commands are parsed as typer would, and without what typer converts values with."""

from __future__ import annotations

import subprocess
import sys
from enum import StrEnum
from typing import Annotated

import pytest
import typer
from typer.testing import CliRunner

from rlmc.commands.plain import PlainTyper


class Kind(StrEnum):
    ONE = "one"
    TWO = "two"


def build(kind: type[typer.Typer]) -> typer.Typer:
    app = kind(rich_markup_mode=None, add_completion=False)

    @app.command()
    def show(
        word: Annotated[str, typer.Argument()],
        more: Annotated[list[str] | None, typer.Argument()] = None,
        kind: Annotated[Kind | None, typer.Option("--kind")] = None,
        number: Annotated[int | None, typer.Option("--number", min=1, max=9)] = None,
        share: Annotated[float, typer.Option("--share")] = 0.5,
        text: Annotated[str, typer.Option("--text")] = "none",
        flag: Annotated[bool, typer.Option("--flag")] = False,
        turned: Annotated[bool, typer.Option("--on/--off")] = True,
    ) -> None:
        typer.echo(repr((word, more, kind, number, share, text, flag, turned)))

    @app.command()
    def other() -> None: ...

    return app


@pytest.mark.parametrize(
    "words",
    [
        ["a"],
        ["a", "b", "c"],
        [],
        [""],
        ["a", "--kind", "two", "--number", "3", "--flag", "--text", "", "--off"],
        ["a", "--kind", "three"],
        ["a", "--number", "0"],
        ["a", "--number", "10"],
        ["a", "--number", "x"],
        ["a", "--number", " 3"],
        ["a", "--number", "\u0663"],
        ["a", "--share", "0.25"],
        ["a", "--share", "x"],
        ["a", "--help"],
        ["a", "--no-such"],
        ["a", "--text"],
        ["--", "-a"],
    ],
    ids=" ".join,
)
def test_it_is_what_typer_makes_of_it(words: list[str]) -> None:
    plain, theirs = (CliRunner().invoke(build(kind), ["show", *words]) for kind in (PlainTyper, typer.Typer))
    assert (plain.exit_code, plain.output) == (theirs.exit_code, theirs.output)


PROGRAM = """
import sys
import typer
from tests.commands.test_plain import build
from rlmc.commands.plain import PlainTyper
build(PlainTyper)(["show", *sys.argv[1:]], standalone_mode=False)
print("pydantic" in sys.modules)
"""


@pytest.mark.parametrize(
    ("words", "loaded"), [(["a", "--kind", "two", "--number", "3"], False), (["a", "--share", "1"], True)]
)
def test_what_converts_values_is_loaded_only_where_it_is_needed(words: list[str], loaded: bool) -> None:
    ran = subprocess.run([sys.executable, "-c", PROGRAM, *words], capture_output=True, text=True, timeout=60)
    assert ran.stdout.splitlines()[-1] == str(loaded), ran.stderr
