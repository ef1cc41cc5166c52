"""The command line as data."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import pytest
import typer
from typer.main import get_group

from rlmc.completion.tree import Argument, Command, Option, Paths, Value, Word, Words, read, summary


def tree(app: typer.Typer, known: dict[tuple[str, ...], Value] | None = None) -> Command:
    app.callback()(lambda: None)
    return read(get_group(app), lambda path, name: (known or {}).get((*path, name)))


def only(command: Command) -> Command:
    (child,) = command.commands
    return child


def app() -> typer.Typer:
    return typer.Typer(add_completion=False, context_settings={"help_option_names": ["-h", "--help"]})


HELP = Option(("-h", "--help"), "Show this message and exit")


def test_a_command_has_its_options_and_arguments_with_what_their_types_say() -> None:
    root = app()

    @root.command("paint")
    def _paint(
        colour: Annotated[Literal["red", "blue"], typer.Argument()],
        files: Annotated[list[Path], typer.Argument(metavar="FILES")],
        into: Annotated[Path | None, typer.Option("--into", "-o", file_okay=False, help="Where. Or not.")] = None,
        times: Annotated[int, typer.Option("--times", "-n", metavar="N")] = 1,
        dry: Annotated[bool, typer.Option("--dry", help="Only say so.")] = False,
        tags: Annotated[list[str] | None, typer.Option("--tag")] = None,
    ) -> None:
        """Paint it. At length."""

    assert only(tree(root)) == Command(
        ("paint",),
        "Paint it",
        (
            Option(("-o", "--into"), "Where", "INTO", Paths(only_directories=True)),
            Option(("-n", "--times"), "", "N"),
            Option(("--dry",), "Only say so"),
            Option(("--tag",), "", "TAGS", repeats=True),
            HELP,
        ),
        (
            Argument("COLOUR", Words("colour", (Word("red"), Word("blue")))),
            Argument("FILES", many=True),
        ),
    )


def test_both_words_of_a_switch_are_options() -> None:
    root = app()

    @root.command("x")
    def _x(loud: Annotated[bool, typer.Option("--loud/--quiet", help="How.")] = False) -> None: ...

    assert only(tree(root)).options == (Option(("--loud",), "How"), Option(("--quiet",), "How"), HELP)


def test_groups_nest_and_what_is_hidden_is_left_out() -> None:
    root, group = app(), typer.Typer(help="A group.")

    @root.command("secret", hidden=True)
    def _secret() -> None: ...

    @group.command("inner")
    def _inner(
        loud: Annotated[bool, typer.Option("--loud", hidden=True)] = False,
    ) -> None: ...

    @group.command("other")
    def _other() -> None: ...

    root.add_typer(group, name="outer")
    found = only(tree(root))
    assert (found.name, found.help) == ("outer", "A group")
    assert [command.name for command in found.walk()] == ["outer", "outer inner", "outer other"]
    assert found.commands[0].options == (HELP,)


def test_what_is_known_beyond_types_is_asked_for_by_path_and_name() -> None:
    root = app()

    @root.command("x")
    def _x(thing: str, way: Annotated[str, typer.Option("--way")] = "") -> None: ...

    one, other = Words("one", (Word("a"),)), Words("other", (Word("b"),))
    found = only(tree(root, {("x", "thing"): one, ("x", "--way"): other}))
    assert list(found.places()) == [("x --way", other), ("x 0", one)]


@pytest.mark.parametrize(
    ("settings", "many", "wraps"),
    [
        ({"allow_interspersed_args": False}, True, True),
        ({}, True, False),
        ({"allow_interspersed_args": False}, False, False),
    ],
)
def test_a_command_wraps_another_when_its_options_end_at_the_first_of_many_arguments(
    settings: dict[str, bool], many: bool, wraps: bool
) -> None:
    root = app()
    if many:

        @root.command("x", context_settings=settings)
        def _many(words: list[str]) -> None: ...
    else:

        @root.command("x", context_settings=settings)
        def _one(word: str) -> None: ...

    assert only(tree(root)).wraps is wraps


@pytest.mark.parametrize("word", ["", "two words", "$(reboot)", "`x`", "a;b", "*", "-x", "it's", "a:b", "a\nb"])
def test_a_word_that_a_shell_would_read_as_more_is_refused(word: str) -> None:
    with pytest.raises(ValueError, match="cannot stand in a completion script"):
        Word(word)


@pytest.mark.parametrize(
    ("text", "short"),
    [
        ("One. Two.", "One"),
        ("  Over\n  two lines.  ", "Over two lines"),
        ("First paragraph\n\nSecond", "First paragraph"),
        ("Ends in dots...", "Ends in dots.."),
        ("rlmc 1.2 is one number.", "rlmc 1.2 is one number"),
        ("", ""),
    ],
)
def test_a_summary_is_the_first_sentence(text: str, short: str) -> None:
    assert summary(text) == short
