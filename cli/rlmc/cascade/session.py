"""What the cascade remembers of a conversation between turns. Small, bounded, and replaced rather than changed."""

from __future__ import annotations

from dataclasses import dataclass, replace

from rlmc.domain.chat import Usage
from rlmc.domain.turn import Turn

DEFAULT_TOKENS_PER_CHAR = 1 / 3.4


@dataclass(frozen=True, slots=True)
class SessionState:
    """`prompt_id` is the user prompt last seen. `tokens_per_char` and `prompt_tokens` are the verify model's, learnt
    from its newest answer; they feed the estimate a client's context meter lives on."""

    prompt_id: str | None = None
    tokens_per_char: float = DEFAULT_TOKENS_PER_CHAR
    prompt_tokens: int = 0


def after_turn(state: SessionState, turn: Turn, verify_usage: Usage | None, extra_chars: int = 0) -> SessionState:
    """The state once a turn is over. `verify_usage` is the verify model's, if it was called, on a prompt that was
    `extra_chars` longer than the client's."""
    state = replace(state, prompt_id=turn.hints.prompt_id or state.prompt_id)
    chars = turn.request.chars + extra_chars
    if verify_usage is not None and verify_usage.prompt > 0 and chars > 0:
        ratio = min(2.0, max(0.05, verify_usage.prompt / chars))
        return replace(state, tokens_per_char=ratio, prompt_tokens=verify_usage.prompt)
    return replace(state, prompt_tokens=max(state.prompt_tokens, verify_prompt_tokens(state, turn)))


def verify_prompt_tokens(state: SessionState, turn: Turn) -> int:
    """How many tokens the verify model would have read on this turn; an estimate."""
    return max(1, round(turn.request.chars * state.tokens_per_char))


def usage_for_client(state: SessionState, turn: Turn, output_tokens: int) -> Usage:
    """The usage a drafted answer reports: the verify model's tokens, estimated, so that context meters stay right."""
    prompt = verify_prompt_tokens(state, turn)
    warm = min(prompt, state.prompt_tokens)
    return Usage(input=prompt - warm, cache_read=warm, output=output_tokens)
