"""The table of docs/reliability.md: a row a fault, a column a side and a sort of client; the entries count cells."""

from __future__ import annotations

import re
from collections.abc import Sequence

from tests.faults.agents import Agent
from tests.faults.cells import Verdict

_SORTS = ("sockets and SDKs", "Claude Code", "Codex")
_SIDES = ("draft", "verify")


def markdown(verdicts: Sequence[Verdict]) -> str:
    """With a last row of sums. `3, 1 different` where a client saw something else."""
    names = list(dict.fromkeys(_row(verdict) for verdict in verdicts))
    heads = [f"{side}: {sort}" for side in _SIDES for sort in _SORTS]
    lines = [_line("fault", heads), _line("---", ["---:"] * len(heads))]
    lines += [_line(name, _entries([one for one in verdicts if _row(one) == name])) for name in names]
    lines.append(_line("all", _entries(verdicts)))
    return "\n".join([*lines, ""])


def _row(verdict: Verdict) -> str:
    return re.sub(r"^clean EOF after \d+ events$", "clean EOF after each event", verdict.cell.fault.name)


def _entries(verdicts: Sequence[Verdict]) -> list[str]:
    found = []
    for side in _SIDES:
        for sort in _SORTS:
            mine = [verdict for verdict in verdicts if verdict.cell.side == side and _sort(verdict) == sort]
            apart = sum(bool(verdict.difference) for verdict in mine)
            found.append((f"{len(mine):,}" + (f", {apart} different" if apart else "")) if mine else "")
    return found


def _sort(verdict: Verdict) -> str:
    return verdict.cell.client.name if isinstance(verdict.cell.client, Agent) else _SORTS[0]


def _line(first: str, rest: list[str]) -> str:
    return "| " + " | ".join([first, *rest]) + " |"
