"""The command line as plain data: what may be typed where. Read from the commands themselves, so it cannot drift.

Rule: nothing here depends on the machine, its configuration or the day; the same commands always give the same tree.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from enum import Enum

import typer
from typer.core import TyperArgument, TyperCommand, TyperGroup, TyperOption

from rlmc.domain.frozen import dataclass

# Words stand unquoted in lists that the shells split; help may hold anything.
_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9_./-]*")


@dataclass(frozen=True, slots=True)
class Word:
    text: str
    help: str = ""

    def __post_init__(self) -> None:
        if not _PLAIN.fullmatch(self.text):
            raise ValueError(f"{self.text!r} cannot stand in a completion script")


@dataclass(frozen=True, slots=True)
class Words:
    """One of these. `label` says what they are, in one word that is also used as a name."""

    label: str
    words: tuple[Word, ...]

    @property
    def explained(self) -> bool:
        return any(word.help for word in self.words)


@dataclass(frozen=True, slots=True)
class Paths:
    """A path of the file system."""

    only_directories: bool = False


@dataclass(frozen=True, slots=True)
class ByPrevious:
    """It depends on the word before."""

    cases: tuple[tuple[str, Words], ...]


Value = Words | Paths | ByPrevious | None  # None: anything, so there is nothing to offer


@dataclass(frozen=True, slots=True)
class Option:
    """`names` are spellings of the same option. `metavar` is None for a flag."""

    names: tuple[str, ...]
    help: str
    metavar: str | None = None
    value: Value = None
    repeats: bool = False


@dataclass(frozen=True, slots=True)
class Argument:
    """`many`: it takes all the words that are left."""

    metavar: str
    value: Value = None
    many: bool = False


@dataclass(frozen=True, slots=True)
class Command:
    """`path` is () for the program itself. `wraps`: its arguments are another command with arguments of its own."""

    path: tuple[str, ...]
    help: str
    options: tuple[Option, ...] = ()
    arguments: tuple[Argument, ...] = ()
    commands: tuple[Command, ...] = ()
    wraps: bool = False

    @property
    def name(self) -> str:
        return " ".join(self.path)

    def walk(self) -> Iterator[Command]:
        yield self
        for command in self.commands:
            yield from command.walk()

    def option_place(self, name: str) -> str:
        """What the scripts call the place behind an option, `run --policy`."""
        return f"{self.name} {name}"

    def argument_place(self, number: int) -> str:
        """What the scripts call the place of an argument, from 0: `config set 1`."""
        return f"{self.name} {number}"

    def places(self) -> Iterator[tuple[str, Value]]:
        """Every place of this command where something can be offered, and what."""
        for option in self.options:
            for name in option.names:
                if option.value is not None:
                    yield self.option_place(name), option.value
        for number, argument in enumerate(self.arguments):
            if argument.value is not None and not self.wraps:
                yield self.argument_place(number), argument.value


KnownValue = Callable[[tuple[str, ...], str], Value]
"""What is known of a parameter beyond its type, by the path of its command and its own name."""


def read(root: TyperGroup, known: KnownValue) -> Command:
    return _read(root, (), typer.Context(root, info_name="rlmc", **root.context_settings), known)


def _read(
    command: TyperGroup | TyperCommand, path: tuple[str, ...], context: typer.Context, known: KnownValue
) -> Command:
    options: list[Option] = []
    arguments: list[Argument] = []
    for one in command.get_params(context):
        if isinstance(one, TyperOption) and not one.hidden:
            options += _options(one, path, known)
        elif isinstance(one, TyperArgument) and not one.hidden:
            metavar = one.metavar or one.name.upper()
            arguments.append(Argument(metavar, _type_value(one) or known(path, one.name), one.nargs == -1))
    commands: list[Command] = []
    if isinstance(command, TyperGroup):
        for name, child in command.commands.items():
            if isinstance(child, TyperGroup | TyperCommand) and not child.hidden:
                inner = typer.Context(child, parent=context, info_name=name, **child.context_settings)
                commands.append(_read(child, (*path, name), inner, known))
    text = summary(command.short_help or command.help or "")
    # Options that end at the first argument, and arguments without end: the words of somebody else's command line.
    wraps = not commands and not context.allow_interspersed_args and bool(arguments) and arguments[-1].many
    return Command(path, text, tuple(options), tuple(arguments), tuple(commands), wraps)


def _options(one: TyperOption, path: tuple[str, ...], known: KnownValue) -> Iterator[Option]:
    # click hands out the names of the help option in no fixed order.
    names = tuple(sorted(one.opts, key=lambda name: (name.startswith("--"), len(name), name)))
    option = Option(names, summary(one.help or ""), repeats=one.multiple or one.count)
    if one.is_flag or one.count:
        yield option
        if one.secondary_opts:
            yield replace(option, names=tuple(one.secondary_opts))
        return
    value = _type_value(one)
    for name in names:
        value = value or known(path, name)
    yield replace(option, metavar=one.metavar or one.name.upper(), value=value)


def _type_value(one: TyperOption | TyperArgument) -> Value:
    """What the parameter's own type says."""
    kind = one.type_descriptor
    if kind.choices is not None:
        words = (str(choice.value if isinstance(choice, Enum) else choice) for choice in kind.choices)
        return Words(one.name.replace("_", "-"), tuple(Word(word) for word in words))
    if kind.is_path or kind.is_file:
        return Paths(only_directories=kind.is_path and kind.path_type == "dir")
    return None


def summary(text: str) -> str:
    """The first sentence, on one line, without the full stop: what fits beside a word in a list."""
    paragraph = " ".join(text.strip().partition("\n\n")[0].split())
    sentence = re.split(r"(?<=[^.]\.)\s", paragraph, maxsplit=1)[0]
    return sentence.removesuffix(".")
