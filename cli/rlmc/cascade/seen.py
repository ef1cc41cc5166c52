"""What decisions need to know of a finished draft, once its content has been looked at."""

from __future__ import annotations

from rlmc.domain.effect import Effect
from rlmc.domain.frozen import dataclass
from rlmc.domain.turn import Finding


@dataclass(frozen=True, slots=True)
class Drafted:
    """`effect` is the worst effect among the draft's `calls` (a number), None without any; `chars` is what it says and
    asks for, `output` its tokens. `findings` are the gate's objections, `tool` the name of the riskiest call's tool."""

    effect: Effect | None
    calls: int
    chars: int
    output: int
    findings: tuple[Finding, ...] = ()
    tool: str = ""
