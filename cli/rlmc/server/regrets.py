"""Signs of regret on their way to the ledger: which turn each is charged to, and who is told of it.

Rule: never in a turn's way. Whatever fails here is logged, and the turn goes on.
"""

from __future__ import annotations

import logging
from collections import OrderedDict
from dataclasses import field

from rlmc.cascade.bucket import bucket_of
from rlmc.cascade.regret import Trail, follow
from rlmc.cascade.signals import Signals
from rlmc.domain.chat import ChatRequest
from rlmc.domain.frozen import dataclass
from rlmc.ledger.store import Ledger
from rlmc.quality.care import Care

log = logging.getLogger("rlmc.regrets")

_MOST_CONVERSATIONS = 512
_MOST_TURNS = 2048


@dataclass(slots=True)
class Regrets:
    """One session's. `_answered` are turns whose answer is known to be a draft's, or the verify model's own."""

    _trails: OrderedDict[str, Trail] = field(default_factory=OrderedDict)
    _answered: OrderedDict[str, tuple[Care, bool]] = field(default_factory=OrderedDict)

    def arrive(
        self, ledger: Ledger, conversation: str, turn: str, request: ChatRequest, signals: Signals, at: int
    ) -> None:
        """A turn comes in; what it shows of turns before it is written down."""
        if signals.auxiliary:
            return
        try:
            self._arrive(ledger, conversation, turn, request, signals, at)
        except Exception:
            log.exception("what turn %s shows of those before it could not be read", turn)

    def miss(self, conversation: str) -> None:
        """A turn of it is not looked at, so what comes next is of nobody that is known."""
        trail = self._trails.get(conversation)
        if trail is not None:
            trail.turn = None

    def answered(self, turn: str, care: Care, *, by_draft: bool) -> None:
        """Who answered a turn, for what is told of it once it is known what came of it."""
        self._answered[turn] = care, by_draft
        while len(self._answered) > _MOST_TURNS:
            self._answered.popitem(last=False)

    def _arrive(
        self, ledger: Ledger, conversation: str, turn: str, request: ChatRequest, signals: Signals, at: int
    ) -> None:
        trail = self._trails.setdefault(conversation, Trail())
        self._trails.move_to_end(conversation)
        while len(self._trails) > _MOST_CONVERSATIONS:
            self._trails.popitem(last=False)
        before = trail.turn
        signs = follow(trail, turn, request.messages, signals.previous_effect)
        for sign in signs or ():
            ledger.regret(sign.turn, sign.kind.value, at)
        known = None if before is None else self._answered.pop(before, None)
        if known is not None and signs is not None:
            care, by_draft = known
            bucket = bucket_of(auxiliary=False, effect=signals.previous_effect)
            care.followed(bucket, by_draft=by_draft, regretted=any(sign.turn == before for sign in signs))
