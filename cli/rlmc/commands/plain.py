"""Commands that are quick to parse.

Rule: to convert a value typer loads a library that takes longer than all the rest of most commands. Flags, plain text,
words of a choice and whole numbers are converted here; whatever else there is, and whatever is wrong, is left to typer,
whose word on it counts.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Any

from typer import Context, Typer
from typer.core import TyperArgument, TyperCommand, TyperGroup, TyperOption


class _NotPlain(Exception):
    """A value that is better left to typer."""


class PlainCommand(TyperCommand):
    """A command whose values are taken as they stand where that can be done."""

    def parse_args(  # type: ignore[override]  # typer hands its own kind of context to all of its commands
        self, ctx: Context, args: list[str]
    ) -> list[str]:
        given, rest, _ = self.make_parser(ctx).parse_args(args=list(args))
        help_option = self.get_help_option(ctx)
        if rest or (help_option is not None and given.get(help_option.name)):
            return super().parse_args(ctx, args)  # which prints the help, or says what is too much
        try:
            values = {param.name: _value(param, given, ctx) for param in self.params}
        except _NotPlain:
            return super().parse_args(ctx, args)
        ctx.params.update(values)
        ctx.args = []
        return []


class PlainGroup(TyperGroup):
    """A group whose own options are all flags."""

    def get_help_option(  # type: ignore[override]  # as above
        self, ctx: Context
    ) -> TyperOption | None:
        option = super().get_help_option(ctx)
        if option is not None:
            option.default = False  # with no default at all, its absence would be converted
        return option


class PlainTyper(Typer):
    """A group of plain commands."""

    def __init__(self, *, cls: type[PlainGroup] = PlainGroup, **more: Any) -> None:
        super().__init__(cls=cls, **more)

    def command(  # type: ignore[override]  # all that typer takes, with another default
        self, name: str | None = None, *, cls: type[TyperCommand] = PlainCommand, **more: Any
    ) -> Any:
        return super().command(name, cls=cls, **more)


def _value(param: Any, given: Mapping[str, Any], ctx: Context) -> object:
    """What typer would make of it. Raises _NotPlain where that is not sure."""
    if not isinstance(param, TyperArgument | TyperOption) or param.callback is not None or param.envvar is not None:
        raise _NotPlain
    raw, kind = given.get(param.name), param.type_descriptor.annotation
    if raw is None or raw == ():
        if param.required:
            raise _NotPlain
        return param.get_default(ctx)
    if kind in (str, bool):
        if type(raw) is not kind:
            raise _NotPlain
        return raw
    found: object = None
    if isinstance(kind, type) and issubclass(kind, Enum):
        found = next((one for one in kind if one.value == raw), None)
    elif kind is int and isinstance(raw, str) and raw.isascii() and raw.isdigit():
        found = _within(int(raw), param.type_descriptor.parameter_info)
    elif kind == list[str]:
        found = list(raw)
    if found is None:
        raise _NotPlain
    return found


def _within(number: int, bounds: Any) -> int | None:
    low, high = bounds.min, bounds.max
    return number if (low is None or low <= number) and (high is None or number <= high) else None
