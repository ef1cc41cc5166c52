"""The draft models as they have behaved lately, for all sessions: which are paused, and how long each is waited for.

Rule: what one key or one address meets says nothing of another. Nothing of this decides more than whether a draft is
asked for and when it is given up: the verify model answers either way.
"""

from __future__ import annotations

import logging
import time
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import field
from typing import Any

from rlmc.cascade.breaker import Breaker, counts
from rlmc.cascade.patience import Patience
from rlmc.domain.frozen import dataclass
from rlmc.domain.turn import Model
from rlmc.server.calls import Call
from rlmc.server.way import Way
from rlmc.upstream.transport import Headers

log = logging.getLogger("rlmc.targets")

_MOST = 256
PAUSED = "paused"
"""The error of a draft that was not asked for, as another turn's probe was under way."""


@dataclass(slots=True)
class Target:
    """A draft model at one address with one key. `why` is how it failed last."""

    model: Model
    breaker: Breaker = field(default_factory=Breaker)
    patience: Patience = field(default_factory=Patience)
    why: str = ""

    @property
    def paused(self) -> bool:
        return not self.breaker.lets(time.monotonic())

    def begin(self, call: Call) -> bool:
        """Just before a draft is asked for. False where it must not be; the call has then failed."""
        if self.breaker.begin(time.monotonic()):
            return True
        call.fail(PAUSED)
        return False

    def ended(self, call: Call, limit: int, prompt_chars: int) -> None:
        """A draft has ended, well or not. `limit` is how many failures in a row are too many. One that could not be
        written, and so was not sent, says nothing of the model."""
        if not call.sent and (call.error or "").startswith("wire"):
            self.breaker.nothing(call.began)
            return
        if call.first_byte is not None:
            self.patience.waited(call.first_byte - call.began, prompt_chars)
        elif call.error is not None and call.error.startswith("timeout"):
            self.patience.waited(time.monotonic() - call.began, prompt_chars)
        if call.error is None or not _is_failure(call):
            was_open = self.breaker.open
            self.breaker.worked()
            if was_open:
                log.info("draft model %s answers again", self.model)
            return
        self.why = call.error
        now = time.monotonic()
        if self.breaker.failed(call.began, now, limit, call.retry_after):
            log.warning(
                "draft model %s is paused for %.0f s after %d failed drafts (%s)",
                self.model, self.breaker.until - now, self.breaker.failures, self.why,
            )  # fmt: skip


def _is_failure(call: Call) -> bool:
    """A draft that the gate refuses is no failure of the line: it came."""
    return counts(call.status) and not (call.error or "").startswith("gate")


class Targets:
    """By address, model and key; the ones not asked for longest are forgotten."""

    def __init__(self) -> None:
        self._found: OrderedDict[tuple[str, str, int], Target] = OrderedDict()

    def of(self, way: Way, model: Model, credential: Headers) -> Target:
        # A hash of this process: the key itself is kept nowhere but with its session.
        key = (way.endpoint.url, model.name, hash(tuple(credential)))
        found = self._found.get(key)
        if found is None:
            found = self._found[key] = Target(model)
            if len(self._found) > _MOST:
                self._found.popitem(last=False)
        self._found.move_to_end(key)
        return found

    def paused(self) -> Iterator[dict[str, Any]]:
        """What `status` says of those that are paused."""
        now = time.monotonic()
        for target in self._found.values():
            if target.breaker.open:
                yield {
                    "model": str(target.model),
                    "failures": target.breaker.failures,
                    "error": target.why,
                    "next_try_s": max(0.0, round(target.breaker.until - now, 1)),
                }
