"""What each reason of a turn means, in a sentence: the short form of docs/routing.md.

Rule: every reason is here. The words stand behind "because" as well as by themselves.
"""

from __future__ import annotations

from collections.abc import Mapping

from rlmc.domain.outcome import Reason

SENTENCES: Mapping[Reason, str] = {
    Reason.POLICY: "the policy sends every turn this way",
    Reason.AUXILIARY: "it is a side call of the client, such as a title or a summary",
    Reason.AFTER_READ: "the turn follows reads, searches, planning or harmless commands",
    Reason.AFTER_EDIT: "the turn follows edits or commands, and a draft was expected to pay",
    Reason.STRETCH: "the task stays with the draft model for a stretch",
    Reason.SIMPLE: "nothing in the user's text looks complex",
    Reason.COMPLEX: "the user's text is long or holds a keyword of complexity",
    Reason.TOOLS: "the request carries tools",
    Reason.LONG_DRAFT: "a long text draft is shown to the verify model",
    Reason.TERMINAL: "a draft that ends a task is shown to the verify model",
    Reason.FIRST_TURN: "the verify model takes the first turn",
    Reason.AFTER_ERROR: "a tool just failed",
    Reason.HARD_TASK: "the task that begins here looks hard",
    Reason.UNPROFITABLE: "a draft was expected to cost more than it would save",
    Reason.UNSURE: "it is neither a side call nor a step in the middle of a task",
    Reason.REGRESSION: "a draft was expected to save less than its risk of being worse is worth",
    Reason.QUALITY_STOP: "several audited drafts in a row were materially worse, and nobody has looked yet",
    Reason.SAFEGUARDS: "the client asks the server to judge tool calls, as in Claude Code's auto mode",
    Reason.CLASSIFIER: "it is a safety classifier's call, or a side call that looks like one",
    Reason.MANUAL_THINKING: "the next turn would need reasoning that only the verify model can give",
    Reason.MEDIA: "there are images or documents that the draft model cannot read, or new ones",
    Reason.COMPACTION: "the client compacts its history",
    Reason.FORCED_TOOL: "the request forces a tool call",
    Reason.SERVER_TOOLS: "there are tools that run at the provider, blocks that only it can read, or answers it keeps",
    Reason.PREWARM: "the client only warms a cache",
    Reason.TOO_LONG: "the prompt does not fit the draft model's window",
    Reason.SAME_MODEL: "the draft model and the verify model are the same",
    Reason.NO_DRAFT_MODEL: "there is no draft model to ask",
    Reason.NO_DRAFT_KEY: "there is no key for the draft model",
    Reason.DRAFT_PAUSED: "the draft model failed several times in a row, and is left alone for a while",
    Reason.LOGIN: "a subscription login is never used for calls of rlmc's own",
    Reason.BUDGET: "a budget was passed and `budget.action` is stop, so no model was asked",
    Reason.UNREADABLE: "the request has a shape that this version does not know",
    Reason.UNDECIDED: "the client hung up before there was an answer",
    Reason.INTERNAL: "rlmc itself failed; `rlmc logs` says how",
    Reason.DRAFT_FAILED: "the draft failed or was too slow",
    Reason.GATE: "the draft was refused by the gate, or holds a call that a draft may not make",
    Reason.NO_VERDICT: "the verify model gave no usable verdict",
    Reason.VERDICT: "the verify model saw the draft and decided",
    Reason.BRIEF: "the verify model accepted the draft on a compact context",
    Reason.BRIEF_REFUSED: "the verify model did not accept the draft on a compact context, or could not be asked so",
    Reason.NOT_VERIFIABLE: "a verification would have broken the conversation or its cache",
}


def sentence(reason: str) -> str:
    """The one for a reason as it stands in the ledger, where a newer version may have written another."""
    known = next((text for one, text in SENTENCES.items() if one.value == reason), None)
    return known or "this version does not know the reason"
