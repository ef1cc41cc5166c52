"""Words that make a text look hard. The published system's table is not public; this one is ours, and docs/routing.md
lists it."""

from __future__ import annotations

import re

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
_FAILURE_WORDS = (
    *("traceback (most recent", "segmentation fault", "stack trace", "panicked at", "handled exception"),
    *("handled rejection", "deadlock", "race condition", "flaky", "regression", "memory leak"),
)
_FAILURE = re.compile(
    r"traceback \(most recent|\bsegmentation fault|\bstack trace|\bpanicked at|\b(?:un)?handled (?:exception|rejection)"
    r"|\bdeadlock|\brace condition|\bflaky|\bregression\b|\bmemory leak",
    re.IGNORECASE,
)
_APPROVAL = re.compile(
    r"(?:y|yes|yep|yeah|ok|okay|k|sure|go|on|ahead|do|it|proceed|continue|next|please|commit|push|ship|merge|looks|good"
    r"|lgtm|and|now|the|that|this|approved|perfect|great|thanks|thank|you|fine|right|correct)"
)
_APPROVAL_WORDS, _APPROVAL_CHARS = 5, 200
# What a user says stands at the beginning or the end of what is pasted with it. Megabytes of that are not searched:
# every turn of every session would wait for it.
_READ_CHARS = 50_000


def is_complex(text: str) -> bool:
    """The published rule: a keyword, or a long text."""
    return len(text) >= LONG_CHARS or (_holds(text, KEYWORDS) and _COMPLEX.search(text) is not None)


def looks_hard(text: str) -> bool:
    """A task that begins so is not for the draft model: it is about a failure that has to be understood. Length says
    nothing: long prompts are mostly plans, and a plan is easy to follow."""
    if len(text) > 2 * _READ_CHARS:
        text = text[:_READ_CHARS] + "\n" + text[-_READ_CHARS:]
    return _holds(text, _FAILURE_WORDS) and _FAILURE.search(text) is not None


def _holds(text: str, words: tuple[str, ...]) -> bool:
    """Whether any of the words stands in the text, in letters of any case: most hold none, and to find that out so is
    far cheaper than by an expression. The letters replaced are those that count as an "i" or an "s" there."""
    plain = text.lower()
    if not plain.isascii():
        plain = plain.replace("i\u0307", "i").replace("\u0131", "i").replace("\u017f", "s")
    return any(word in plain for word in words)


def is_approval(text: str) -> bool:
    """A few words that say no more than "go on": what they start is as hard as what they approve."""
    if len(text) > _APPROVAL_CHARS:
        return False
    words = re.findall(r"[^\W\d_]+", text.lower())  # of any script: "ok" before a task in Russian is none
    return 0 < len(words) <= _APPROVAL_WORDS and all(_APPROVAL.fullmatch(word) for word in words)
