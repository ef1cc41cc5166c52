"""Commands that are quick to parse, for what stands in front of every start of an agent.

Rule: to convert a value typer loads a library that takes longer than all the rest of `rlmc run`. Flags and plain text
need no converting, so they are taken as they stand.
"""

from __future__ import annotations

from typer import Context
from typer.core import TyperCommand, TyperGroup, TyperOption


class PlainGroup(TyperGroup):
    """A group whose own options are all flags."""

    def get_help_option(  # type: ignore[override]  # typer hands its own kind of context to all of its commands
        self, ctx: Context
    ) -> TyperOption | None:
        option = super().get_help_option(ctx)
        if option is not None:
            option.default = False  # with no default at all, its absence would be converted
        return option


class PlainCommand(TyperCommand):
    """A command whose values are all plain text or flags."""

    def parse_args(  # type: ignore[override]  # as above
        self, ctx: Context, args: list[str]
    ) -> list[str]:
        given, rest, _ = self.make_parser(ctx).parse_args(args=list(args))
        help_option = self.get_help_option(ctx)
        if rest or (help_option is not None and given.get(help_option.name)):
            return super().parse_args(ctx, args)  # which prints the help, or says what is too much
        for param in self.params:
            ctx.params[param.name] = given.get(param.name) or param.get_default(ctx)
        ctx.args = []
        return []
