from __future__ import annotations

import io

import pytest

from rlmc.errors import ChildNotFound, RlmcError
from rlmc.ui import console


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")


def test_facts_go_to_stdout_and_notes_to_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    console.out("fact")
    console.err("note")
    console.warning("look")
    assert capsys.readouterr() == ("fact\n", "note\nwarning: look\n")


def test_an_error_with_its_hint_and_exit_code(capsys: pytest.CaptureFixture[str]) -> None:
    assert console.fail(ChildNotFound("no such command: x", "Is it on PATH?")) == 127
    assert capsys.readouterr() == ("", "error: no such command: x\nhint: Is it on PATH?\n")


def test_an_error_without_a_hint(capsys: pytest.CaptureFixture[str]) -> None:
    assert console.fail(RlmcError("bad")) == 1
    assert capsys.readouterr().err == "error: bad\n"


def test_colour_only_on_a_terminal_and_without_no_color(monkeypatch: pytest.MonkeyPatch) -> None:
    assert console.paint("x", "red", io.StringIO()) == "x"
    assert console.paint("x", "red", Terminal()) == "\x1b[31mx\x1b[0m"
    monkeypatch.setenv("NO_COLOR", "1")
    assert console.paint("x", "red", Terminal()) == "x"
    monkeypatch.setenv("NO_COLOR", "")
    assert console.paint("x", "red", Terminal()) != "x", "an empty NO_COLOR is none"
    monkeypatch.setenv("TERM", "dumb")
    assert console.paint("x", "red", Terminal()) == "x"


def test_a_closed_stream_is_no_terminal() -> None:
    stream = io.StringIO()
    stream.close()
    assert not console.is_terminal(stream)


def test_columns_align_and_leave_no_trailing_blanks() -> None:
    assert console.columns([("a", "bbb", ""), ("cc", "d", "e")]) == ["a   bbb", "cc  d    e"]
    assert console.columns([]) == []
