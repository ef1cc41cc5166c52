"""Why a turn went as it did, for people: what was seen, what was expected, what came of it.

Rule: as wide as the terminal up to 120 columns, 80 in a pipe. No word of a prompt or an answer: there is none in what
is shown here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TextIO

from rlmc.domain.outcome import Outcome, Reason
from rlmc.ledger.details import CallDetail, TurnDetail
from rlmc.ledger.queries import CallRow, TurnRow
from rlmc.ui.listing import Cell, Column, Toned, lines
from rlmc.ui.palette import of_outcome, of_saving
from rlmc.ui.rows import named_lines, section, sentence_lines
from rlmc.views import sentences
from rlmc.views.after import regret_words
from rlmc.views.audit import audit_rows
from rlmc.views.figures import amount, baseline, count, label, money, percent, saving, seconds
from rlmc.views.history_data import account_of
from rlmc.views.kept_decision import EXPECTED_COSTS, CacheState, KeptDecision, kept_decision
from rlmc.views.reasons import sentence

_OUTCOMES: Mapping[str, str] = {
    Outcome.SKIPPED: "the draft is the answer",
    Outcome.ACCEPTED: "the verify model let the draft stand",
    Outcome.ENHANCED: "the verify model saw the draft and took its own step",
    Outcome.DIRECT: "the verify model answered alone",
}
_VERDICTS = {
    "accept": "the verify model would do just that",
    "act": "the verify model took its own step instead",
    "none": "nothing that could be used",
}
_LIFETIMES = {"5m": "five minutes", "1h": "an hour"}
_TOKENS: Sequence[tuple[str, Callable[[CallRow], int]]] = (
    ("input", lambda call: call.input),
    ("read", lambda call: call.cache_read),
    ("write", lambda call: call.cache_write_5m),
    ("write 1h", lambda call: call.cache_write_1h),
    ("output", lambda call: call.output),
    ("thinking", lambda call: call.thinking),
)

Rows = list[tuple[str, Cell]]


def explanation_lines(detail: TurnDetail, out: TextIO) -> list[str]:
    kept = kept_decision(detail)
    found = named_lines(_head(detail), out)
    found += section("What was seen", _signals(detail, out), out)
    if kept is None:
        found += section("What was expected", sentence_lines(_undecided(detail), out), out)
    else:
        found += section("What was expected", _expected(kept, out), out)
    found += section("The draft", named_lines(_draft(detail, kept), out), out)
    audit = audit_rows(detail, kept)
    if audit:
        found += section("What audits had taught, and its own", named_lines(audit, out), out)
    found += section("The calls", _calls(detail.calls, out), out)
    found += section("What it came to", named_lines(_account(detail), out), out)
    return found


# --- the parts ------------------------------------------------------------------------------------------------------


def _head(detail: TurnDetail) -> Rows:
    turn = detail.turn
    about = ", ".join(label(part) for part in (turn.client, turn.session_name) if part)
    request = [label(turn.request_class), f"for {label(detail.requested_model)}", f"policy {_policy(detail)}"]
    answer = f"{label(turn.served_model)} in {seconds(turn.latency_ms)}" if turn.served_model else "nobody"
    if turn.ending != "complete":
        answer += f"; it did not come to a proper end ({label(turn.ending)})"
    if turn.simulated:
        answer += "; simulated models, simulated prices"
    return [
        ("session", f"{label(turn.session)} ({about})" if about else label(turn.session)),
        ("request", ", ".join(request)),
        ("outcome", Toned(f"{label(turn.outcome)}: {_outcome(turn)}", of_outcome(turn.outcome))),
        ("reason", f"{label(turn.reason)}: {sentence(turn.reason)}"),
        ("answered", answer),
        *(("afterwards", regret_words(kind)) for kind in detail.regrets),
    ]


def _policy(detail: TurnDetail) -> str:
    kept = kept_decision(detail)
    if kept is None or kept.degraded is None:
        return label(detail.policy)
    passed = kept.degraded
    return f"{label(detail.policy)} instead of {label(passed.policy)}, because {label(passed.setting)} was passed"


def _outcome(turn: TurnRow) -> str:
    if turn.reason == Reason.BUDGET:
        return "no model was asked"
    return _OUTCOMES.get(turn.outcome, "this version does not know it")


def _signals(detail: TurnDetail, out: TextIO) -> list[str]:
    """What holds first; the rest by name only."""
    if detail.turn.reason == Reason.BUDGET:
        return ["Nothing: the turn was not looked at."]
    if not detail.signals:
        return ["Nothing: the request could not be read."]
    held = [_signal(name, value) for name, value in detail.signals.items() if value]
    absent = [name.replace("_", " ") for name, value in detail.signals.items() if not value]
    named = (("yes", held), ("no", absent))
    return named_lines([(name, " · ".join(label(text) for text in texts)) for name, texts in named if texts], out)


def _signal(name: str, value: object) -> str:
    name = name.replace("_", " ")
    if value is True:
        return name
    return f"{name} {value:,}" if isinstance(value, int) else f"{name} {value}"


def _undecided(detail: TurnDetail) -> str:
    if detail.turn.reason == Reason.BUDGET:
        return "Nothing was decided: the request was not passed on."
    if not detail.signals:
        return "Nothing was decided: the request was passed on as it came."
    return "No decision is in the ledger: the turn is older than the version of rlmc that keeps it."


def _expected(kept: KeptDecision, out: TextIO) -> list[str]:
    rows: Rows = []
    found = _costs(kept, out)
    brief, accepted = kept.amount("brief"), kept.number("accept_brief")
    if brief and accepted is not None:
        rows.append(("check", f"on a compact context {money(brief)}, accepted with {percent(accepted)}"))
    output = kept.number("output")
    if output is not None:
        rows.append(("answer", f"usually {count(round(output), 'token')} of the verify model"))
    for name, state in (("verify", kept.verify), ("draft", kept.draft)):
        if state is not None:
            rows.append(("caches" if name == "verify" else "", f"{name} model: {_cache(state)}"))
    if kept.marker is not None and kept.marker.added:
        lifetime = _LIFETIMES.get(kept.marker.lifetime, label(kept.marker.lifetime))
        rows.append(("marker", f"a cache marker of {lifetime} was added at block {kept.marker.block}"))
    return [*found, *named_lines(rows, out)]


def _costs(kept: KeptDecision, out: TextIO) -> list[str]:
    """The three ways side by side, and what the figures are made of."""
    if kept.amount("direct") is None:
        why = "the price of a model is not known" if kept.priced else "the price table was not loaded yet"
        return sentence_lines(f"No costs: {why}.", out)
    if kept.amount("skipped") is None:
        why = "there is no draft model, or its price is not known"
        found = sentence_lines(f"No draft could be reckoned with: {why}.", out)
        return [*found, *named_lines([("direct", _picodollars(kept.amount("direct")))], out)]
    draft, debt, credit = (_picodollars(kept.amount(name)) for name in ("draft", "debt", "credit"))
    waste, accept = (_chance(kept.number(name)) for name in ("waste", "accept"))
    rows = [
        ["cost", *(_picodollars(kept.amount(name)) for name in EXPECTED_COSTS)],
        ["draft: asking for it", "-", draft, draft],
        ["credit: what this spares it later", "-", credit, credit],
        ["debt: what the verify model pays later", "-", debt, "-"],
        ["chance that the draft is for nothing", "-", waste, "-"],
        ["chance that it is accepted", "-", "-", accept],
    ]
    columns = [Column("expected"), *(Column(name, right=True) for name in EXPECTED_COSTS)]
    return [*lines(columns, rows, out), ""]


def _cache(state: CacheState) -> str:
    if not state.warm:
        return f"none of {count(state.prompt, 'prompt token')} warm"
    left = "" if state.left_s is None else f", {state.left_s:,.0f} s left"
    return f"{state.warm:,} of {count(state.prompt, 'prompt token')} warm{left}"


def _draft(detail: TurnDetail, kept: KeptDecision | None) -> Rows:
    asked = any(call.call.role == "draft" for call in detail.calls)
    rows: Rows = []
    seen = None if kept is None else kept.seen
    if seen is not None:
        tool = f" (the riskiest: {label(seen.tool)})" if seen.tool else ""
        calls = f"{count(seen.calls, 'call')}{tool}" if seen.calls else "no calls"
        size = f"{count(seen.chars, 'character')}, {count(seen.output, 'token')}"
        rows += [("is", f"{calls}, {size}"), ("effect", label(seen.effect) if seen.effect else "none: it is text")]
        rows.append(("gate", ", ".join(label(one) for one in seen.findings) or "nothing to object"))
    elif not asked:
        rows.append(("is", "none was asked for"))
    elif detail.turn.outcome == Outcome.SKIPPED and kept is not None:
        rows.append(("is", "streamed to the client while it was written"))
    else:
        rows.append(("is", "nothing is known of it"))
    rows += [("objection" if not at else "", label(one)) for at, one in enumerate(detail.findings)]
    if kept is not None and kept.brief_accepts is not None:
        rows.append(("check", f"on a compact context: {'accepted' if kept.brief_accepts else 'not accepted'}"))
    if kept is not None and kept.verdict is not None:
        rows.append(("verdict", _VERDICTS[kept.verdict]))
    return rows


def _calls(calls: Sequence[CallDetail], out: TextIO) -> list[str]:
    if not calls:
        return ["None."]
    shown = [(name, of) for name, of in _TOKENS if any(of(call.call) for call in calls)]
    columns = [
        Column("role"),
        Column("model", least=8),
        *(Column(name, right=True) for name, _ in shown),
        Column("cost", right=True),
        Column("time", right=True),
        Column("end"),
    ]
    return lines(columns, [_call(detail, [of for _, of in shown]) for detail in calls], out)


def _call(detail: CallDetail, shown: Sequence[Callable[[CallRow], int]]) -> list[str]:
    call = detail.call
    sign = "~" if call.estimated else ""
    return [
        f"{call.role} (brief)" if call.brief else call.role,
        call.model,
        *(f"{sign}{of(call):,}" if call.measured else "?" for of in shown),
        _picodollars(call.cost),
        seconds(call.latency_ms),
        detail.error or detail.stop_reason or (str(detail.status) if detail.status is not None else ""),
    ]


def _account(detail: TurnDetail) -> Rows:
    turn, report = detail.turn, account_of(detail.turn)
    how = "estimated" if turn.baseline_estimated else "measured"
    rows: Rows = [
        ("paid", amount(report.paid)),
        ("baseline", f"{baseline(report)} ({how})" if turn.baseline is not None else "unknown"),
        ("saving", Toned(saving(report.saving, report.share), of_saving(report.saving))),
    ]
    alone = sentences.draft_alone(report)
    if alone is not None:
        rows.append(("draft only", alone))
    rows.append(("", "A saving belongs to a whole session: what a skipped turn saves, the next one may pay in part."))
    return rows


# --- cells and lines ------------------------------------------------------------------------------------------------


def _picodollars(value: int | None) -> str:
    return "?" if value is None else money(value)


def _chance(value: float | None) -> str:
    return "?" if value is None else percent(value)
