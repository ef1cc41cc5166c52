"""The line an agent shows of its session: which model answered last, what was saved so far, how much was skipped.

Rule: it is asked for again and again while somebody types, so it imports next to nothing and asks no daemon; and
whatever is wrong, there is a short line or none, never an error.
"""

from __future__ import annotations

import os
import sys

from rlmc.config.env import SESSION_ENV

_MOST_INPUT = 1 << 20


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
    finally:
        reader.close()
    if not total.turns:
        return f"rlmc {row.policy} · no turns yet" if row is not None else "rlmc · no turns yet"
    from rlmc.domain.turn import Outcome
    from rlmc.views.figures import label, percent, saving

    skipped = percent(total.outcomes[Outcome.SKIPPED.value] / total.turns)
    parts = [saving(total.saving, total.share), f"{skipped} skipped"]
    if model is not None:
        parts.insert(0, f"rlmc {label(model.partition('/')[2] or model, 32)}")
    if total.simulated:
        parts.append("simulated")
    return " · ".join(parts)


def _drain() -> None:
    """The agent writes its state and waits until it is read. What it says is known better here already."""
    if sys.stdin is not None and not sys.stdin.isatty():
        sys.stdin.buffer.read(_MOST_INPUT)
