from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from tests.support.books import session, turn
from tests.support.prices import HOUR, START

from rlmc.ledger.places import branches, projects
from rlmc.ledger.queries import LedgerReader
from rlmc.ledger.store import Ledger
from rlmc.ledger.totals import ANYWHERE, Scope, last_turn_at, session_accounts


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[LedgerReader]:
    ledger = Ledger.open(tmp_path / "ledger.db")
    places = (("a", "/p", "main"), ("b", "/p/x", "try"), ("c", "/px", "main"), ("d", None, None), ("e", "", ""))
    for hour, (id, directory, branch) in enumerate(places):
        made = session(id, started_at=START + hour * HOUR)
        ledger.start_session(replace(made, directory=directory, git_branch=branch))
        ledger.record(turn(session=id, at=START + hour * HOUR))
    ledger.record(turn(session="lost", at=START + 9 * HOUR))
    assert ledger.flush(10)
    ledger.close()
    found = LedgerReader.open(tmp_path / "ledger.db")
    yield found
    found.close()


def test_places_are_named_once_the_newest_first(reader: LedgerReader) -> None:
    assert projects(reader) == ["/px", "/p/x", "/p"]
    assert branches(reader) == ["main", "try"]


@pytest.mark.parametrize(
    ("scope", "hour"),
    [
        (ANYWHERE, 9),
        (Scope(project="/p"), 1),
        (Scope(project="/"), 2),
        (Scope(branch="main"), 2),
        (Scope(project="/p", branch="main"), 0),
        (Scope(until=START + HOUR), 0),
        (Scope(project="/nowhere"), None),
    ],
)
def test_the_last_turn_of_a_place(reader: LedgerReader, scope: Scope, hour: int | None) -> None:
    assert last_turn_at(reader, scope) == (None if hour is None else START + hour * HOUR)


@pytest.mark.parametrize(
    ("place", "ids"),
    [
        (ANYWHERE, ["lost", "e", "d", "c", "b", "a"]),
        (Scope(project="/p"), ["b", "a"]),
        (Scope(branch="main"), ["c", "a"]),
        (Scope(project="/p", branch="try"), ["b"]),
    ],
)
def test_sessions_of_a_place_are_listed_with_their_turns(reader: LedgerReader, place: Scope, ids: list[str]) -> None:
    found = session_accounts(reader, None, None, place)
    assert [(one.session.id, one.report.turns) for one in found] == [(id, 1) for id in ids]
