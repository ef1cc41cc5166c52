"""What a daemon reads again when it begins: what controllers knew, and what calibrations found."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rlmc.domain.frozen import dataclass
from rlmc.ledger.queries import LedgerReader

if TYPE_CHECKING:
    from rlmc.domain.record import EpochRecord

_EPOCHS = """
    SELECT id, began_at, draft, verify, judge, policy, policy_version, least, simulated, care,
        (SELECT count(*) FROM canaries c WHERE c.epoch = epochs.id)
    FROM epochs
"""


@dataclass(frozen=True, slots=True)
class Calibration:
    """One bucket's: how many drafts were compared, what they lost together, and whether drafts of it may be served."""

    bucket: str
    at: int
    labels: int
    loss: float
    opened: bool


def kept_cares(reader: LedgerReader) -> list[tuple[EpochRecord, str | None, int]]:
    """Every epoch, with what its controller knew as JSON and how many faults were planted."""
    from rlmc.domain.record import EpochRecord

    found = []
    for *names, version, least, simulated, care, planted in reader.rows(_EPOCHS, ()):
        id, began_at, draft, verify, judge, policy = names
        record = EpochRecord(id, began_at, draft, verify, judge, policy, version, least, bool(simulated))
        found.append((record, care, planted))
    return found


def kept_calibrations(reader: LedgerReader) -> dict[tuple[str, str], list[Calibration]]:
    """By draft and verify model."""
    found: dict[tuple[str, str], list[Calibration]] = {}
    for draft, verify, bucket, at, labels, loss, opened in reader.rows(
        "SELECT draft, verify, bucket, at, labels, loss, opened FROM calibrations", ()
    ):
        found.setdefault((draft, verify), []).append(Calibration(bucket, at, labels, loss, bool(opened)))
    return found
