"""Scripts for a command line that rlmc does not have: paths, many arguments, and help that shells could misread."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.support.shells import Home, ask_fish, bash_can, shell, type_in_bash, type_in_zsh

from rlmc.completion import find
from rlmc.completion.tree import Argument, Command, Option, Paths, Word, Words

ODD = 'It\'s [50%] "odd": $HOME `x` a\\nb -- (ok); {y}'
TREE = Command(
    (),
    "",
    commands=(
        Command(
            ("odd",),
            ODD,
            (
                Option(("--to",), "", "FILE", Paths()),
                Option(("-d", "--dir"), ODD, "A: [b]", Paths(only_directories=True)),
                Option(("--tag",), "Again and again", "TAG", repeats=True),
                Option(("--plain",), "Once"),
            ),
            (Argument("WORD", Words("word", (Word("alpha", ODD), Word("beta")))), Argument("FILE", Paths(), many=True)),
        ),
        Command(("odd-many",), "", (), (Argument("WORD", Words("more", (Word("gamma"), Word("delta"))), many=True),)),
    ),
)


@pytest.fixture
def folder(own_home: Home) -> Path:
    """The home, with something to complete a path to."""
    (own_home.folder / "some-file").touch()
    (own_home.folder / "some-folder").mkdir()
    return own_home.folder


def write(name: str, file: Path) -> Path:
    one = find(name)
    assert one is not None
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(one.render(TREE), encoding="utf-8")
    return file


def test_bash(own_home: Home, folder: Path) -> None:
    script = write("bash", folder / "rlmc.bash")
    lines = {
        "rlmc odd --to some-": ["some-file", "some-folder"],
        "rlmc odd ": ["alpha", "beta"],
        "rlmc odd beta some-": ["some-file", "some-folder"],
        "rlmc odd beta x y some-": ["some-file", "some-folder"],
        "rlmc odd-many gamma x y de": ["delta"],
    }
    if bash_can("type compopt"):  # without it, files are offered beside folders
        lines |= {"rlmc odd --dir=some-": ["some-folder"], "rlmc odd -d some-": ["some-folder"]}
    for line, words in zip(lines, type_in_bash(own_home, f"source '{script}'", list(lines)), strict=True):
        added = words[len(line.split()) - (not line.endswith(" ")) :]
        assert [word.removeprefix("--dir=").rstrip("/") for word in added] == lines[line], line


def test_zsh(own_home: Home, folder: Path) -> None:
    write("zsh", folder / "_rlmc")
    lines = {
        "rlmc odd --to some-": "some-file some-folder/",
        "rlmc odd --dir=some-": "some-folder/",
        "rlmc odd -d some-": "some-folder/",
        "rlmc odd ": f"alpha -- {ODD} beta",
        "rlmc odd beta some-": "some-file some-folder/",
        "rlmc odd beta x y some-": "some-file some-folder/",
        "rlmc odd-many gamma x y ": "delta gamma",
        "rlmc od": f"odd -- {ODD} odd-many",
        "rlmc odd --": f"--dir -- {ODD} --plain -- Once --tag -- Again and again --to",
        "rlmc odd --tag x --plain --ta": "--tag -- Again and again",
        "rlmc odd --plain --pla": "",
    }
    for line, shown in zip(lines, type_in_zsh(own_home, "", list(lines)), strict=True):
        assert " ".join(shown.split()) == lines[line], line


def test_fish(own_home: Home, folder: Path) -> None:
    write("fish", folder / ".config/fish/completions/rlmc.fish")
    lines = {
        "rlmc odd --to some-": ["some-file", "some-folder/"],
        "rlmc odd --dir=some-": ["--dir=some-folder/\tDirectory"],
        "rlmc odd -d some-": ["some-folder/\tDirectory"],
        "rlmc odd ": [f"alpha\t{ODD}", "beta"],
        "rlmc odd beta some-": ["some-file", "some-folder/"],
        "rlmc odd beta x y some-": ["some-file", "some-folder/"],
        "rlmc odd-many gamma x y ": ["delta", "gamma"],
        "rlmc od": [f"odd\t{ODD}", "odd-many"],
        "rlmc odd --pl": ["--plain\tOnce"],
    }
    for line, shown in zip(lines, ask_fish(own_home, "", list(lines)), strict=True):
        assert shown == lines[line], line


@pytest.mark.parametrize("name", ["bash", "zsh", "fish"])
def test_the_shell_reads_it_without_complaint(name: str, own_home: Home) -> None:
    import subprocess

    script = write(name, own_home.folder / "script")
    ran = subprocess.run([shell(name), "-n", script], capture_output=True, text=True)
    assert (ran.returncode, ran.stderr) == (0, "")


def test_two_lists_of_one_name_are_refused() -> None:
    lists = (Words("same", (Word("a", "A"),)), Words("same", (Word("b", "B"),)))
    tree = Command((), "", commands=(Command(("x",), "", (), tuple(Argument("X", one) for one in lists)),))
    fish = find("fish")
    assert fish is not None
    with pytest.raises(ValueError, match="same"):
        fish.render(tree)
