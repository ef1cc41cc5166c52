"""paper: the rules of the published system (RLM-Cascade, arXiv 2606.22840), literally.

A request with tools goes direct. Otherwise a complexity keyword, or a user text of 1,500 characters or more, makes it
complex: the draft is verified. The rest is simple: the draft is the answer. The published keyword table is not public;
this one is ours, and docs/routing.md lists it.
"""

from __future__ import annotations

import re

from rlmc.cascade.policies.policy import Policy, Route, keep_route
from rlmc.cascade.signals import Signals
from rlmc.domain.turn import Reason

LONG_CHARS = 1_500

KEYWORDS: tuple[str, ...] = (
    "algorithm",
    "analyse",
    "analyze",
    "architecture",
    "benchmark",
    "bug",
    "compare",
    "complexity",
    "concurrency",
    "debug",
    "derive",
    "design",
    "edge case",
    "implement",
    "integral",
    "migrate",
    "optimise",
    "optimize",
    "performance",
    "proof",
    "prove",
    "race condition",
    "refactor",
    "root cause",
    "security",
    "step by step",
    "theorem",
    "trade-off",
    "vulnerability",
)
_COMPLEX = re.compile(r"\b(?:" + "|".join(re.escape(k) for k in KEYWORDS) + r")", re.IGNORECASE)


def route(signals: Signals) -> Route:
    if signals.has_tools:
        return Route("direct", Reason.TOOLS)
    if len(signals.user_text) >= LONG_CHARS or _COMPLEX.search(signals.user_text):
        return Route("verify", Reason.COMPLEX)
    return Route("skip", Reason.SIMPLE)


POLICY = Policy(
    name="paper",
    meaning="the published rules: tools direct, complex text verified, simple text drafted",
    route=route,
    after_draft=keep_route,
)
