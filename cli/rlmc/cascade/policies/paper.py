"""paper: the rules of the published system (RLM-Cascade, arXiv 2606.22840), literally.

A request with tools goes direct. Otherwise a complexity keyword, or a user text of 1,500 characters or more, makes it
complex: the draft is verified. The rest is simple: the draft is the answer.
"""

from __future__ import annotations

from rlmc.cascade.economics import Prospect
from rlmc.cascade.obedience import obeys
from rlmc.cascade.policies.policy import Policy, Route, keep_route
from rlmc.cascade.signals import Signals
from rlmc.domain.outcome import Reason


def route(_policy: Policy, signals: Signals, _prospect: Prospect) -> Route:
    if signals.has_tools:
        return Route("direct", Reason.TOOLS)
    return Route("verify", Reason.COMPLEX) if signals.complex else Route("skip", Reason.SIMPLE)


POLICY = Policy(
    name="paper",
    meaning="the published rules: tools direct, complex text verified, simple text drafted",
    route=route,
    after_draft=keep_route,
    obeys=obeys("paper"),
)
