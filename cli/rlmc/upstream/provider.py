"""How to reach one API: data, so that a new provider is one new file.

A provider may be spoken to in several protocols, each at an address of its own; a client's own protocol comes first, so
that what it sends can go on untouched, and then the order of the provider's file.
"""

from __future__ import annotations

from dataclasses import field
from typing import Literal

from rlmc.domain.frozen import dataclass
from rlmc.domain.shape import Shape

Auth = Literal["x-api-key", "bearer", "none"]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One protocol of a provider. `url` is what a client of it calls its base URL: without `/v1` for anthropic, with it
    (or what stands for it) for chat and responses. `auth` is the header a key travels in. `shape` is what its models
    accept, `variants` what those accept whose name has a prefix; the first that fits counts.
    """

    protocol: str
    url: str
    auth: Auth
    shape: Shape = field(default_factory=Shape)
    variants: tuple[tuple[str, Shape], ...] = ()

    def shape_of(self, model: str) -> Shape:
        return next((shape for prefix, shape in self.variants if model.startswith(prefix)), self.shape)

    def address(self, path: str) -> str:
        """The absolute URL of a path below the API, which begins with `/v1/`, as clients' paths do here."""
        return self.url + (path if self.protocol == "anthropic" else path.removeprefix("/v1"))


@dataclass(frozen=True, slots=True)
class Provider:
    """`endpoints` is never empty. `key_env` is the variable a key is read from, None where none is needed.
    `default_draft` is the cheapest current model, drafting when the user named none and the key is this provider's.
    `media_models` and `effort_models` are prefixes of models that read images, and that can be told how hard to think.
    `context` is the prompt limit in tokens by model-name prefix, "" for any other; the longest prefix that fits wins.
    `operator` is who receives what is sent there.
    """

    name: str
    endpoints: tuple[Endpoint, ...]
    key_env: str | None
    operator: str
    default_draft: str | None = None
    media_models: tuple[str, ...] = ()
    effort_models: tuple[str, ...] = ()
    context: tuple[tuple[str, int], ...] = (("", 128_000),)
    local: bool = False

    @property
    def base_url(self) -> str:
        """Of the protocol it prefers."""
        return self.endpoints[0].url

    @property
    def needs_key(self) -> bool:
        return self.endpoints[0].auth != "none"

    def endpoint(self, protocol: str) -> Endpoint:
        """The one that speaks the protocol, else the one it prefers."""
        return next((one for one in self.endpoints if one.protocol == protocol), self.endpoints[0])

    def speaks(self, protocol: str) -> bool:
        return any(one.protocol == protocol for one in self.endpoints)

    def context_of(self, model: str) -> int:
        fits = [(len(prefix), tokens) for prefix, tokens in self.context if model.startswith(prefix)]
        return max(fits)[1] if fits else 128_000

    def low_effort_of(self, model: str) -> str | None:
        """The effort for a question that wants no long thought; None where a model might refuse to be told one."""
        return "low" if any(model.startswith(prefix) for prefix in self.effort_models) else None

    def reads_media(self, model: str) -> bool:
        return any(model.startswith(prefix) for prefix in self.media_models)
