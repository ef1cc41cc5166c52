"""What may be said of the quality of what drafts answered, on one line.

Rule: never a rate without its count, and nothing that sounds certified unless the bound meets its target. A bound is
rounded away from what would please.
"""

from __future__ import annotations

from rlmc.quality.standing import Standing
from rlmc.views.figures import count, exact_percent, upper


def standing(found: Standing) -> str:
    """On one line: `at most 1.6 % of turns worse (95 %, 512 audits, 6 worse)`."""
    counts = ", ".join([count(found.audits, "audit"), *_ends(found)])
    if found.certified:
        return f"at most {upper(found.overall)} of turns worse ({exact_percent(found.confidence)}, {counts})"
    return f"not certified yet ({counts}; bound {upper(found.overall)} of turns, target {exact_percent(found.target)})"


def _ends(found: Standing) -> list[str]:
    """What became of the audits, as far as it is not the usual thing."""
    named = (
        (found.worse, "worse", bool(found.ended)),
        (found.waiting, "under way", False),
        (found.failed + found.lost, "without a verdict", False),
    )
    return [f"{number:,} {what}" for number, what, always in named if number or always]
