"""What a run may ask and cost at most, told before it begins.

Rule: a bound, and said to be one: every prompt at the fewest characters a token, every answer as long as it may be,
every draft followed by a verification and an answer of the verify model's own. An unknown price makes it unknown.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from rlmc.bench.client import MAX_TOKENS
from rlmc.bench.run import Arm
from rlmc.bench.task import Task
from rlmc.domain.chat import Usage
from rlmc.domain.frozen import dataclass
from rlmc.domain.money import Picodollars, add
from rlmc.domain.turn import Model
from rlmc.pricing.catalog import PriceTable

_CHARS_PER_TOKEN = 2.5
_EXTRA_TOKENS = 1_000  # what a provider adds for tools, and rlmc for a verification


@dataclass(frozen=True, slots=True)
class Estimate:
    """`turns` are requests to the proxy, `calls` what they may become at the providers."""

    turns: int
    calls: int
    most: Picodollars | None


def estimate(
    work: Sequence[tuple[Arm, Sequence[Task]]], draft: Model | None, verify: Model, prices: PriceTable, at: int
) -> Estimate:
    """`work` is what is left of each arm; `at` the moment whose prices hold."""
    turns = calls = 0
    costs: list[Picodollars | None] = []
    for arm, tasks in work:
        for task in tasks:
            asked = [verify, verify, draft] if arm.drafts and draft is not None else [verify]
            turns, calls = turns + 1, calls + len(asked)
            size = int(len(task.prompt + json.dumps(task.tools)) / _CHARS_PER_TOKEN) + _EXTRA_TOKENS
            shown = size + (MAX_TOKENS if arm.drafts else 0)
            # Written to a cache costs more than read plainly, where it costs anything.
            usage = Usage(cache_write_5m=shown, output=MAX_TOKENS)
            costs += [prices.charge(model, usage, at).cost for model in asked]
    return Estimate(turns, calls, add(costs))
