"""Every page of the ledger as it stands on a terminal, compared letter by letter with a file in `snapshots/`.

`RLMC_SNAPSHOTS=write pytest tests/ui/test_snapshots.py` makes the files again. Look at each before keeping it: `cat`
shows colours as a terminal does.
"""

from __future__ import annotations

import io
import os
import re
import time
from collections.abc import Callable
from contextlib import redirect_stdout
from pathlib import Path

import pytest
import typer
from tests.support.fortnight import EXPLAINED, HOME, write_fortnight

from rlmc.commands import explain, sessions, stats, turns
from rlmc.views.figures import cells

FOLDER = Path(__file__).parent / "snapshots"
PAGES = {
    "stats": ["stats", "--all"],
    "stats-by-day": ["stats", "--all", "--by", "day"],
    "stats-by-session": ["stats", "--all", "--by", "session"],
    "stats-by-outcome": ["stats", "--all", "--by", "outcome"],
    "stats-by-project": ["stats", "--all", "--by", "project"],
    "stats-of-a-branch": ["stats", "--all", "--project", "~/code", "--branch", "spike/orm"],
    "stats-of-a-session": ["stats", "b7f3a158"],
    "sessions": ["sessions", "--all"],
    "sessions-limited": ["sessions", "--all", "--limit", "4"],
    "turns": ["turns", "51e7d0b8"],
    "turns-lost": ["turns", "97b20d5e"],
    "explain": ["explain", EXPLAINED],
    "nothing-in-the-period": ["stats", "--until", "2026-01-31", "--branch", "main"],
    "nothing-of-the-project": ["sessions", "--all", "--project", "/nowhere"],
    "nothing-of-the-branch": ["stats", "--all", "--branch", "gone"],
    "nothing-in-the-session": ["turns", "a8103d5f"],
}
COLOUR = re.compile(r"\x1b\[[0-9;]*m")


class Terminal(io.StringIO):
    """One that can show what its encoding has."""

    def __init__(self, encoding: str = "utf-8") -> None:
        super().__init__()
        self._encoding = encoding

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return self._encoding

    def isatty(self) -> bool:
        return True


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("fortnight")
    write_fortnight(folder / "ledger.db")
    return folder


@pytest.fixture
def _fixed(ledger: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RLMC_DATA_DIR", str(ledger))
    monkeypatch.setenv("HOME", HOME)
    monkeypatch.setenv("TZ", "UTC")
    monkeypatch.setenv("TERM", "xterm-256color")
    for name in ("NO_COLOR", "FORCE_COLOR", "COLORTERM"):
        monkeypatch.delenv(name, raising=False)
    time.tzset()


@pytest.fixture
def shown(_fixed: None, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    def show(arguments: list[str], columns: int, colour: bool, encoding: str = "utf-8") -> str:
        monkeypatch.setenv("COLUMNS", str(columns))
        if not colour:
            monkeypatch.setenv("NO_COLOR", "1")
        app = typer.Typer(add_completion=False)
        for command in (stats, sessions, turns, explain):
            command.register(app)
        out = Terminal(encoding)
        with redirect_stdout(out):
            app(arguments, standalone_mode=False)
        return out.getvalue()

    return show


@pytest.mark.parametrize("colour", [False, True], ids=["plain", "colour"])
@pytest.mark.parametrize("columns", [80, 120])
@pytest.mark.parametrize("page", PAGES)
def test_a_page_is_as_it_was(shown: Callable[..., str], page: str, columns: int, colour: bool) -> None:
    text = shown(PAGES[page], columns, colour)
    assert bool(COLOUR.search(text)) is colour
    _compare(f"{page}-{columns}{'-colour' if colour else ''}.txt", text)


@pytest.mark.parametrize("page", ["stats", "stats-by-project", "sessions", "turns"])
def test_a_page_without_unicode_is_as_it_was(shown: Callable[..., str], page: str) -> None:
    text = shown(PAGES[page], 80, False, "ascii")
    assert text.isascii()
    _compare(f"{page}-80-ascii.txt", text)


@pytest.mark.parametrize("command", [["sessions", "--all"], ["stats", "--all", "--by", "branch"]])
def test_data_without_unicode_loses_nothing(shown: Callable[..., str], command: list[str]) -> None:
    text, whole = (shown([*command, "--csv"], 80, False, encoding) for encoding in ("ascii", "utf-8"))
    assert text.isascii()
    assert not whole.isascii()
    assert text.encode().decode("unicode-escape") == whole


def test_no_snapshot_is_of_a_page_that_is_gone() -> None:
    kinds = [f"{columns}{colour}" for columns in (80, 120) for colour in ("", "-colour")]
    made = {f"{page}-{kind}.txt" for page in PAGES for kind in [*kinds, "80-ascii"]}
    assert {file.name for file in FOLDER.iterdir()} <= made


@pytest.mark.parametrize("columns", [80, 85, 100, 119, 120, 200])
@pytest.mark.parametrize("page", PAGES)
def test_no_line_is_wider_than_the_terminal(shown: Callable[..., str], page: str, columns: int) -> None:
    plain = shown(PAGES[page], columns, True)
    assert max(cells(COLOUR.sub("", line)) for line in plain.splitlines()) <= min(columns, 120)


def test_colours_add_nothing_but_colour(shown: Callable[..., str]) -> None:
    for arguments in PAGES.values():
        assert COLOUR.sub("", shown(arguments, 120, True)) == shown(arguments, 120, False)
        os.environ.pop("NO_COLOR")


def _compare(name: str, text: str) -> None:
    file = FOLDER / name
    if os.environ.get("RLMC_SNAPSHOTS") == "write":
        file.write_text(text, encoding="utf-8")
    assert file.exists(), f"there is no snapshot {name}; see the top of this file"
    assert text == file.read_text(encoding="utf-8")
