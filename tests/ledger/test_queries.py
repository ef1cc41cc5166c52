"""Reading the books: in order, only what was asked, and clear about a file that cannot be read."""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.support.books import CENT, call, session, turn
from tests.support.prices import HAIKU, HOUR, START

from rlmc.errors import LedgerError
from rlmc.ledger import schema
from rlmc.ledger.queries import LedgerReader
from rlmc.ledger.store import Ledger


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ledger.db"


@pytest.fixture
def ledger(path: Path) -> Iterator[Ledger]:
    opened = Ledger.open(path)
    yield opened
    opened.close()


def test_no_file_means_empty_books(path: Path) -> None:
    reader = LedgerReader.open(path)
    assert list(reader.turns()) == []
    assert list(reader.session_turns("x")) == []
    assert reader.last_session() is None
    assert reader.find_sessions("x") == []
    assert not reader.has_turns(0)
    assert not path.exists()
    reader.close()


def test_a_file_that_was_just_created_is_empty_too(path: Path) -> None:
    path.touch()
    reader = LedgerReader.open(path)
    assert list(reader.turns()) == []
    reader.close()


@pytest.mark.parametrize("content", [b"no database at all", b"SQLite format 3\x00" + b"\xff" * 4096])
def test_a_damaged_file_is_an_error_with_a_way_out_and_stays(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    with pytest.raises(LedgerError) as found:
        LedgerReader.open(path)
    assert str(path) in found.value.message
    assert "rlmc restart" in (found.value.hint or "")
    assert path.read_bytes() == content


def test_a_newer_file_is_an_error_with_a_way_out(ledger: Ledger, path: Path) -> None:
    ledger.close()
    db = sqlite3.connect(path)
    db.execute(f"PRAGMA user_version = {schema.VERSION + 1}")
    db.close()
    with pytest.raises(LedgerError) as found:
        LedgerReader.open(path)
    assert str(schema.VERSION + 1) in found.value.message
    assert "upgrade" in (found.value.hint or "")


def test_an_older_file_is_an_error_with_a_way_out(ledger: Ledger, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ledger.close()
    monkeypatch.setattr("rlmc.ledger.queries.VERSION", schema.VERSION + 1)
    with pytest.raises(LedgerError) as found:
        LedgerReader.open(path)
    assert "rlmc start" in (found.value.hint or "")


def test_turns_come_in_order_with_their_calls_and_their_session(ledger: Ledger, path: Path) -> None:
    ledger.start_session(session("s1", name="fix"))
    ledger.record(turn(id="late", at=START + 2 * HOUR))
    ledger.record(turn(call("draft", model=HAIKU, cost=None), call("verify"), id="early", at=START, estimated=True))
    ledger.record(turn(call(usage=None, cost=None), id="orphan", session="lost", at=START + HOUR, baseline=None))
    assert ledger.flush(10)
    reader = LedgerReader.open(path)
    early, orphan, late = reader.turns()
    assert [t.id for t in (early, orphan, late)] == ["early", "orphan", "late"]
    assert (early.client, early.session_name, early.directory) == ("claude", "fix", "/home/ada/project")
    assert (early.outcome, early.reason, early.baseline, bool(early.baseline_estimated)) == (
        "direct",
        "unsure",
        CENT,
        True,
    )
    assert [(c.role, c.model, c.cost, c.prompt) for c in early.calls] == [
        ("draft", "claude-haiku-5-5", None, 100),
        ("verify", "claude-opus-5-5", CENT, 100),
    ]
    assert (orphan.client, orphan.baseline) == ("", None)
    assert [(bool(c.measured), c.prompt, c.cost) for c in orphan.calls] == [(False, 0, None)]
    reader.close()


def test_a_period_includes_its_start_and_not_its_end(ledger: Ledger, path: Path) -> None:
    for hour in range(4):
        ledger.record(turn(id=str(hour), at=START + hour * HOUR))
    assert ledger.flush(10)
    reader = LedgerReader.open(path)
    assert [t.id for t in reader.turns(START + HOUR, START + 3 * HOUR)] == ["1", "2"]
    assert [t.id for t in reader.turns(START + 3 * HOUR)] == ["3"]
    assert reader.has_turns(START + 3 * HOUR)
    assert not reader.has_turns(START + 3 * HOUR + 1)
    assert not reader.has_turns(0, START)
    reader.close()


def test_sessions_are_found_by_id_name_and_beginning(ledger: Ledger, path: Path) -> None:
    ledger.start_session(session("abc1", started_at=START, name="fix"))
    ledger.start_session(session("abd2", started_at=START + 1, name="fix"))
    ledger.start_session(session("a%", started_at=START + 2))
    ledger.record(turn(session="abc1"))
    assert ledger.flush(10)
    reader = LedgerReader.open(path)

    def ids(text: str) -> list[str]:
        return [row.id for row in reader.find_sessions(text)]

    assert ids("abc1") == ["abc1"]
    assert ids("fix") == ["abd2", "abc1"]
    assert ids("ab") == ["abd2", "abc1"]
    assert ids("a%") == ["a%"]
    assert ids("%") == []
    last = reader.last_session()
    assert last is not None
    assert last.id == "a%"
    assert [row.turns for row in reader.find_sessions("abc1")] == [1]
    assert [t.session for t in reader.session_turns("abc1")] == ["abc1"]
    reader.close()


def test_a_reader_sees_a_session_grow_and_cannot_change_it(ledger: Ledger, path: Path) -> None:
    reader = LedgerReader.open(path)
    for n in range(1, 4):
        ledger.record(turn())
        assert ledger.flush(10)
        assert len(list(reader.turns())) == n
    assert reader._db is not None
    with pytest.raises(sqlite3.OperationalError):
        reader._db.execute("DELETE FROM turns")
    reader.close()


def test_a_path_with_odd_characters_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a ?#%41 b" / "ledger.db"
    ledger = Ledger.open(path)
    ledger.record(turn())
    ledger.close()
    reader = LedgerReader.open(path)
    assert len(list(reader.turns())) == 1
    reader.close()


def test_what_newer_versions_keep_is_read_and_an_older_row_still_reads(ledger: Ledger, path: Path) -> None:
    ledger.record(turn(id="old"))
    brief = replace(call("verify"), brief=True)
    kept = turn(brief, call("keepalive"), id="new", at=START + HOUR)
    ledger.record(replace(kept, baseline_bias=1.5, baseline_noise=4.0, draft_only=CENT // 10))
    assert ledger.flush(10)
    reader = LedgerReader.open(path)
    old, new = reader.turns()
    assert (old.baseline_bias, old.baseline_noise, old.draft_only, old.request_class) == (0, 0, None, "main")
    assert [bool(c.brief) for c in old.calls] == [False]
    assert (new.baseline_bias, new.baseline_noise, new.draft_only) == (1.5, 4.0, CENT // 10)
    assert [(c.role, bool(c.brief)) for c in new.calls] == [("verify", True), ("keepalive", False)]
    reader.close()


def test_turns_are_found_by_id_and_beginning(ledger: Ledger, path: Path) -> None:
    for n, id in enumerate(("ab1", "ab", "ab_2", "b")):
        ledger.record(turn(id=id, at=START + n * HOUR))
    assert ledger.flush(10)
    reader = LedgerReader.open(path)
    for text, ids in (("ab", ["ab"]), ("a", ["ab1", "ab", "ab_2"]), ("ab_", ["ab_2"]), ("%", []), ("x", [])):
        assert [t.id for t in reader.find_turns(text, 9)] == ids
    assert [t.id for t in reader.find_turns("a", 2)] == ["ab1", "ab"]
    last, one = reader.last_turn(), reader.turn("ab1")
    assert last is not None and one is not None
    assert (last.id, one.id, reader.turn("nothing")) == ("b", "ab1", None)
    reader.close()


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sets(st.text("ab0", min_size=1, max_size=6), min_size=1, max_size=8), st.data())
def test_a_shortened_id_names_one_turn(tmp_path: Path, ids: set[str], data: st.DataObject) -> None:
    folder = tempfile.mkdtemp(dir=tmp_path)
    ledger = Ledger.open(Path(folder) / "ledger.db")
    for id in ids:
        ledger.record(turn(id=id))
    ledger.close()
    reader = LedgerReader.open(Path(folder) / "ledger.db")
    some = data.draw(st.sets(st.sampled_from(sorted(ids)), min_size=1))
    length = reader.shortest("turn", some)
    for id in some:
        assert [t.id for t in reader.find_turns(id[:length], 2)] == [id]
    reader.close()


def test_sessions_of_a_time_are_those_that_began_in_it_or_went_on(ledger: Ledger, path: Path) -> None:
    ledger.start_session(session("early", started_at=START))
    ledger.start_session(session("late", started_at=START + 5 * HOUR))
    ledger.start_session(session("empty", started_at=START + HOUR))
    for id, hour in (("early", 0), ("early", 3), ("late", 5), ("lost", 3)):
        ledger.record(turn(session=id, at=START + hour * HOUR))
    assert ledger.flush(10)
    reader = LedgerReader.open(path)

    def found(since: int, until: int) -> tuple[list[str], list[str]]:
        times = START + since * HOUR, START + until * HOUR
        return [row.id for row in reader.sessions(*times)], [t.session for t in reader.turns_of_sessions(*times)]

    assert found(0, 9) == (["late", "empty", "early"], ["early", "early", "lost", "late"])
    assert found(1, 4) == (["empty", "early"], ["early", "early", "lost"])
    assert found(4, 9) == (["late"], ["late"])
    assert found(0, 1) == (["early"], ["early", "early"])
    reader.close()
