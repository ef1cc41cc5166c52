"""A turn: one client request and the one answer it gets, with how it was routed and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field

from rlmc.domain.chat import ChatRequest
from rlmc.domain.effect import Effect
from rlmc.domain.frozen import dataclass
from rlmc.domain.model import Model as Model
from rlmc.domain.outcome import Reason


@dataclass(frozen=True, slots=True)
class ClientHints:
    """What the client says of a request outside its body.

    `request_class` is the agent's own word for the kind of call ("main", "auxiliary", "compaction", …), None when it
    gives none; `purpose` its finer word ("summary-extraction", …). `login` is true when the credential is a
    subscription login.
    """

    request_class: str | None = None
    purpose: str | None = None
    prompt_id: str | None = None
    agent_id: str | None = None
    login: bool = False


@dataclass(frozen=True, slots=True)
class Finding:
    """A gate check's objection to a draft."""

    check: str
    detail: str


@dataclass(frozen=True, slots=True)
class DraftAbilities:
    """What the draft model can be asked: context window in tokens, whether it reads images and documents."""

    context: int = 128_000
    media: bool = False


@dataclass(frozen=True, slots=True)
class Turn:
    """Everything a decision may look at. Clock and randomness come in as values.

    `draft` is None when no draft model is set; `draft_block` says why a set one cannot be called. `verify` is the
    model that answers direct turns and `verify_context` its window in tokens. `own_calls` is false when the client's
    credential must not pay for verification. `nonce` is 64 random bits in hex, drawn for this turn alone.
    `draft_timeout` is in seconds. `auto_mode_local` lets drafts answer turns that ask for `safeguards`. `tools` are the
    user's own words on what tools do, `brief_tokens` how long a brief verification may be. `refuses_foreign_calls`: the
    verify model answers no history in which calls stand that it did not write.
    """

    request: ChatRequest
    hints: ClientHints
    verify: Model
    verify_context: int
    draft: Model | None
    draft_block: Reason | None
    draft_abilities: DraftAbilities
    own_calls: bool
    nonce: str
    draft_timeout: float = 30.0
    auto_mode_local: bool = False
    tools: Mapping[str, Effect] = field(default_factory=dict)
    brief_tokens: int = 4000
    refuses_foreign_calls: bool = False
