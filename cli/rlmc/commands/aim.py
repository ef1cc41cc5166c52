"""What quality is held against in this shell, for the commands that say something of it.

Rule: a configuration that cannot be read keeps nobody from the ledger: the defaults are taken, and every line says what
it was held against.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from rlmc.errors import RlmcError

if TYPE_CHECKING:
    from rlmc.ledger.quality import Aim, Known
    from rlmc.ledger.queries import LedgerReader
    from rlmc.ledger.report import SavingsReport


def aim() -> Aim:
    from rlmc.config.load import load
    from rlmc.ledger.quality import Aim
    from rlmc.upstream.providers import names

    try:
        settings = load(providers=names()).settings
    except RlmcError:
        settings = load(env={}, providers=names(), text="").settings
    return Aim(settings.max_regression, settings.confidence)


def known(reader: LedgerReader, report: SavingsReport) -> Known | None:
    """What the quality line of this report is about."""
    if not report.coins.total():
        return None
    from rlmc.ledger.quality import of_report

    return of_report(reader, report, aim(), now())


def now() -> int:
    return time.time_ns() // 1000
