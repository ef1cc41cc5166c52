"""What budgets are held against is what every account calls paid."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.books import CENT, call, session, turn
from tests.support.prices import START

from rlmc.ledger.queries import LedgerReader
from rlmc.ledger.report import Amount
from rlmc.ledger.spent import Spent, spent
from rlmc.ledger.store import Ledger
from rlmc.ledger.totals import Scope, account

SESSIONS = (session("s1"), session("s2"), session("played", simulated=True))
TURNS = (
    turn(call("draft", served=False), call("direct"), at=START),
    turn(call(cost=None), call(cost=3), at=START + 10),
    turn(call("keepalive"), session="s2", at=START + 20),
    turn(call(cost=7), session="played", at=START + 20),
    turn(call(cost=None, usage=None), session="played", at=START + 30),
    turn(call(cost=5), session="lost", at=START + 30),
)


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[LedgerReader]:
    ledger = Ledger.open(tmp_path / "ledger.db")
    for one in SESSIONS:
        ledger.start_session(one)
    for row in TURNS:
        ledger.record(row)
    assert ledger.flush(10)
    ledger.close()
    found = LedgerReader.open(tmp_path / "ledger.db")
    yield found
    found.close()


def test_real_and_simulated_money_are_kept_apart(reader: LedgerReader) -> None:
    assert spent(reader) == Spent(Amount(3 * CENT + 8, 1), Amount(7, 1))
    assert spent(reader, START + 10, START + 30) == Spent(Amount(CENT + 3, 1), Amount(7))


@pytest.mark.parametrize("id", ["s1", "s2", "played", "lost", "nobody's"])
def test_it_is_what_the_sessions_account_says_was_paid(reader: LedgerReader, id: str) -> None:
    found = spent(reader, session=id)
    assert found.of(id == "played") == account(reader, Scope(session=id), None).total.paid
    assert found.of(id != "played") == Amount()


@pytest.mark.parametrize("since", [START, START + 20, START + 25, START + 31])
def test_it_is_what_the_account_of_a_period_says_was_paid(reader: LedgerReader, since: int) -> None:
    assert spent(reader, since).shown == account(reader, Scope(since), None).total.paid


def test_an_empty_ledger_has_nothing_spent(tmp_path: Path) -> None:
    nobody = LedgerReader.open(tmp_path / "none.db")
    assert spent(nobody).shown == Amount()
