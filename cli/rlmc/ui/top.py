"""One frame of `rlmc top`: the day, the outcomes, the sessions, the last turns, in as many lines as there are.

Rule: words and figures are those of `rlmc stats`. What does not fit is left out from the bottom.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import PurePath
from typing import Any, TextIO

from rlmc.domain.frozen import dataclass
from rlmc.domain.outcome import Outcome
from rlmc.ledger.period import local
from rlmc.ledger.quality import Known
from rlmc.ledger.queries import TurnRow
from rlmc.ledger.report import Account, SavingsReport, SessionAccount, Side
from rlmc.ui.console import paint
from rlmc.ui.listing import Column, lines
from rlmc.views import sentences
from rlmc.views.figures import amount, baseline, count, label, percent, saving, seconds, short, short_saving
from rlmc.views.history_data import account_of

_BAR = 24
_OUTCOMES = (
    Column("outcome"),
    Column("turns", right=True),
    Column("share", right=True),
    Column("of all", least=4),
    Column("p50", right=True),
    Column("p95", right=True),
)
_SESSIONS = (
    Column("session"),
    Column("client", least=6),
    Column("project", least=6),
    Column("policy", least=6),
    Column("turns", right=True),
    Column("paid", right=True),
    Column("saved", right=True),
)
_TURNS = (
    Column("time"),
    Column("outcome"),
    Column("reason", least=8),
    Column("model", least=8),
    Column("paid", right=True),
    Column("latency", right=True),
)
_ID = 8


@dataclass(frozen=True, slots=True)
class Facts:
    """What a frame shows. `daemon` is what it says of itself, None when none answers; `sessions` are those that live,
    or the one that was asked for; `turns` the last ones, newest first; `known` is what there is to say of quality."""

    what: str
    account: Account
    sessions: Sequence[SessionAccount]
    turns: Sequence[TurnRow]
    daemon: Mapping[str, Any] | None
    now: datetime
    trouble: str | None = None
    known: Known | None = None


def frame(facts: Facts, height: int, out: TextIO) -> list[str]:
    report = facts.account.total
    found = [*_head(facts, out), "", *_money(report, facts, out)]
    if report.turns:
        found += ["", *_outcomes(report, out), "", _care(report)]
    for part in (_sessions(facts, out), _turns(facts, out)):
        room = height - len(found) - 1
        if part and room > 1:
            found += ["", *part[:room]]
    return found[:height]


def _head(facts: Facts, out: TextIO) -> list[str]:
    title = paint(f"rlmc top: {facts.what}", "bold", out)
    clock = f"{facts.now:%H:%M:%S}"
    if facts.daemon is None:
        return [f"{title}  {clock}", "The daemon is not running; this is the ledger. `rlmc run` starts it."]
    verify = str(facts.daemon.get("verify_model")).replace("as-requested", "as requested")
    alive = count(int(facts.daemon.get("sessions_alive") or 0), "session")
    models = f"draft {facts.daemon.get('draft_model') or 'none'}, verify {verify}"
    found = [
        f"{title}  {clock}  {alive} alive",
        label(f"policy {facts.daemon.get('policy')}, {models}"),
        *(label(f"who sees: {line}") for line in facts.daemon.get("who_sees") or ()),
    ]
    errors = [facts.trouble, *(facts.daemon.get(key) for key in ("last_error", "config_error", "ledger_error"))]
    return [*found, *(paint(label(str(one)), "yellow", out) for one in errors if one)]


def _money(report: SavingsReport, facts: Facts, out: TextIO) -> list[str]:
    if not report.turns:
        return ["No turns yet. Put `rlmc run --` in front of your coding agent."]
    found = [
        paint(saving(report.saving, report.share), "bold", out)
        + f"   paid {amount(report.paid)}   baseline {baseline(report)}",
        paint(sentences.estimates(report), "dim", out),
    ]
    quality = sentences.quality(report, facts.known)
    if quality is not None:
        found.append(paint(f"quality: {quality}", "dim", out))
    if report.simulated:
        found.append("Simulated models, simulated prices.")
    budgets = [] if facts.daemon is None else facts.daemon.get("budgets") or []
    return [*found, *(f"{one['setting']}: {one['words']}" for one in budgets)]


def _outcomes(report: SavingsReport, out: TextIO) -> list[str]:
    rows = []
    for outcome in Outcome:
        turns = report.outcomes[outcome.value]
        times = report.latency_by_outcome.get(outcome.value)
        share = turns / report.turns
        spent = ("-", "-") if times is None else tuple(_time(times.percentile(p)) for p in (50, 95))
        rows.append([outcome.value, f"{turns:,}", percent(share), "#" * round(share * _BAR), *spent])
    alone = report.baseline_latency
    if report.drafted_turns and alone.count:
        rows.append(["baseline (est.)", "", "", "", _time(alone.p50), _time(alone.p95)])
    return lines(_OUTCOMES, rows, out)


def _care(report: SavingsReport) -> str:
    parts = [f"cache read: draft {_read(report.draft)}, verify {_read(report.verify)}"]
    if report.wasted.calls:
        parts.append(f"{count(report.wasted.calls, 'draft')} not used, {amount(report.wasted.paid)}")
    return " · ".join(parts)


def _sessions(facts: Facts, out: TextIO) -> list[str]:
    rows = [
        [
            one.session.id[:_ID],
            one.session.name or one.session.client,
            PurePath(one.session.directory or "").name,
            one.session.policy,
            f"{one.report.turns:,}",
            short(one.report.paid),
            short_saving(one.report.saving),
        ]
        for one in facts.sessions
    ]
    return lines(_SESSIONS, rows, out) if rows else []


def _turns(facts: Facts, out: TextIO) -> list[str]:
    rows = [
        [
            f"{local(turn.started_at):%H:%M:%S}",
            turn.outcome,
            turn.reason,
            turn.served_model.partition("/")[2] or turn.served_model,
            short(account_of(turn).paid),
            seconds(turn.latency_ms),
        ]
        for turn in facts.turns
    ]
    return lines(_TURNS, rows, out) if rows else []


def _read(side: Side) -> str:
    return "-" if side.read_share is None else percent(side.read_share)


def _time(milliseconds: float | None) -> str:
    return "-" if milliseconds is None else seconds(milliseconds)
