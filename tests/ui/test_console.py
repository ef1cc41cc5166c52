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
    monkeypatch.delenv("FORCE_COLOR", raising=False)
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


def test_colour_can_be_asked_for_in_a_pipe(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert console.paint("x", "red", io.StringIO()) == "\x1b[31mx\x1b[0m"
    monkeypatch.setenv("FORCE_COLOR", "0")
    assert console.paint("x", "red", io.StringIO()) == "x"
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("NO_COLOR", "1")
    assert console.paint("x", "red", io.StringIO()) == "x"


def test_a_page_is_as_wide_as_the_terminal_and_no_wider_than_one_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    for columns, width in (("72", 72), ("120", 120), ("300", 120)):
        monkeypatch.setenv("COLUMNS", columns)
        assert console.page_width(Terminal()) == width
    assert console.page_width(io.StringIO()) is None


@pytest.mark.parametrize(
    ("text", "ascii", "latin"),
    [
        ("≥ $1 ± 0.1", ">= $1 +- 0.1", ">= $1 ± 0.1"),
        ("a · b", "a | b", "a · b"),
        ("ab1, ab2 …", "ab1, ab2 ...", "ab1, ab2 ..."),
        ("…project", "<project", "<project"),
        ("first…", "first>", "first>"),
        ("価格 é", "?? ?", "?? é"),
    ],
)
def test_what_an_encoding_lacks_is_written_in_what_it_has(text: str, ascii: str, latin: str) -> None:
    def stream(encoding: str) -> io.TextIOWrapper:
        return io.TextIOWrapper(io.BytesIO(), encoding=encoding)

    assert console.encodable(text, stream("ascii")) == ascii
    assert console.encodable(text, stream("latin-1")) == latin
    assert console.encodable(text, stream("utf-8")) == text
    assert console.encodable(text, io.StringIO()) == text
