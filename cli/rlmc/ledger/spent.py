"""What was paid, and nothing else: what budgets are held against. The same sums as `SavingsReport.paid`.

Rule: simulated money and real money are kept apart.
"""

from __future__ import annotations

from dataclasses import field

from rlmc.domain.frozen import dataclass
from rlmc.ledger.queries import LedgerReader
from rlmc.ledger.report import Amount

_SQL = """
    SELECT coalesce(s.simulated, 0) <> 0, sum(c.cost), sum(c.cost IS NULL)
    FROM turns t JOIN calls c ON c.turn_id = t.id LEFT JOIN sessions s ON s.id = t.session_id
    WHERE t.started_at >= ? AND t.started_at < ?
"""
_OF_SESSION = " AND t.session_id = ?"
_BY_KIND = " GROUP BY 1"
_FOREVER = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Spent:
    """Real and simulated money."""

    real: Amount = field(default_factory=Amount)
    simulated: Amount = field(default_factory=Amount)

    def of(self, simulated: bool) -> Amount:
        return self.simulated if simulated else self.real

    @property
    def shown(self) -> Amount:
        """As in every account: simulated money only where there is nothing real."""
        return self.real if self.real.known or self.real.missing else self.simulated


def spent(
    reader: LedgerReader, since: int | None = None, until: int | None = None, session: str | None = None
) -> Spent:
    """For turns that started at or after `since` and before `until` (unix microseconds), of one session or of all."""
    found = Spent()
    values: tuple[object, ...] = (since or 0, _FOREVER if until is None else until)
    sql = _SQL + _BY_KIND if session is None else _SQL + _OF_SESSION + _BY_KIND
    for simulated, known, missing in reader.rows(sql, values if session is None else (*values, session)):
        amount = found.of(bool(simulated))
        amount.known += known or 0
        amount.missing += missing
    return found
