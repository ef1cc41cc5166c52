"""The epochs a daemon's turns belong to: which one a turn is of, and what is known of it when it is decided.

Rule: a turn belongs to an epoch only if a draft of it can be audited; what is decided under it, the probability of its
audit and its coin, is fixed before anything is asked of a model.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import field
from pathlib import Path
from typing import Any

from rlmc.cascade.caution import FREE, Caution
from rlmc.cascade.obedience import obeys
from rlmc.cascade.policies.policy import Policy
from rlmc.cascade.signals import Signals
from rlmc.config.schema import Settings
from rlmc.domain.frozen import dataclass
from rlmc.domain.outcome import Reason
from rlmc.domain.record import EpochRecord
from rlmc.domain.turn import Model, Turn
from rlmc.errors import RlmcError
from rlmc.ledger.care import Calibration, kept_calibrations, kept_cares
from rlmc.ledger.queries import LedgerReader
from rlmc.ledger.store import Ledger
from rlmc.quality.care import Care
from rlmc.quality.posterior import Posterior
from rlmc.server.parts import Parts

log = logging.getLogger("rlmc.epochs")

_READ_SECONDS, _AGAIN_SECONDS = 3.0, 5.0
_SIMULATED = "sim"
# Nobody knows yet what is known.
_UNREAD = Caution(closed=Reason.UNSURE)
_DIGITS = 9


@dataclass(slots=True)
class Epoch:
    """`planted` counts the faults that were shown to its judge."""

    record: EpochRecord
    care: Care
    planted: int = 0


@dataclass(frozen=True, slots=True)
class Watch:
    """One turn's: the draft that answers it is audited if `coin`, drawn evenly from 0 to 1, is below `probability`."""

    epoch: Epoch
    probability: float
    coin: float
    confidence: float

    @property
    def falls(self) -> bool:
        return self.coin < self.probability

    def record(self) -> dict[str, Any]:
        care = self.epoch.care
        return {
            "epoch": self.epoch.record.id,
            "target": care.controller.target,
            "confidence": self.confidence,
            "least": self.epoch.record.least,
            "probability": self.probability,
            "coin": round(self.coin, 9),
        }


@dataclass(slots=True)
class Epochs:
    """All there are, by id. `chance` draws coins."""

    ledger: Ledger
    path: Path
    chance: Callable[[], float]
    clock: Callable[[], int]
    known: dict[str, Epoch] = field(default_factory=dict)
    loaded: bool = False
    _calibrated: Mapping[tuple[str, str], list[Calibration]] = field(default_factory=dict)

    async def follow(self) -> None:
        """Until it was read, again and again."""
        while not self.loaded:
            await asyncio.sleep(_AGAIN_SECONDS)
            await self.load()

    async def load(self) -> None:
        """What earlier daemons have learnt, and calibrations. Until it could be read no draft is served by a policy
        that goes by it, and nothing of it is written over."""

        def look() -> tuple[list[tuple[EpochRecord, str | None, int]], dict[tuple[str, str], list[Calibration]]]:
            reader = LedgerReader.open(self.path)
            try:
                return kept_cares(reader), kept_calibrations(reader)
            finally:
                reader.close()

        try:
            async with asyncio.timeout(_READ_SECONDS):
                cares, calibrated = await asyncio.to_thread(look)
        except (RlmcError, OSError, TimeoutError) as error:
            log.warning("what audits have taught cannot be read: %s", error or type(error).__name__)
            return
        self._calibrated, self.loaded = calibrated, True
        for record, kept, planted in cares:
            if record.id not in self.known:
                self._add(record, _care(record, kept), planted)
        for epoch in self.known.values():
            self._calibrate(epoch)

    def look(self, turn: Turn, signals: Signals, parts: Parts, policy: Policy) -> tuple[Epoch | None, Caution]:
        """The turn's epoch, None where its draft could not be audited or there will be none; and what holds for it."""
        if not self.loaded:
            return None, _UNREAD
        held = self._held(turn)
        if turn.draft is None or turn.draft == turn.verify or turn.draft_block is not None:
            return None, held
        if signals.classifier or signals.prewarm or not _audited(turn, parts):
            return None, held
        settings = parts.settings
        target = settings.max_regression * policy.strictness
        epoch = self._of(turn.draft, turn.verify, policy, settings, parts.simulated)
        care = epoch.care
        if care.controller.target != target:
            care.aim(target)
        caution = Caution(
            # Rounded as they are kept, so that what is decided again comes to the same.
            price=round(care.price, _DIGITS),
            usual_cost=care.usual_cost,
            risks={bucket: round(risk, _DIGITS) for bucket, risk in care.risks.items()},
            usual_risk=round(care.usual_risk, _DIGITS),
            shut=held.shut | care.suspects,
            closed=held.closed or (Reason.REGRESSION if care.closed else None),
        )
        return epoch, caution

    def watch(self, epoch: Epoch, settings: Settings) -> Watch:
        """The turn is of this epoch, and its coin falls."""
        probability = epoch.care.probability(settings.audit_rate)
        return Watch(epoch, probability, self.chance(), settings.confidence)

    def _held(self, turn: Turn) -> Caution:
        """What holds for drafts of this model also where they are not audited: a stop, under whatever policy it came
        about, until the user has looked; and what a calibration did not open."""
        pair = (str(turn.draft), str(turn.verify))
        stopped = any(
            epoch.care.stopped and obeys(epoch.record.policy)
            for epoch in self.known.values()
            if (epoch.record.draft, epoch.record.verify) == pair
        )
        found = self._calibrated.get(pair, ())
        if not stopped and not found:
            return FREE
        shut = frozenset(one.bucket for one in found if not one.opened)
        return Caution(shut=shut, closed=Reason.QUALITY_STOP if stopped else None)

    def keep(self, epoch: Epoch) -> None:
        """What is known of it now, for the daemon after this one."""
        self.ledger.keep_care(epoch.record, json.dumps(epoch.care.record(), separators=(",", ":")))

    def resume(self, id: str) -> bool:
        """The user has looked: drafts may be served again. False where there is no such epoch here."""
        epoch = self.known.get(id)
        if epoch is None:
            return False
        epoch.care.look()
        self.keep(epoch)
        return True

    def _of(self, draft: Model, verify: Model, policy: Policy, settings: Settings, simulated: bool) -> Epoch:
        judge = verify
        parts = (str(draft), str(verify), str(judge), policy.name, str(policy.version), repr(settings.audit_rate))
        id = hashlib.blake2b("\n".join(parts).encode(), digest_size=6).hexdigest()
        epoch = self.known.get(id)
        if epoch is None:
            record = EpochRecord(id, self.clock(), *parts[:4], policy.version, settings.audit_rate, simulated)
            epoch = self._add(record, Care.begin(settings.max_regression * policy.strictness), 0)
            self._calibrate(epoch)
        return epoch

    def _add(self, record: EpochRecord, care: Care, planted: int) -> Epoch:
        epoch = self.known[record.id] = Epoch(record, care, planted)
        return epoch

    def _calibrate(self, epoch: Epoch) -> None:
        """What a calibration of the same two models found is a beginning where nothing was audited."""
        found = self._calibrated.get((epoch.record.draft, epoch.record.verify), [])
        target = epoch.care.controller.target
        for one in found:
            if one.labels and one.bucket not in epoch.care.posteriors:
                seed = Posterior(target, one.loss, one.labels - one.loss, one.labels)
                epoch.care.posteriors[one.bucket] = seed


def _care(record: EpochRecord, kept: str | None) -> Care:
    if kept is not None:
        try:
            return Care.from_record(json.loads(kept))
        except (ValueError, KeyError, TypeError, AttributeError):
            log.warning("what audits have taught of epoch %s cannot be read; it begins anew", record.id)
    return Care.begin(_SOME_TARGET)


# Every turn brings the target it is held against.
_SOME_TARGET = 0.02


def _audited(turn: Turn, parts: Parts) -> bool:
    if not turn.own_calls or parts.settings.audits == "off":
        return False
    if parts.settings.audits == "on":
        return True
    provider = parts.providers[turn.verify.provider]
    return not turn.hints.login and (provider.name == _SIMULATED or not provider.local)
