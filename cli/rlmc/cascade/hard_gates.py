"""Reasons why a turn goes direct in every policy, before any model is asked."""

from __future__ import annotations

from rlmc.cascade.signals import Signals
from rlmc.domain.outcome import Reason
from rlmc.domain.turn import Turn

# A request uses at least this many characters a token in any tokenizer met; a cautious figure for window checks.
_CHARS_PER_TOKEN = 2.5


def hard_gate(turn: Turn, signals: Signals) -> Reason | None:
    """The first reason that forbids a draft on this turn, or None. Safety before convenience."""
    if signals.classifier:
        return Reason.CLASSIFIER
    if signals.safeguards and not turn.auto_mode_local:
        return Reason.SAFEGUARDS
    if signals.thinking == "enabled" and not signals.auxiliary:
        return Reason.MANUAL_THINKING
    if turn.refuses_foreign_calls and signals.has_tools:
        return Reason.MANUAL_THINKING
    if signals.prewarm:
        return Reason.PREWARM
    if signals.forced_tool:
        return Reason.FORCED_TOOL
    if signals.compaction:
        return Reason.COMPACTION
    if signals.opaque or signals.server_tools:
        return Reason.SERVER_TOOLS
    if turn.draft_block is not None:
        return turn.draft_block
    if turn.draft is None:
        return Reason.NO_DRAFT_MODEL
    if turn.draft == turn.verify:
        return Reason.SAME_MODEL
    if signals.media and not turn.draft_abilities.media:
        return Reason.MEDIA
    if signals.prompt_chars / _CHARS_PER_TOKEN > turn.draft_abilities.context:
        return Reason.TOO_LONG
    return None


def verifiable(turn: Turn, signals: Signals, appended_chars: int) -> bool:
    """Whether the verify model can be shown a draft without breaking the conversation, its cache or a promise."""
    return (
        turn.own_calls
        and not signals.last_is_system
        and not signals.output_format
        and not signals.safeguards
        and not signals.forced_tool
        and (signals.prompt_chars + appended_chars) / _CHARS_PER_TOKEN <= turn.verify_context
        and not _drops_earlier_thinking(turn.verify.name)
    )


def _drops_earlier_thinking(model: str) -> bool:
    """Claude models that forget the thinking of earlier turns: a text appended to the request would end the open tool
    round in their eyes and rebuild the cache from there."""
    old = ("claude-3", "claude-opus-4-1", "claude-opus-4-2", "claude-opus-4@", "claude-sonnet-4-2", "claude-sonnet-4-5")
    return model.startswith((*old, "claude-haiku-4"))
