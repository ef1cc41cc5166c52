"""Figures as people read them: money, shares, durations, counts, names.

Rule: an amount never looks exact when it is a bound, a loss never looks like a saving, and a cent is not zero.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from decimal import Decimal

from rlmc.domain.money import Picodollars, dollars
from rlmc.ledger.report import Amount, Saving, SavingsReport

_SMALLEST = Decimal("0.000001")
_TOLERANCE = 1e-7  # of what is only a float's last digits nothing is made


def money(amount: Picodollars) -> str:
    """Whole cents from ten cents up, two significant digits below."""
    value = abs(dollars(amount))
    sign = "-" if amount < 0 else ""
    if value == 0:
        return "$0.00"
    if value < _SMALLEST:
        return f"{sign}<${_SMALLEST:f}"
    if value >= Decimal("0.1"):
        return f"{sign}${value:,.2f}"
    text = f"{value:.{1 - value.adjusted()}f}"
    while text.endswith("0") and len(text.partition(".")[2]) > 2:
        text = text[:-1]
    return f"{sign}${text}"


def amount(sum: Amount) -> str:
    if not sum.missing:
        return money(sum.known)
    return f"at least {money(sum.known)}" if sum.known else "unknown"


def short(sum: Amount) -> str:
    """For a table's cell."""
    if not sum.missing:
        return money(sum.known)
    return f"≥ {money(sum.known)}" if sum.known else "?"


def short_saving(saved: Saving) -> str:
    if saved.amount is None:
        return "?"
    return {"exact": "", "at most": "≤ ", "at least": "≥ "}[saved.bound] + money(saved.amount)


def spread(middle: Picodollars, half_width: Picodollars) -> str:
    """` ± 0.05`, to be put behind `money(middle)` and with as many decimals; nothing where that rounds to nothing."""
    places = len(money(middle).partition(".")[2])
    text = f"{dollars(half_width):,.{places}f}"
    return f" ± {text}" if text.strip("0.,") else ""


def baseline(report: SavingsReport) -> str:
    """`$1.20 ± 0.05`. A sum that lacks parts has no range: it is a bound already."""
    whole = report.baseline
    if whole.missing or not report.baseline_estimated:
        return amount(whole)
    return amount(whole) + spread(whole.known, report.half_width)


def saving(found: Saving, share: float | None) -> str:
    """`saved $0.59 (49 %)`, `lost at least $0.10`, `saving unknown`."""
    if found.amount is None:
        return "saving unknown"
    lost = found.amount < 0
    verb = "lost" if lost else "saved"
    bound = found.bound
    if lost and bound != "exact":
        bound = "at least" if bound == "at most" else "at most"
    words = [verb] if bound == "exact" else [verb, bound]
    text = " ".join([*words, money(abs(found.amount))])
    return text if share is None else f"{text} ({percent(abs(share))})"


def percent(share: float) -> str:
    """Whole per cent, one decimal where that would say 0 or 100 without being it."""
    whole = f"{share * 100:.0f}"
    if (whole in ("0", "-0") and share != 0) or (whole == "100" and share != 1):
        return f"{share * 100:.1f} %"
    return f"{whole} %"


def upper(share: float) -> str:
    """A bound from above in per cent: rounded up, with one decimal below ten."""
    return _bound(share, math.ceil, -1)


def lower(share: float) -> str:
    """A bound from below in per cent: rounded down."""
    return _bound(share, math.floor, 1)


def _bound(share: float, rounded: Callable[[float], int], slack: int) -> str:
    scale = 10 if share < 0.1 else 1
    return f"{rounded(share * 100 * scale + slack * _TOLERANCE) / scale:g} %"


def exact_percent(share: float) -> str:
    """What was set, as it was set."""
    return f"{round(share * 100, 6):g} %"


def seconds(milliseconds: float) -> str:
    if milliseconds < 100:
        return f"{milliseconds:.0f} ms"
    return f"{milliseconds / 1000:.1f} s"


def count(number: int, noun: str, plural: str | None = None) -> str:
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def label(text: str, width: int = 0, *, start: bool = False) -> str:
    """A name from outside, safe to print: nothing that moves a cursor. Too long: the end is kept, as in paths, or its
    `start`."""
    clean = "".join(char if char.isprintable() else "?" for char in text) or "-"
    if not width or cells(clean) <= width:
        return clean
    kept = clean[: width - 1] if start else clean[len(clean) - width + 1 :]
    while cells(kept) > width - 1:
        kept = kept[:-1] if start else kept[1:]
    return f"{kept}…" if start else f"…{kept}"


def path(directory: str) -> str:
    """A directory as people write it: their home is `~`."""
    home = os.environ.get("HOME", "").rstrip("/")
    if home and (directory == home or directory.startswith(f"{home}/")):
        return f"~{directory[len(home) :]}"
    return directory


def cells(text: str) -> int:
    """How many columns of a terminal it takes: two for a wide character, none for what is put on top of another."""
    if text.isascii():
        return len(text)
    from unicodedata import category, east_asian_width

    return sum(0 if category(char) in ("Mn", "Me") else 2 if east_asian_width(char) in "WF" else 1 for char in text)
