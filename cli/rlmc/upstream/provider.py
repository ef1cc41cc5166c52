"""How to reach one API: data, so that a new provider is a new file and one line in the table beside it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from rlmc.domain.draft_shape import DraftShape


@dataclass(frozen=True, slots=True)
class Provider:
    """`base_url` is the value an Anthropic client would put in ANTHROPIC_BASE_URL (no `/v1`).

    `auth` is the header a key travels in; `key_env` the variable it is read from, None where none is needed.
    `default_draft` is the cheapest current model, drafting when the user named none and the key is this provider's.
    `shape` is what its models accept of a draft request, `variants` what those accept whose name has a prefix.
    `effort_models` are prefixes of models that can be told how hard to think (`output_config.effort`).
    `context` is the prompt limit in tokens by model-name prefix, "" for any other; the longest prefix that fits wins.
    `operator` is who receives what is sent there.
    """

    name: str
    base_url: str
    auth: Literal["x-api-key", "bearer", "none"]
    key_env: str | None
    operator: str
    protocol: str = "anthropic"
    default_draft: str | None = None
    shape: DraftShape = field(default_factory=DraftShape)
    variants: tuple[tuple[str, DraftShape], ...] = ()
    media_models: tuple[str, ...] = ()
    effort_models: tuple[str, ...] = ()
    context: tuple[tuple[str, int], ...] = (("", 128_000),)
    local: bool = False

    def shape_of(self, model: str) -> DraftShape:
        return next((shape for prefix, shape in self.variants if model.startswith(prefix)), self.shape)

    def context_of(self, model: str) -> int:
        fits = [(len(prefix), tokens) for prefix, tokens in self.context if model.startswith(prefix)]
        return max(fits)[1] if fits else 128_000

    def low_effort_of(self, model: str) -> str | None:
        """The effort for a question that wants no long thought; None where a model might refuse to be told one."""
        return "low" if any(model.startswith(prefix) for prefix in self.effort_models) else None

    def reads_media(self, model: str) -> bool:
        return any(model.startswith(prefix) for prefix in self.media_models)
