"""A fortnight of one user's sessions, the same to the microsecond every time: gains, losses, gaps, unknown prices.

It is what the snapshots of the terminal's tables are made from, so names are long where long names hurt.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tests.support.books import CENT, call, session, turn
from tests.support.prices import FLASH, HAIKU, HOUR, MINUTE, NOBODY, OPUS, SECOND, START

from rlmc.domain.chat import Usage
from rlmc.domain.outcome import Outcome, Reason
from rlmc.domain.record import CallRecord, SessionRecord, TurnRecord
from rlmc.domain.turn import Model
from rlmc.ledger.store import Ledger

DAY = 24 * HOUR
HOME = "/home/ada"
FIRST = START - 11 * DAY - 3 * HOUR  # Thursday, 2026-11-12, 09:00 UTC
EXPLAINED = "00201e8c41d2e07b"
"""The id of a turn with everything a decision rests on."""
_SHOP = f"{HOME}/code/shop"
_LONG = f"{HOME}/clients/northern-lights-insurance/claims-portal-backend"
_FORESIGHT = {
    "direct": 4 * CENT, "skipped": CENT, "verified": 3 * CENT, "draft": CENT // 10, "debt": CENT // 5,
    "credit": CENT // 50, "brief": CENT // 3, "waste": 0.12, "accept": 0.85, "accept_brief": 0.6, "output": 312.4,
    "verify_prompt": 61_300, "verify_warm": 58_900, "verify_left_s": 240.2, "draft_prompt": 61_500, "draft_warm": 0,
}  # fmt: skip
_DECISION: dict[str, Any] = {
    "format": 1,
    "decided_with_prices": True,
    "marker": [17, "1h"],
    "foresight": _FORESIGHT,
    "seen": {"draft": {"effect": "read", "calls": 2, "chars": 734, "output": 121, "tool": "Grep", "findings": []}},
}


@dataclass(frozen=True, slots=True)
class _Day:
    """Turns of one session on one day; `draft` None: all go direct. `pace` scales what the verify model is paid."""

    session: str
    day: int
    turns: int
    directory: str = _SHOP
    branch: str | None = "main"
    name: str | None = None
    client: str = "claude"
    draft: Model | None = HAIKU
    pace: int = 1
    loss: bool = False
    priced: bool = True
    simulated: bool = False


_DAYS = (
    _Day("3f1c09a27be45d10", 0, 14, name="cart totals"),
    _Day("8ad2417bc95e0f33", 1, 9, branch="fix/rounding"),
    _Day("51e7d0b84a9c2266", 4, 22, f"{_SHOP}/api", "feature/checkout-with-saved-cards", "checkout"),
    _Day("c0934efa1178bd52", 5, 6, f"{HOME}/notes", None, client="codex"),
    _Day("97b20d5e6f41ca88", 6, 11, loss=True, name="migration gone wrong", branch="spike/orm"),
    _Day("2be8f6034cd17a95", 7, 17, _LONG, "release/2026.11-claims-intake", "claims intake, second attempt", pace=4),
    _Day("e41a7c90d3562bf8", 8, 8, f"{HOME}/code/価格表", "機能/税率", "税率の表"),
    _Day("6d05b3f812e9a747", 11, 5, draft=None, client="generic"),
    _Day("b7f3a1582ced9046", 12, 31, _LONG, "release/2026.11-claims-intake", pace=3),
    _Day("b7f3a1582ced9046", 13, 12, _LONG, "release/2026.11-claims-intake", pace=2),
    _Day("0c6e92d7f4183ab5", 13, 7, priced=False, branch="try/foo"),
    _Day("d9485ce1702fb63a", 14, 10, name="last look", branch="fix/rounding"),
    _Day("f2a60b9d31c847e5", 14, 3, draft=HAIKU, simulated=True, name="demo"),
)
# Outcome, reason, class; what the draft, then the verify model did.
_STEPS = (
    (Outcome.DIRECT, Reason.FIRST_TURN, "main"),
    (Outcome.SKIPPED, Reason.AFTER_READ, "main"),
    (Outcome.SKIPPED, Reason.AFTER_READ, "main"),
    (Outcome.ACCEPTED, Reason.BRIEF, "main"),
    (Outcome.SKIPPED, Reason.AFTER_EDIT, "main"),
    (Outcome.ENHANCED, Reason.VERDICT, "main"),
    (Outcome.SKIPPED, Reason.AUXILIARY, "auxiliary"),
    (Outcome.DIRECT, Reason.AFTER_ERROR, "main"),
    (Outcome.SKIPPED, Reason.STRETCH, "main"),
)


def write_fortnight(path: Path) -> None:
    ledger = Ledger.open(path)
    for at, day in enumerate(_DAYS):
        ledger.start_session(_session(day))
        for step in range(day.turns):
            ledger.record(_turn(day, at, step))
    ledger.start_session(_session(_Day("a8103d5f96be27c4", 14, 0, branch="fix/rounding"), later=8 * HOUR))
    assert ledger.flush(10)
    ledger.close()


def _session(day: _Day, later: int = 0) -> SessionRecord:
    begun = next(one.day for one in _DAYS if one.session == day.session) if not later else day.day
    at = FIRST + begun * DAY + later
    made = session(day.session, started_at=at, name=day.name, simulated=day.simulated)
    return replace(made, client=day.client, directory=day.directory, git_branch=day.branch)


def _turn(day: _Day, at: int, step: int) -> TurnRecord:
    outcome, reason, request_class = _STEPS[step % len(_STEPS)]
    if day.draft is None:
        outcome, reason = Outcome.DIRECT, Reason.NO_DRAFT_MODEL
    if day.loss and step:
        outcome, reason = Outcome.DIRECT, Reason.GATE
    calls = _calls(day, outcome, reason, step)
    served = calls[-1] if outcome is not Outcome.ACCEPTED else calls[0]
    estimated = outcome in (Outcome.SKIPPED, Outcome.ACCEPTED)
    made = turn(
        *calls,
        id=f"{at:03x}{step:02x}e8c41d2e07b",
        session=day.session,
        at=FIRST + day.day * DAY + step * (47 * SECOND + step % 3 * MINUTE),
        outcome=outcome,
        reason=reason,
        estimated=estimated,
        baseline=None if not day.priced and step % 4 == 0 else (4 + step % 5) * CENT * day.pace,
        latency_ms=900.0 + 137 * step if estimated else 2400.0 + 211 * step,
        served_model=f"{served.provider}/{served.model}",
        ending="client-gone" if step == 13 else "complete",
    )
    return replace(
        made,
        request_class=request_class,
        baseline_bias=CENT / 20 if estimated else 0.0,
        draft_only=CENT // 4 if day.draft is not None else None,
        decision=_DECISION if made.id == EXPLAINED else None,
        signals={"request_class": request_class, "stream": True, "prompt_chars": 184_220, "media": False, "errors": 0},
    )


def _calls(day: _Day, outcome: Outcome, reason: Reason, step: int) -> list[CallRecord]:
    drafting = day.draft or FLASH
    usage = Usage(input=210, cache_read=58_000 + 900 * step, cache_write_5m=900, output=160 + 11 * step)
    draft = call(
        "draft",
        model=drafting,
        cost=(CENT // 5) * (12 if day.loss else 1),
        usage=usage,
        served=outcome in (Outcome.SKIPPED, Outcome.ACCEPTED),
        latency_ms=800.0 + 100 * step,
    )
    whole = call(
        "verify" if outcome is Outcome.ENHANCED else "direct",
        model=OPUS if day.priced or step % 3 else NOBODY,
        cost=(4 + step % 5) * CENT * day.pace if day.priced or step % 3 else None,
        usage=usage,
        latency_ms=2300.0 + 200 * step,
    )
    match outcome:
        case Outcome.SKIPPED:
            return [draft]
        case Outcome.ACCEPTED:
            return [draft, replace(call("verify", cost=CENT // 2 * day.pace, served=False), brief=True)]
        case Outcome.ENHANCED:
            return [draft, whole]
    return [draft, whole] if reason is Reason.GATE else [whole]
