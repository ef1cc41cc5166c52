"""What a command says where it has nothing to show: what there is instead, and the command that shows it.

Rule: it never ends at "nothing". Where the ledger is empty, it says how to begin.
"""

from __future__ import annotations

import shlex
from dataclasses import replace

from rlmc.commands.which import NO_TURNS_EVER
from rlmc.ledger.period import local
from rlmc.ledger.places import branches, projects
from rlmc.ledger.queries import LedgerReader
from rlmc.ledger.totals import ANYWHERE, Scope, last_turn_at
from rlmc.ui.page import show, show_notes
from rlmc.views.figures import count, label, path

NO_TURNS = "No turns in this session. `rlmc sessions --all` lists the others, `rlmc doctor` looks for causes."
_ONLY_SESSIONS = (
    "No turns yet: none of the requests of the sessions there were came through. `rlmc doctor` looks for causes."
)
_NAMED = 8


def show_nothing(reader: LedgerReader, place: Scope, command: str) -> None:
    """Of a period. `place` is the project and the branch it was asked for, `command` how the user's begins."""
    if last_turn_at(reader, ANYWHERE) is None:
        show_notes([NO_TURNS_EVER if reader.last_session() is None else _ONLY_SESSIONS])
        return
    last = last_turn_at(reader, place)
    if last is None:
        show_notes(_unknown(reader, place))
        return
    moment = local(last)
    show_notes([f"No turns here. The last one was on {moment:%A, %Y-%m-%d, at %H:%M}. This shows that day:"])
    show([f"  {command}{_options(place)} --since {moment:%Y-%m-%d}"])  # never wrapped: it is to be copied


def _unknown(reader: LedgerReader, place: Scope) -> list[str]:
    """No session of this place ever had a turn."""
    if place.project is not None and last_turn_at(reader, replace(place, branch=None)) is None:
        head = f"No turns of sessions in {label(path(place.project))} or below it."
        return [head, *_known("project", [path(one) for one in projects(reader)])]
    head = f"No turns on the branch {label(place.branch or '')}"
    if place.project is not None:
        head += f" in {label(path(place.project))} or below it"
    return [f"{head}.", *_known("branch", branches(reader))]


def _known(what: str, names: list[str]) -> list[str]:
    if not names:
        return [f"No {what} is in the ledger: sessions keep it where there is one."]
    more = len(names) - _NAMED
    named = ", ".join(label(name) for name in names[:_NAMED])
    rest = f" and {count(more, 'other')}: `rlmc stats --all --by {what}` lists them" if more > 0 else ""
    plural = {"project": "Projects", "branch": "Branches"}[what]
    return [f"{plural} in the ledger, the newest first: {named}{rest}."]


def _options(place: Scope) -> str:
    parts = (("--project", place.project and path(place.project)), ("--branch", place.branch))
    return "".join(f" {option} {_word(text)}" for option, text in parts if text)


def _word(text: str) -> str:
    """For a shell, which takes `~` for the home only outside quotes."""
    home, rest = ("~/", text[2:]) if text.startswith("~/") else ("", text)
    return home + shlex.quote(label(rest))
