"""balanced (the default): drafts wherever a draft is expected to pay and may be served, the verify model elsewhere.

Direct: the first turn of a task, turns after an error, with new images, and anything that is neither a side call nor a
step in the middle of a task; unsafe calls always. The expected costs of skipping and of going direct decide the rest,
both caches included; where a price is unknown, only turns after reads, searches and planning are drafted. A long text
draft is shown to the verify model: on the whole prompt while its cache is warm, or on a compact context, whichever is
expected to cost less; where neither beats a direct turn, it goes direct.
"""

from __future__ import annotations

from rlmc.cascade.economics import Prospect
from rlmc.cascade.policies.policy import READS, WITH_EDITS, Policy, Route
from rlmc.cascade.seen import Drafted
from rlmc.cascade.signals import Signals
from rlmc.domain.outcome import Reason

LONG_DRAFT_CHARS = 1_500


def route(policy: Policy, signals: Signals, prospect: Prospect) -> Route:
    if signals.auxiliary:
        return Route("skip", Reason.AUXILIARY)
    opens = signals.first_turn if policy.first_turns == "task" else signals.first_in_session
    if opens and policy.first_turns != "none":
        return Route("direct", Reason.FIRST_TURN)
    if signals.media_now:
        return Route("direct", Reason.MEDIA)
    if signals.errors and policy.error_gate:
        return Route("direct", Reason.AFTER_ERROR)
    if not signals.has_tools or (signals.follows != "tool-results" and not signals.first_turn):
        return Route("direct", Reason.UNSURE)
    after_read = signals.previous_effect in READS
    if not prospect.known:
        return Route("skip", Reason.AFTER_READ) if after_read else Route("direct", Reason.UNSURE)
    if not prospect.pays:
        return Route("direct", Reason.UNPROFITABLE)
    return Route("skip", Reason.AFTER_READ if after_read else Reason.AFTER_EDIT)


def after_draft(_policy: Policy, signals: Signals, draft: Drafted, prospect: Prospect, route: Route) -> Route:
    if signals.auxiliary or draft.calls:
        return route
    return check(Reason.LONG_DRAFT, draft, prospect) if draft.chars >= LONG_DRAFT_CHARS else route


def check(reason: Reason, draft: Drafted, prospect: Prospect) -> Route:
    """The cheapest way to have a draft looked at. On an unknown price, the whole prompt: it is the surer look."""
    whole = prospect.verification(draft.output) if prospect.warm else None
    brief, direct = prospect.brief_verification(draft.output), prospect.answering(draft.output)
    if brief is None or direct is None:
        return Route("verify", reason)
    if whole is not None and whole <= min(brief, direct):
        return Route("verify", reason)
    return Route("brief", reason) if brief < direct else Route("direct", Reason.UNPROFITABLE)


POLICY = Policy(
    name="balanced",
    meaning="drafts where they are expected to pay; first turns, errors and unsafe calls direct; long texts verified",
    route=route,
    after_draft=after_draft,
    releases=WITH_EDITS,
    version=2,
)
