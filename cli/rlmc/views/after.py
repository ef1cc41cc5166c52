"""What became of answers after the fact, as data and in words."""

from __future__ import annotations

from rlmc.cascade.regret import Regret
from rlmc.ledger.regrets import Afterwards, Steps
from rlmc.views.figures import count
from rlmc.views.stats_data import Data

KINDS: tuple[Regret, ...] = tuple(Regret)
SENTENCES = {
    Regret.TOOL_ERROR: "a call of it failed",
    Regret.INTERRUPTED: "the user broke it off, or refused a call of it",
    Regret.CORRECTED: "the user's next words took it back",
    Regret.REVERTED: "an edit of it was undone later",
    Regret.REPEATED: "it made a call again that had succeeded, with nothing changed in between",
}


def after_data(found: Afterwards) -> Data:
    return {
        "outcomes": {
            outcome: {
                "turns": after.turns,
                "regretted": after.regretted,
                "signs": {kind.value: after.kinds[kind.value] for kind in KINDS},
            }
            for outcome, after in found.outcomes.items()
        },
        "steps_per_task": {"with_drafts": _steps_data(found.drafted), "direct": _steps_data(found.direct)},
    }


def _steps_data(steps: Steps) -> Data:
    return {"tasks": steps.tasks, "turns": steps.turns, "mean": steps.mean}


def steps(found: Afterwards) -> str | None:
    """None where there is no task."""
    parts = [
        f"{one.mean:.1f} {name} ({count(one.tasks, 'task')})"
        for one, name in ((found.drafted, "with drafts"), (found.direct, "direct"))
        if one.mean is not None
    ]
    return f"turns per task: {', '.join(parts)}" if parts else None


def regret_words(kind: str) -> str:
    """A sign in words; one that another version has written stays as it is."""
    return next((SENTENCES[one] for one in KINDS if one.value == kind), kind)
