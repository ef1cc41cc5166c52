"""The words behind `rlmc run`, read without the library that reads those of other commands: it takes longer than all
the rest, and `rlmc run` stands in front of every start of an agent.

Rule: what is not plain here (a call for help, an option that is not known or lacks its value) is nothing here, and goes
to the command as it is declared; its options are these.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rlmc.domain.frozen import dataclass

# Options by the setting they set.
SETTINGS = {
    "--draft-model": "draft-model",
    "--verify-model": "verify-model",
    "--policy": "policy",
    "--budget": "budget.session",
}
NAME, AS_CLIENT, NO_SUMMARY = "--name", "--as", "--no-summary"
_WITH_VALUE = frozenset({*SETTINGS, NAME, AS_CLIENT})


@dataclass(frozen=True, slots=True)
class Wish:
    """The command line of `rlmc run`. `flags` are settings by key. What is given empty is not given."""

    argv: tuple[str, ...]
    flags: Mapping[str, str]
    name: str | None = None
    as_client: str | None = None
    summary: bool = True


def wish_of(words: Sequence[str]) -> Wish | None:
    """Options end at `--` or at the child's first word; the last one of a kind counts."""
    values: dict[str, str] = {}
    summary = True
    left = list(reversed(words))
    while left and left[-1].startswith("-") and left[-1] != "-":
        word = left.pop()
        option, given, value = word.partition("=")
        if word == "--":
            break
        if word == NO_SUMMARY:
            summary = False
        elif option in _WITH_VALUE and (given or left):
            values[option] = value if given else left.pop()
        else:
            return None
    if not left:
        return None
    flags = {key: values[option] for option, key in SETTINGS.items() if values.get(option)}
    return Wish(tuple(reversed(left)), flags, values.get(NAME) or None, values.get(AS_CLIENT) or None, summary)
