"""One finished turn, as far as the books need it: enough to replay a session from its ledger, without content."""

from __future__ import annotations

from rlmc.domain.chat import Usage
from rlmc.domain.frozen import dataclass
from rlmc.domain.outcome import Outcome
from rlmc.domain.outline import Outline
from rlmc.domain.turn import Model


@dataclass(frozen=True, slots=True)
class TurnFacts:
    """`at` is the start of the request in unix microseconds, `outline` its prompt as it was sent.

    `verify_calls` are the verify model's own calls on the whole prompt in order (None: it sent no usage); a call the
    provider refused bills nothing and is an empty `Usage`. Of a direct or enhanced turn the last one is the answer; of
    an accepted or enhanced one, or before the last one of a direct turn, they carry `appended_chars` of draft and
    instruction behind the prompt. `asked_draft` is true when the draft model was asked, `draft` what it then used.
    `kind` is what the answer does: the worst effect of its calls, "text", or None while it is not known.
    `answer_chars` is the size of the answer the client received. `measured` is false when any usage here was reckoned
    because an answer broke off. `known_output` stands in for a prediction where a recorded session tells how long the
    verify model's answer was. `brief_prompt` is how many tokens a brief verification took to read.
    """

    at: int
    outcome: Outcome
    verify: Model
    draft_model: Model | None
    outline: Outline
    verify_calls: tuple[Usage | None, ...] = ()
    asked_draft: bool = False
    draft: Usage | None = None
    appended_chars: int = 0
    kind: str | None = None
    answer_chars: int = 0
    measured: bool = True
    known_output: int | None = None
    brief_prompt: int = 0
