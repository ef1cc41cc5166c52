"""A command whose values are all plain text or flags.

Rule: they are taken as they stand. To convert a value typer loads a library that takes longer than all the rest of
`rlmc run` before the agent starts, and there is nothing to convert.
"""

from __future__ import annotations

from typer import Context
from typer.core import TyperCommand


class PlainCommand(TyperCommand):
    def parse_args(self, ctx: Context, args: list[str]) -> list[str]:
        given, rest, _ = self.make_parser(ctx).parse_args(args=list(args))
        help_option = self.get_help_option(ctx)
        if rest or (help_option is not None and given.get(help_option.name)):
            return super().parse_args(ctx, args)  # which prints the help, or says what is too much
        for param in self.params:
            value = given.get(param.name)
            ctx.params[param.name] = value if value else param.get_default(ctx)
        ctx.args = []
        return []
