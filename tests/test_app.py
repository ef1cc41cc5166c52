"""The root of the command line and the way in: what holds for every command."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from typer.main import get_command

import rlmc
from rlmc.__main__ import run, split
from rlmc.app import COMMANDS, build
from rlmc.errors import DaemonError


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--version"]) == 0
    assert run(["-V"]) == 0
    assert capsys.readouterr().out == f"rlmc {rlmc.__version__}\n" * 2


@pytest.mark.parametrize("arguments", [["--help"], ["-h"]])
def test_help_names_every_command(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(arguments) == 0
    out = capsys.readouterr().out
    places = [out.find(f"\n  {name} ") for name in COMMANDS]
    assert -1 not in places
    assert places == sorted(places)


@pytest.mark.parametrize("arguments", [["--help"], ["config", "--help"], ["sessions", "--help"]])
def test_no_line_of_a_list_of_commands_is_cut_short_in_eighty_columns(
    arguments: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    assert run(arguments) == 0
    listed = capsys.readouterr().out.partition("\nCommands:\n")[2]
    assert listed
    assert "..." not in listed


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_of_its_own_and_needs_no_other(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run([name, "--help"]) == 0
    assert f"Usage: rlmc {name}" in capsys.readouterr().out
    if name != "completions":  # which shows the whole tree
        assert list(get_command(build(name)).commands) == [name]  # type: ignore[attr-defined]


def test_the_whole_tree_is_what_is_registered() -> None:
    from rlmc.app import app

    assert set(get_command(app).commands) == set(COMMANDS)  # type: ignore[attr-defined]


def test_an_unknown_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["stat"]) == 2
    err = capsys.readouterr().err
    assert "'stat'" in err
    assert "stats" in err


@pytest.mark.parametrize(
    ("arguments", "options", "command"),
    [
        ([], [], None),
        (["run", "--debug"], [], "run"),
        (["--debug", "run", "x"], ["--debug"], "run"),
        (["--help"], ["--help"], None),
    ],
)
def test_where_the_commands_name_stands(arguments: list[str], options: list[str], command: str | None) -> None:
    assert split(arguments) == (options, command)


def _raising(error: BaseException, monkeypatch: pytest.MonkeyPatch) -> int:
    def stop(*, force: bool = False) -> None:
        raise error

    monkeypatch.setattr("rlmc.daemon.lifecycle.stop", stop)
    return run(["stop"])


def test_an_error_for_the_user(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert _raising(DaemonError("what is wrong", "what to do"), monkeypatch) == 1
    assert capsys.readouterr().err == "error: what is wrong\nhint: what to do\n"


def test_an_error_of_our_own(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.delenv("RLMC_DEBUG", raising=False)
    assert _raising(ValueError("odd"), monkeypatch) == 1
    assert capsys.readouterr().err == "rlmc: internal error: ValueError: odd; RLMC_DEBUG=1 shows where\n"
    monkeypatch.setenv("RLMC_DEBUG", "1")
    assert _raising(ValueError("odd"), monkeypatch) == 1
    assert "Traceback" in capsys.readouterr().err


def test_ctrl_c(monkeypatch: pytest.MonkeyPatch) -> None:
    assert _raising(KeyboardInterrupt(), monkeypatch) == 130


def test_a_reader_that_has_seen_enough_is_no_error() -> None:
    """`rlmc --help | head -1`"""
    read, write = os.pipe()
    os.close(read)
    try:
        ran = subprocess.run([sys.executable, "-m", "rlmc", "--help"], stdout=write, stderr=subprocess.PIPE, text=True)
    finally:
        os.close(write)
    assert ran.stderr == ""
