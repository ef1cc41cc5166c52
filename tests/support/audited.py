"""An epoch as a daemon leaves it in a ledger: turns, audits, planted faults, and what its controller knew."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

from tests.support.books import CENT, call, session, turn
from tests.support.prices import HAIKU, MINUTE, START

from rlmc.domain.outcome import Outcome, Reason
from rlmc.domain.record import AuditEnding, AuditRecord, EpochRecord, TurnRecord
from rlmc.ledger.store import Ledger

EPOCH = EpochRecord(
    id="e1",
    began_at=START,
    draft="anthropic/claude-haiku-5-5",
    verify="anthropic/claude-opus-5-5",
    judge="anthropic/claude-opus-5-5",
    policy="balanced",
    policy_version=1,
    least=0.04,
    simulated=False,
)


class Audited:
    """Turns come a minute apart, in one session; `close` when all are written."""

    def __init__(self, path: Path, epoch: EpochRecord = EPOCH, *, session_id: str = "s1", at: int = START) -> None:
        self.epoch = epoch
        self._session = session_id
        self._ledger = Ledger.open(path)
        self._ledger.start_session(session(session_id, started_at=at, simulated=epoch.simulated))
        self._times: Iterator[int] = count(at, MINUTE)
        self.last = at

    def direct(self, turns: int = 1) -> None:
        for _ in range(turns):
            self._record(replace(turn(), epoch=self.epoch))

    def served(self, turns: int = 1, **changes: Any) -> str:
        """The last one's id."""
        id = ""
        for _ in range(turns):
            id = self._record(replace(self._drafted(), coin=self.epoch.least, **changes))
        return id

    def unaudited(self, turns: int = 1) -> None:
        for _ in range(turns):
            self._record(replace(self._drafted(), epoch=None))

    def audited(
        self,
        loss: float | None = 0.0,
        turns: int = 1,
        *,
        bucket: str = "read",
        how: AuditEnding = "judged",
        at: int | None = None,
        caught: bool | None = None,
        **changes: Any,
    ) -> str:
        """Served turns whose coin fell on an audit; `caught` where a fault was planted beside it."""
        id = ""
        for _ in range(turns):
            made = self._drafted()
            began = next(self._times) if at is None else at
            drawn = AuditRecord(began + 1, self.epoch.least, bucket)
            id = self._record(replace(made, coin=self.epoch.least, audit=drawn, **changes), began)
            if loss is not None:
                self._ledger.end_audit(id, began + 2, loss, how)
            if caught is not None:
                self._ledger.canary(id, self.epoch.id, began + 3, caught=caught)
        return id

    def care(self, care: Mapping[str, Any]) -> None:
        self._ledger.keep_care(self.epoch, json.dumps(care))

    def close(self) -> None:
        assert self._ledger.flush(20)
        self._ledger.close()

    def _drafted(self) -> TurnRecord:
        draft = call("draft", model=HAIKU, cost=CENT // 10)
        return replace(turn(draft, outcome=Outcome.SKIPPED, reason=Reason.AFTER_READ), epoch=self.epoch)

    def _record(self, made: TurnRecord, at: int | None = None) -> str:
        self.last = next(self._times) if at is None else at
        made = replace(made, session_id=self._session, started_at=self.last)
        self._ledger.record(made)
        return made.id
