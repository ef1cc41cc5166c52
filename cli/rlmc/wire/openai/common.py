"""The part of the `Codec` seam that is the same for both protocols: requests without cache markers, errors in one
shape, a list of models."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from rlmc.domain.chat import Failure
from rlmc.domain.layout import Layout, Lifetime
from rlmc.errors import WireError
from rlmc.wire import splice
from rlmc.wire.openai import errors

CREATED = 0
"""When an answer was made: nothing here has a clock, and nobody goes by it."""


class OpenAiCodec:
    own_headers: tuple[tuple[str, str], ...] = ()

    def replace_model(self, raw: bytes, model: str) -> bytes:
        return splice.replace_value(raw, "model", msgspec.json.encode(model))

    def add_marker(self, raw: bytes, layout: Layout, block: int, ttl: Lifetime) -> bytes:
        raise WireError("requests of this protocol have no cache markers")

    def prewarm_body(self, raw: bytes) -> bytes:
        raise WireError("requests of this protocol cannot renew a cache alone")

    def decode_failure(self, status: int, raw: bytes) -> Failure:
        return errors.decode_failure(status, raw)

    def encode_failure(self, status: int, failure: Failure) -> bytes:
        return errors.encode_failure(failure)

    def encode_error(self, status: int, message: str) -> bytes:
        return errors.encode_error(status, message)

    def ping(self) -> bytes:
        return b": ping\n\n"

    def models_body(self, models: Sequence[str]) -> bytes:
        data = [{"id": model, "object": "model", "created": CREATED, "owned_by": "rlmc"} for model in models]
        return msgspec.json.encode({"object": "list", "data": data})
