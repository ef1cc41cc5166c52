"""What audits had taught when a turn was decided, each threshold with what was held against it; and its own audit.

Rule: a kind of draft is told only where a draft was asked for or kept from it by its risk.
"""

from __future__ import annotations

from rlmc.cascade.bucket import SIDE
from rlmc.domain.money import Picodollars
from rlmc.domain.outcome import Reason
from rlmc.ledger.details import AuditDetail, TurnDetail
from rlmc.ledger.report import is_served
from rlmc.quality.standing import MINOR
from rlmc.views.figures import exact_percent, label, money, upper
from rlmc.views.kept_decision import KeptController, KeptDecision, KeptWatch
from rlmc.views.reasons import sentence
from rlmc.views.stats_data import Data, money_data

Rows = list[tuple[str, str]]
_UNWATCHED = "none: this turn could not be audited, or not by the version it ran with"


def audit_rows(detail: TurnDetail, kept: KeptDecision | None) -> Rows:
    """A name and what there is to say; nothing where there is nothing."""
    controller = None if kept is None else kept.controller
    if kept is None or controller is None:
        if detail.coin is not None:
            return [("audit", _audit(detail)), *_planted(detail)]
        if not is_served(detail.turn.outcome, detail.turn.reason):
            return []
        return [("audit", _UNWATCHED)]
    watch = controller.watch
    found = _closed(controller) if watch is None else [("target", _target(watch)), *_closed(controller)]
    if _drafted(detail):
        found += _threshold(controller, kept.amount("direct"))
    if watch is None:
        return [*found, *_shut(controller), ("audit", _UNWATCHED)]
    return [*found, *_kinds(controller), ("coin", _coin(watch)), ("audit", _audit(detail)), *_planted(detail)]


def threshold(controller: KeptController, direct: Picodollars | None) -> Picodollars | None:
    """What a draft of this kind had to save at least; `direct` is what the turn itself was expected to cost."""
    return controller.caution.threshold(controller.bucket or "", direct)


def _drafted(detail: TurnDetail) -> bool:
    return any(call.call.role == "draft" for call in detail.calls) or detail.turn.reason == Reason.REGRESSION


def _target(watch: KeptWatch) -> str:
    return f"at most {exact_percent(watch.target)} of all turns worse, with {exact_percent(watch.confidence)}"


def _closed(controller: KeptController) -> Rows:
    if not controller.obeys:
        return [("policy", "goes by fixed rules: what audits teach only watches it")]
    closed = controller.caution.closed
    return [] if closed is None else [("closed", f"no draft was to be served: {sentence(closed)}")]


def _threshold(controller: KeptController, direct: Picodollars | None) -> Rows:
    caution, bucket = controller.caution, controller.bucket or ""
    usual = caution.usual_cost
    price = f"one regression is held for {caution.price:,.1f} usual direct turns"
    if usual is None:
        price += "; what such a turn costs was not known yet"
    else:
        price += f" of {money(usual)}, {money(round(caution.price * usual))}"
    found = [("kind", f"{label(bucket)}, expected loss {upper(caution.risk(bucket))}"), ("price", price)]
    if bucket in caution.shut:
        why = "a calibration did not open it, or its drafts were regretted far more often than answers of its own"
        found.append(("shut", f"drafts of this kind are not served: {why}"))
    least = threshold(controller, direct)
    if least is None:
        return [*found, ("threshold", "none: what it is reckoned from was not known")]
    of = "price times expected loss" + (", here of what the turn itself costs" if bucket == SIDE else "")
    gain = controller.gain
    if gain is None:
        saved = "what the draft would save was not known, which does not keep it from being served"
    else:
        saved = f"the draft was expected to save {money(gain)}, {'enough' if gain >= least else 'too little'}"
    return [*found, ("threshold", f"{money(least)} ({of}); {saved}")]


def _kinds(controller: KeptController) -> Rows:
    caution = controller.caution
    known = [f"{label(name)} {upper(risk)}" for name, risk in sorted(caution.risks.items())]
    found = [("losses", ", ".join([*known, f"any {'other ' if known else ''}kind {upper(caution.usual_risk)}"]))]
    return [*found, *_shut(controller)]


def _shut(controller: KeptController) -> Rows:
    shut = ", ".join(label(name) for name in sorted(controller.caution.shut))
    return [("shut kinds", shut)] if shut else []


def _coin(watch: KeptWatch) -> str:
    return (
        f"{watch.coin:.4f}: an audit where it is below {watch.probability:g}, "
        f"which is never less than {watch.least:g} here"
    )


def _audit(detail: TurnDetail) -> str:
    audit = detail.audit
    if audit is None:
        return "none: no draft was the answer unchecked" if detail.coin is None else "not drawn"
    return f"drawn; {_ending(audit)}"


def _ending(audit: AuditDetail) -> str:
    if audit.loss is None:
        if audit.lost:
            return "lost with a daemon that ended, which counts as a loss of 1"
        return "still under way, which counts as a loss of 1 until it ends"
    if audit.how == "failed":
        return "no verdict was to be had, which counts as a loss of 1"
    if audit.how == "same":
        return "both answers come to the same, loss 0"
    if not audit.loss:
        worse = "no worse"
    elif audit.loss >= 1:
        worse = "materially worse"
    else:
        worse = "a little worse" if audit.loss <= MINOR else "worse, and not the same in both orders"
    return f"the judge found the draft {worse}, loss {audit.loss:g}"


def _planted(detail: TurnDetail) -> Rows:
    audit = detail.audit
    if audit is None or not audit.planted:
        return []
    return [("judge", f"was shown a planted fault beside it, and {'found' if audit.caught else 'missed'} it")]


# --- as data --------------------------------------------------------------------------------------------------------


def controller_data(controller: KeptController, direct: Picodollars | None) -> Data:
    caution, watch = controller.caution, controller.watch
    return {
        "epoch": None if watch is None else watch.epoch,
        "target": None if watch is None else watch.target,
        "confidence": None if watch is None else watch.confidence,
        "least_probability": None if watch is None else watch.least,
        "probability": None if watch is None else watch.probability,
        "coin": None if watch is None else watch.coin,
        "obeys": controller.obeys,
        "kind": controller.bucket,
        "expected_loss": caution.risk(controller.bucket or ""),
        "gain": money_data(controller.gain),
        "threshold": money_data(threshold(controller, direct)),
        "price": caution.price,
        "usual_cost": money_data(caution.usual_cost),
        "expected_losses": dict(sorted(caution.risks.items())),
        "usual_expected_loss": caution.usual_risk,
        "shut": sorted(caution.shut),
        "closed": None if caution.closed is None else caution.closed.value,
    }


def audit_data(detail: TurnDetail) -> Data:
    audit = detail.audit
    return {
        "possible": detail.coin is not None,
        "drawn": audit is not None,
        "ended": audit is not None and audit.loss is not None,
        "lost": audit is not None and audit.lost,
        "loss": None if audit is None else audit.loss,
        "how": None if audit is None else audit.how,
        "planted": audit is not None and audit.planted,
        "caught": audit.caught if audit is not None and audit.planted else None,
    }
