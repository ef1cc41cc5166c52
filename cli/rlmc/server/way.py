"""How a model is reached from a client: at which endpoint of its provider, in which protocol."""

from __future__ import annotations

from rlmc.domain.frozen import dataclass
from rlmc.domain.shape import Shape
from rlmc.domain.turn import Model
from rlmc.server.parts import Parts
from rlmc.upstream.provider import Endpoint, Provider
from rlmc.wire import PROTOCOLS
from rlmc.wire.codec import Codec

# Models are named by clients, who may name any.
_MOST = 256


@dataclass(frozen=True, slots=True)
class Way:
    """`codec` is the endpoint's; `same` says that it is the client's own, so that nothing need be translated. `context`
    is the model's prompt limit (tokens)."""

    provider: Provider
    endpoint: Endpoint
    codec: Codec
    shape: Shape
    same: bool
    context: int
    reads_media: bool

    @property
    def refuses_foreign_calls(self) -> bool:
        """Whether the model answers no history in which calls stand that it did not write, and so did not think about.

        Where rlmc writes the request, reasoning can mostly be switched off instead; the client's own bytes are not
        changed."""
        back = self.shape.reasoning_back
        return back != "no" if self.same else back == "always"


def way_to(parts: Parts, codec: Codec, model: Model) -> Way:
    """The way to a model for a client that speaks `codec`."""
    asked = (codec.name, model)
    known: Way | None = parts.ways.get(asked)
    if known is not None:
        return known
    provider = parts.providers[model.provider]
    endpoint = provider.endpoint(codec.name)
    there = PROTOCOLS[endpoint.protocol]
    shape = endpoint.shape_of(model.name)
    way = Way(
        provider,
        endpoint,
        there,
        shape,
        same=there.name == codec.name,
        context=provider.context_of(model.name),
        reads_media=shape.media and provider.reads_media(model.name),
    )
    if len(parts.ways) >= _MOST:
        parts.ways.clear()
    parts.ways[asked] = way
    return way
