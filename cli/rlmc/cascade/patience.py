"""How long to wait for a draft's first byte: by how long the same model took lately, for prompts of that size.

A model that has said nothing for several times its usual wait has most likely hung, and the turn is better off with the
verify model than waiting for the whole of `draft-timeout`.
"""

from __future__ import annotations

from collections import deque
from dataclasses import field

from rlmc.domain.frozen import dataclass

_REMEMBERED = 20
_LEAST_KNOWN = 3
_TIMES = 4.0
_LEAST_SECONDS = 5.0


@dataclass(slots=True)
class Patience:
    """The latest waits: seconds, and characters of the prompt. Prefill takes time in proportion to them."""

    _waits: deque[tuple[float, int]] = field(default_factory=lambda: deque(maxlen=_REMEMBERED))

    def waited(self, seconds: float, prompt_chars: int) -> None:
        """For a first byte; or in vain, as then it takes at least so long."""
        self._waits.append((seconds, max(prompt_chars, 1)))

    def limit(self, prompt_chars: int) -> float | None:
        """Seconds; None where too little is known."""
        if len(self._waits) < _LEAST_KNOWN:
            return None
        return max(_LEAST_SECONDS, _TIMES * max(s * max(1.0, prompt_chars / chars) for s, chars in self._waits))
