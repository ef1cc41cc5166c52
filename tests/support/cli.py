"""Runs commands as the root command does, in this process, with what they print caught."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable
from dataclasses import dataclass

import typer

from rlmc.errors import RlmcError
from rlmc.ui import console


@dataclass(frozen=True, slots=True)
class Ran:
    code: int
    out: str
    err: str


def run(register: Callable[[typer.Typer], None], *args: str) -> Ran:
    app = typer.Typer(add_completion=False)
    app.callback()(lambda: None)  # so that a single command keeps its name
    register(app)
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            code = app(list(args), standalone_mode=False) or 0
        except RlmcError as problem:
            code = console.fail(problem)
    return Ran(code, out.getvalue(), err.getvalue())
