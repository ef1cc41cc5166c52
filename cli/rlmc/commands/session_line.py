"""The line an agent shows of its session: which model answered last, what was saved so far, how much was skipped.

Rule: it is asked for again and again while somebody types, so it imports next to nothing and asks no daemon; and
whatever is wrong, there is a short line or none, never an error. That a budget is passed it knows from what was done to
the last turn, so it does not know where `budget.action` is warn.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from rlmc.config.env import SESSION_ENV

if TYPE_CHECKING:
    from rlmc.ledger.queries import LedgerReader, SessionRow

_MOST_INPUT = 1 << 20
_WIDTH = 60
_LEAST_NAME = 12
_POLICY = "SELECT policy FROM turns WHERE id = ?"


def print_session_line() -> int:
    """Reads what the agent says of itself, and prints the line. The exit code is always 0."""
    try:
        _drain()
        text = session_line(os.environ.get(SESSION_ENV))
    except Exception:
        text = "rlmc: no figures (see `rlmc stats`)"
    try:
        print(text, flush=True)
    except (OSError, ValueError):
        # Nobody listens any more; Python would complain at its end if it tried again.
        sys.stdout = None
    return 0


def session_line(session: str | None) -> str:
    if not session:
        return "rlmc: not in use"
    from rlmc.config.paths import ledger_file
    from rlmc.ledger.queries import LedgerReader
    from rlmc.ledger.totals import Scope, account

    reader = LedgerReader.open(ledger_file())
    try:
        row = reader.session(session)
        total = account(reader, Scope(session=session), None).total
        model = reader.last_served_model(session)
        over = bool(total.turns) and _over_budget(reader, session, row)
    finally:
        reader.close()
    trouble = _trouble(over)
    if not total.turns:
        return " · ".join([f"rlmc {trouble or (row.policy if row is not None else '')}".rstrip(), "no turns yet"])
    from rlmc.domain.outcome import Outcome
    from rlmc.views.figures import label, percent, saving

    saved = saving(total.saving, total.share)
    if total.baseline_estimated:
        saved = saved.replace("$", "~$", 1)
    parts = [saved, f"{percent(total.outcomes[Outcome.SKIPPED.value] / total.turns)} skipped"]
    if total.simulated:
        parts.append("simulated")
    rest = " · ".join(parts)
    room = max(_LEAST_NAME, _WIDTH - len(f"rlmc  · {rest}"))
    name = trouble or (None if model is None else label(model.partition("/")[2] or model, room))
    return rest if name is None else f"rlmc {name} · {rest}"


def _trouble(over: bool) -> str | None:
    from rlmc.config.paths import state_file

    # A daemon that dies leaves the file, and is started again by `rlmc run`; one that was stopped stays away.
    if not state_file().exists():
        return "stopped"
    return "over budget" if over else None


def _over_budget(reader: LedgerReader, session: str, row: SessionRow | None) -> bool:
    """Whether a passed budget stopped or degraded the last turn."""
    from rlmc.domain.outcome import Reason

    [last] = reader.last_turns(1, session)
    if last.reason == Reason.BUDGET:
        return True
    if row is None or (row.policy,) in reader.rows(_POLICY, (last.id,)):
        return False
    # Another policy may also be another setting: what was kept with the turn tells.
    from rlmc.ledger.details import detail
    from rlmc.views.kept_decision import kept_decision

    kept = kept_decision(detail(reader, last))
    return kept is not None and kept.degraded is not None


def _drain() -> None:
    """The agent writes its state and waits until it is read. What it says is known better here already."""
    if sys.stdin is not None and not sys.stdin.isatty():
        sys.stdin.buffer.read(_MOST_INPUT)
