"""balanced (the default): drafts where they are known to do, the verify model wherever there is doubt.

Drafted: side calls of the client, and turns that follow reads, searches and planning. Direct: the first turn of a task,
turns after an error, after edits or shell, with new images, and anything unsure. A long text draft, and one that ends a
task of several tool calls, is shown to the verify model.
"""

from __future__ import annotations

from rlmc.cascade.effects import RELEASED
from rlmc.cascade.policies.policy import Policy, Route
from rlmc.cascade.signals import Signals
from rlmc.domain.chat import Completion
from rlmc.domain.turn import Reason

LONG_DRAFT_CHARS = 1_500
TERMINAL_RESULTS = 3


def route(signals: Signals) -> Route:
    if signals.auxiliary:
        return Route("skip", Reason.AUXILIARY)
    if signals.first_turn:
        return Route("direct", Reason.FIRST_TURN)
    if signals.media_now:
        return Route("direct", Reason.MEDIA)
    if signals.errors:
        return Route("direct", Reason.AFTER_ERROR)
    if signals.follows != "tool-results" or not signals.has_tools:
        return Route("direct", Reason.UNSURE)
    if signals.previous_effect in RELEASED:
        return Route("skip", Reason.AFTER_READ)
    return Route("direct", Reason.AFTER_EDIT)


def after_draft(signals: Signals, draft: Completion, route: Route) -> Route:
    if signals.auxiliary or draft.tool_calls:
        return route
    if len(draft.text) >= LONG_DRAFT_CHARS:
        return Route("verify", Reason.LONG_DRAFT)
    if signals.tool_results >= TERMINAL_RESULTS:
        return Route("verify", Reason.TERMINAL)
    return route


POLICY = Policy(
    name="balanced",
    meaning="drafts after reads, searches and plans; everything else direct; long drafts verified",
    route=route,
    after_draft=after_draft,
)
