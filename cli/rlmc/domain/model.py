"""A model by its name: what settings say and what answers."""

from __future__ import annotations

from rlmc.domain.frozen import dataclass


@dataclass(frozen=True, slots=True)
class Model:
    """A model at a provider, written `provider/model`."""

    provider: str
    name: str

    def __str__(self) -> str:
        return f"{self.provider}/{self.name}"
