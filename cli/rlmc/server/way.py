"""How a model is reached from a client: at which endpoint of its provider, in which protocol."""

from __future__ import annotations

from dataclasses import dataclass

from rlmc.domain.shape import Shape
from rlmc.domain.turn import Model
from rlmc.server.parts import Parts
from rlmc.upstream.provider import Endpoint, Provider
from rlmc.wire import PROTOCOLS
from rlmc.wire.codec import Codec


@dataclass(frozen=True, slots=True)
class Way:
    """`codec` is the endpoint's; `same` says that it is the client's own, so that nothing need be translated."""

    provider: Provider
    endpoint: Endpoint
    codec: Codec
    shape: Shape
    same: bool

    @property
    def refuses_foreign_calls(self) -> bool:
        """Whether the model answers no history in which calls stand that it did not write, and so did not think about.

        Where rlmc writes the request, reasoning can mostly be switched off instead; the client's own bytes are not
        changed."""
        back = self.shape.reasoning_back
        return back != "no" if self.same else back == "always"


def way_to(parts: Parts, codec: Codec, model: Model) -> Way:
    """The way to a model for a client that speaks `codec`."""
    provider = parts.providers[model.provider]
    endpoint = provider.endpoint(codec.name)
    there = PROTOCOLS[endpoint.protocol]
    return Way(provider, endpoint, there, endpoint.shape_of(model.name), there.name == codec.name)
