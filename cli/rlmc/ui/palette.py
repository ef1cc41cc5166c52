"""What a colour means, the same in every table. No meaning is told by colour alone: a sign or a word says it as well.

Rule: a gain is teal and a loss orange, never green and red: these two keep apart for every kind of colour vision, and a
loss is bold too. Each colour of the large palette can be read on black and on white; where a terminal has only sixteen,
cyan and yellow take their place.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Literal, TextIO

from rlmc.ledger.report import Saving
from rlmc.ui.console import colours

Meaning = Literal["gain", "loss", "skipped", "accepted", "enhanced"]
# Of 256 colours, and of 16. A direct turn has none: nothing was done about it.
CODES: Mapping[Meaning, tuple[str, str]] = {
    "gain": ("38;5;30", "36"),
    "loss": ("1;38;5;166", "1;33"),
    "skipped": ("38;5;30", "36"),
    "accepted": ("38;5;63", "94"),
    "enhanced": ("38;5;134", "35"),
}


def tint(text: str, meaning: Meaning | None, out: TextIO) -> str:
    """`text` in the colour of its meaning, if `out` shows colours."""
    if meaning is None or not colours(out):
        return text
    large, small = CODES[meaning]
    return f"\x1b[{large if _many() else small}m{text}\x1b[0m"


def of_outcome(outcome: str) -> Meaning | None:
    match outcome:
        case "skipped" | "accepted" | "enhanced":
            return outcome
    return None


def of_saving(saved: Saving) -> Meaning | None:
    """None also where it is a bound that may yet lie on the other side of zero."""
    if saved.amount is None:
        return None
    if saved.amount > 0 and saved.bound in ("exact", "at least"):
        return "gain"
    if saved.amount < 0 and saved.bound in ("exact", "at most"):
        return "loss"
    return None


def _many() -> bool:
    return "256color" in os.environ.get("TERM", "") or bool(os.environ.get("COLORTERM"))
