"""The writer: what is recorded stays, nothing it meets reaches a turn, and no database is ever lost."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import textwrap
import threading
import time
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.support.books import CENT, call, session, turn
from tests.support.prices import HAIKU, START

from rlmc.domain.chat import Usage
from rlmc.domain.outcome import Outcome, Reason
from rlmc.domain.record import EpochRecord
from rlmc.ledger import files, store
from rlmc.ledger.rows import TurnRows
from rlmc.ledger.schema import VERSION
from rlmc.ledger.store import Ledger

SOON = 10.0


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "ledger.db"


@pytest.fixture
def ledger(path: Path) -> Iterator[Ledger]:
    opened = Ledger.open(path)
    yield opened
    opened.close()


def rows(path: Path, sql: str) -> list[tuple[Any, ...]]:
    db = sqlite3.connect(path)
    try:
        return db.execute(sql).fetchall()
    finally:
        db.close()


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + SOON
    while not condition():
        assert time.monotonic() < deadline, "did not happen in time"
        time.sleep(0.01)


# --- what is written --------------------------------------------------------------------------------------------------


def test_a_turn_and_its_calls_are_kept_to_the_unit(ledger: Ledger, path: Path) -> None:
    usage = Usage(input=1, cache_read=2, cache_write_5m=3, cache_write_1h=4, output=5, thinking=2, web_searches=1)
    others = replace(usage, others=(("claude-haiku-5-5", Usage(input=7)),), unpriced=("web_fetch",))
    recorded = turn(
        call("draft", model=HAIKU, usage=usage, cost=123_456_789_012, served=False),
        call("direct", usage=others, cost=None, estimated=True),
        outcome=Outcome.DIRECT,
        reason=Reason.GATE,
        baseline=None,
        estimated=True,
    )
    ledger.record(replace(recorded, findings=("schema: path is missing",)))
    assert ledger.flush(SOON)
    assert rows(path, "SELECT outcome, reason, baseline, baseline_estimated, findings FROM turns") == [
        ("direct", "gate", None, 1, '["schema: path is missing"]')
    ]
    assert rows(path, "SELECT signals FROM turns") == [('{"prompt_chars":1234,"after":"read","first":false}',)]
    sql = """
        SELECT role, provider, input, cache_read, cache_write_5m, cache_write_1h, output, thinking, web_searches, cost,
            served, usage_estimated
        FROM calls ORDER BY seq
    """
    assert rows(path, sql) == [
        ("draft", "anthropic", 1, 2, 3, 4, 5, 2, 1, 123_456_789_012, 0, 0),
        ("direct", "anthropic", 1, 2, 3, 4, 5, 2, 1, None, 1, 1),
    ]
    [(inner, unpriced)] = rows(path, "SELECT others, unpriced FROM calls WHERE seq = 1")
    assert '"claude-haiku-5-5"' in inner
    assert '"input":7' in inner
    assert unpriced == '["web_fetch"]'


def test_unknown_usage_is_null_and_not_zero(ledger: Ledger, path: Path) -> None:
    ledger.record(turn(call(usage=None, cost=None)))
    assert ledger.flush(SOON)
    assert rows(path, "SELECT input, output, cost FROM calls") == [(None, None, None)]


def test_contents_are_kept_only_when_given_and_packed(ledger: Ledger, path: Path) -> None:
    ledger.record(turn(id="plain"))
    ledger.record(turn(id="full", request_body=b"ask" * 1000, answer_body=b"answer"))
    assert ledger.flush(SOON)
    [(id, request, answer)] = rows(path, "SELECT turn_id, request, answer FROM contents")
    assert id == "full"
    assert len(request) < 300
    assert (zlib.decompress(request), zlib.decompress(answer)) == (b"ask" * 1000, b"answer")


def test_a_session_may_be_announced_twice_and_ends_once(ledger: Ledger, path: Path) -> None:
    ledger.start_session(session("a", started_at=START))
    ledger.end_session("a", START + 5, requests=4, turns=3, auto_mode_turns=1)
    ledger.start_session(replace(session("a", started_at=START + 9, simulated=True), policy="paper"))
    assert ledger.flush(SOON)
    sql = "SELECT started_at, ended_at, policy, simulated, requests, turns, auto_mode_turns FROM sessions"
    assert rows(path, sql) == [(START, None, "paper", 1, 4, 3, 1)]


def test_a_turn_written_twice_is_there_once(ledger: Ledger, path: Path) -> None:
    same = turn(call("draft"), call("direct"))
    for _ in range(2):
        ledger.record(same)
    assert ledger.flush(SOON)
    assert rows(path, "SELECT (SELECT count(*) FROM turns), (SELECT count(*) FROM calls)") == [(1, 2)]


def test_names_that_are_no_text_are_kept_as_far_as_they_are(ledger: Ledger, path: Path) -> None:
    ledger.start_session(replace(session("a"), directory="/tmp/\udcff-x"))
    assert ledger.flush(SOON)
    assert rows(path, "SELECT directory FROM sessions") == [("/tmp/?-x",)]
    assert ledger.error is None


def test_a_turn_whose_words_are_no_text_is_kept_beside_others(ledger: Ledger, path: Path) -> None:
    ledger.record(turn(id="a"))
    ledger.record(replace(turn(id="b"), requested_model="m-\udcff", signals={"after": "\udcff"}))
    assert ledger.flush(SOON)
    assert rows(path, "SELECT requested_model, signals FROM turns WHERE id = 'b'") == [("m-?", '{"after":"?"}')]
    assert rows(path, "SELECT count(*) FROM turns") == [(2,)]
    assert ledger.error is None


# --- together -------------------------------------------------------------------------------------------------------


def test_turns_of_a_busy_time_are_written_together(ledger: Ledger, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    together, write = [], store.rows.write_turns

    def counted(db: sqlite3.Connection, turns: Sequence[TurnRows]) -> None:
        together.append(len(turns))
        write(db, turns)

    monkeypatch.setattr(store.rows, "write_turns", counted)
    monkeypatch.setattr(store, "_GATHER_SECONDS", 0.5)
    ledger.record(turn())
    until(lambda: together == [1])  # the first one of a quiet time at once
    for _ in range(40):
        ledger.record(turn())
    time.sleep(0.02)
    for _ in range(40):
        ledger.record(turn())
    until(lambda: ledger.waiting == 0)
    assert together == [1, 80]
    assert rows(path, "SELECT count(*) FROM turns") == [(81,)]


def test_who_waits_for_a_row_does_not_wait_for_others_to_come(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "_GATHER_SECONDS", 60.0)
    ledger = Ledger.open(path)
    for _ in range(5):
        ledger.record(turn())
        assert ledger.flush(SOON)
    for _ in range(3 * store._BATCH):  # what does not fit into one batch does not wait for the next moment
        ledger.record(turn())
    assert ledger.flush(SOON)
    ledger.record(turn())
    ledger.close(SOON)
    assert rows(path, "SELECT count(*) FROM turns") == [(6 + 3 * store._BATCH,)]


# --- the file -------------------------------------------------------------------------------------------------------


def test_only_its_owner_can_read_it(ledger: Ledger, path: Path) -> None:
    ledger.record(turn(request_body=b"secret"))
    assert ledger.flush(SOON)
    assert path.parent.stat().st_mode & 0o777 == 0o700
    found = sorted(path.parent.iterdir())
    assert path in found
    assert len(found) > 1  # the write-ahead files too
    assert [file.stat().st_mode & 0o777 for file in found] == [0o600] * len(found)


def test_a_file_others_could_read_is_closed_to_them(path: Path) -> None:
    Ledger.open(path).close()
    path.chmod(0o644)
    Ledger.open(path).close()
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_damaged_database_is_kept_and_a_new_one_begun(path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b"this is no database " * 100)
    path.with_name("ledger.db-wal").write_bytes(b"left over")
    ledger = Ledger.open(path)
    try:
        [notice] = ledger.notices
        [kept] = path.parent.glob("ledger.corrupt-*.db")
        assert str(kept) in notice
        assert str(path) in notice
        assert kept.read_bytes() == b"this is no database " * 100
        assert kept.with_name(kept.name + "-wal").read_bytes() == b"left over"
        ledger.record(turn())
        assert ledger.flush(SOON)
        assert ledger.error is None
        assert rows(path, "SELECT count(*) FROM turns") == [(1,)]
    finally:
        ledger.close()


def test_damage_deep_in_the_file_is_found_before_rows_are_added(path: Path) -> None:
    first = Ledger.open(path)
    for _ in range(400):
        first.record(turn())
    assert first.flush(SOON)
    first.close()
    content = bytearray(path.read_bytes())
    for page in range(8, len(content) // 4096):
        content[page * 4096 : page * 4096 + 200] = b"\xaa" * 200
    path.write_bytes(content)
    ledger = Ledger.open(path)
    ledger.record(turn(id="after"))
    assert ledger.flush(SOON)
    ledger.close()
    assert len(ledger.notices) == 1
    assert len(list(path.parent.glob("ledger.corrupt-*.db"))) == 1
    assert rows(path, "SELECT id FROM turns") == [("after",)]


def test_rows_still_in_the_write_ahead_file_of_an_emptied_database_are_kept(path: Path) -> None:
    path.parent.mkdir()
    path.touch()
    path.with_name("ledger.db-wal").write_bytes(b"rows")
    Ledger.open(path).close()
    [kept] = path.parent.glob("ledger.corrupt-*.db-wal")
    assert kept.read_bytes() == b"rows"


def test_a_newer_database_is_kept_and_a_new_one_begun(path: Path) -> None:
    first = Ledger.open(path)
    first.record(turn(id="before"))
    first.close()
    db = sqlite3.connect(path)
    db.execute(f"PRAGMA user_version = {VERSION + 3}")
    db.close()
    ledger = Ledger.open(path)
    ledger.record(turn(id="after"))
    ledger.close()
    [kept] = path.parent.glob(f"ledger.newer-{VERSION + 3}-*.db")
    assert str(kept) in ledger.notices[0]
    assert rows(kept, "SELECT id FROM turns") == [("before",)]
    assert rows(path, "SELECT id FROM turns") == [("after",)]


def test_databases_set_aside_in_the_same_second_do_not_replace_each_other(path: Path) -> None:
    for n in range(3):
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"broken %d" % n * 100)
        Ledger.open(path).close()
    kept = {file.read_bytes()[:8] for file in path.parent.glob("ledger.corrupt-*.db")}
    assert kept == {b"broken 0", b"broken 1", b"broken 2"}


def test_a_database_of_another_program_is_not_touched(path: Path) -> None:
    path.parent.mkdir()
    db = sqlite3.connect(path)
    db.execute("CREATE TABLE songs (title TEXT)")
    db.commit()
    db.close()
    before = path.read_bytes()
    ledger = Ledger.open(path)
    ledger.close()
    [kept] = path.parent.glob("ledger.corrupt-*.db")
    assert kept.read_bytes() == before


def test_a_database_deleted_under_the_writer_is_begun_anew(ledger: Ledger, path: Path) -> None:
    ledger.record(turn(id="gone"))
    assert ledger.flush(SOON)
    path.unlink()
    ledger.record(turn(id="kept"))
    assert ledger.flush(SOON)
    assert rows(path, "SELECT id FROM turns") == [("kept",)]


# --- trouble --------------------------------------------------------------------------------------------------------


def test_a_lock_delays_rows_and_loses_none(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "BUSY_MS", 20)
    ledger = Ledger.open(path)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    started = time.monotonic()
    for _ in range(50):
        ledger.record(turn())
    assert time.monotonic() - started < 1.0
    until(lambda: ledger.error is not None)
    assert str(path) in (ledger.error or "")
    assert not ledger.flush(0.01)
    other.execute("ROLLBACK")
    other.close()
    assert ledger.flush(SOON)
    assert ledger.error is None
    ledger.close()
    assert rows(path, "SELECT count(*) FROM turns") == [(50,)]


def test_a_folder_that_cannot_be_made_is_tried_again(tmp_path: Path) -> None:
    blocker = tmp_path / "data"
    blocker.write_text("a file where the folder should be")
    ledger = Ledger.open(blocker / "ledger.db")
    assert str(blocker) in (ledger.error or "")
    ledger.record(turn())
    blocker.unlink()
    assert ledger.flush(SOON)
    assert ledger.error is None
    ledger.close()
    assert rows(blocker / "ledger.db", "SELECT count(*) FROM turns") == [(1,)]


def test_a_full_disk_is_waited_for(ledger: Ledger, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    full, write = threading.Event(), store.rows.write_turns
    full.set()

    def on_a_full_disk(db: sqlite3.Connection, t: Any) -> None:
        write(db, t)
        if full.is_set():
            raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(store.rows, "write_turns", on_a_full_disk)
    ledger.record(turn())
    until(lambda: "disk is full" in (ledger.error or ""))
    full.clear()
    assert ledger.flush(SOON)
    assert rows(path, "SELECT count(*) FROM turns") == [(1,)]


def test_one_impossible_row_does_not_hold_up_the_others(ledger: Ledger, path: Path) -> None:
    ledger.record(turn(id="a"))
    ledger.record(turn(id="b", baseline=2**70))
    ledger.record(turn(call(cost=CENT), id="c"))
    ledger.record(replace(turn(id="d"), latency_ms=None))  # type: ignore[arg-type]
    ledger.record(replace(turn(id="e"), decision={"what": object()}))
    assert ledger.flush(SOON)
    assert rows(path, "SELECT id FROM turns ORDER BY id") == [("a",), ("c",)]
    assert "3 records were lost" in (ledger.error or "")


def test_what_waits_for_a_disk_is_bounded_and_the_loss_is_said(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "BUSY_MS", 20)
    monkeypatch.setattr(store, "MAX_WAITING", 10)
    monkeypatch.setattr(store, "MAX_WAITING_CONTENT", 100)
    ledger = Ledger.open(path)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    for n in range(25):
        ledger.record(turn(id=f"t{n:02}", request_body=b"x" * 30))
    assert "15 records were lost" in (ledger.error or "")
    other.execute("ROLLBACK")
    other.close()
    assert ledger.flush(SOON)
    ledger.close()
    assert [id for (id,) in rows(path, "SELECT id FROM turns ORDER BY id")] == [f"t{n:02}" for n in range(10)]
    assert rows(path, "SELECT count(*) FROM contents") == [(3,)]


def test_of_what_a_controller_knows_only_the_newest_waits(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "MAX_WAITING", 5)
    epoch = EpochRecord("e1", START, "d/a", "v/b", "v/b", "balanced", 2, 0.04, simulated=False)
    ledger = Ledger.open(path)
    assert ledger.flush(5)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        for number in range(100):
            ledger.keep_care(epoch, str(number))
        for number in range(20):
            ledger.canary(f"t{number}", "e1", START, caught=True)
        assert ledger.waiting <= 8
        other.execute("COMMIT")
    ledger.close()
    assert rows(path, "SELECT care FROM epochs") == [("99",)]
    assert ledger.lost >= 10
    assert len(rows(path, "SELECT * FROM canaries")) == 20 - ledger.lost


def test_what_a_controller_knows_outlives_a_batch_that_is_rolled_back(
    ledger: Ledger, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    epoch = EpochRecord("e1", START, "d/a", "v/b", "v/b", "balanced", 2, 0.04, simulated=False)
    tries: list[int] = []
    write = store.rows.write_canary

    def once_locked(*args: Any, **more: Any) -> None:
        tries.append(1)
        if len(tries) == 1:
            raise sqlite3.OperationalError("database is locked")
        write(*args, **more)

    monkeypatch.setattr(store.rows, "write_canary", once_locked)
    ledger.keep_care(epoch, "newest")
    ledger.canary("t1", "e1", START, caught=True)
    assert ledger.flush(SOON)
    assert rows(path, "SELECT care FROM epochs") == [("newest",)]
    ledger.keep_care(epoch, "newer still")
    assert ledger.flush(SOON)
    assert rows(path, "SELECT care FROM epochs") == [("newer still",)]
    assert rows(path, "SELECT count(*) FROM canaries") == [(1,)]


def test_what_a_controller_knows_outlives_a_row_that_no_database_takes(
    ledger: Ledger, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The batch is rolled back, and its rows are tried one by one; the care stands behind another in it."""
    epoch = EpochRecord("e1", START, "d/a", "v/b", "v/b", "balanced", 2, 0.04, simulated=False)

    def impossible(*_: Any, **__: Any) -> None:
        raise ValueError("no database takes this")

    monkeypatch.setattr(store.rows, "write_canary", impossible)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")  # so that all of it is one batch
        ledger.regret("t0", "repeated", START)
        ledger.regret("t1", "repeated", START)
        ledger.keep_care(epoch, "newest")
        ledger.canary("t1", "e1", START, caught=True)
        time.sleep(0.1)
        other.execute("COMMIT")
    assert ledger.flush(SOON)
    assert rows(path, "SELECT care FROM epochs") == [("newest",)]
    assert len(rows(path, "SELECT * FROM regrets")) == 2


def test_close_writes_what_waits_and_gives_up_on_what_cannot_be_written(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "BUSY_MS", 20)
    ledger = Ledger.open(path)
    for _ in range(100):
        ledger.record(turn())
    ledger.close()
    ledger.close()
    assert rows(path, "SELECT count(*) FROM turns") == [(100,)]
    ledger.record(turn())
    assert not ledger.flush(SOON)
    assert "1 records were lost" in (ledger.error or "")

    stuck = Ledger.open(path)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    stuck.record(turn())
    started = time.monotonic()
    stuck.close(timeout=0.1)
    assert time.monotonic() - started < SOON
    assert "locked" in (stuck.error or "")
    assert "lost" not in (stuck.error or ""), "the journal has it"
    other.execute("ROLLBACK")
    other.close()
    with closing(Ledger.open(path)) as later:
        assert later.flush(SOON)
    assert rows(path, "SELECT count(*) FROM turns") == [(101,)]
    other.close()


def test_many_threads_may_record_while_others_read(ledger: Ledger, path: Path) -> None:
    def write(n: int) -> None:
        for k in range(100):
            ledger.record(turn(call("draft"), call("direct"), id=f"t{n}-{k}"))

    seen: list[tuple[int, int]] = []
    writers = [threading.Thread(target=write, args=(n,)) for n in range(4)]
    for thread in writers:
        thread.start()
    while any(thread.is_alive() for thread in writers) or not seen:
        [(turns, calls)] = rows(path, "SELECT (SELECT count(*) FROM turns), (SELECT count(*) FROM calls)")
        seen.append((turns, calls))
    for thread in writers:
        thread.join()
    assert ledger.flush(SOON)
    assert all(calls == 2 * turns for turns, calls in seen)  # a turn appears with its calls or not at all
    assert rows(path, "SELECT count(*) FROM turns") == [(400,)]


# --- a process that dies --------------------------------------------------------------------------------------------

_CHILD = """
    import sys
    from pathlib import Path
    from rlmc.ledger.store import Ledger
    from tests.support.books import call, session, turn

    ledger = Ledger.open(Path(sys.argv[1]))
    ledger.start_session(session("s1"))
    for n in range(200):
        ledger.record(turn(call("draft"), call("direct"), id=f"kept-{n:03}"))
    assert ledger.flush(10)
    print("flushed", flush=True)
    n = 0
    while True:
        ledger.record(turn(call("draft"), call("direct"), id=f"more-{n:06}"))
        n += 1
        if n % 50 == 0:
            ledger.flush(1)
"""


@pytest.mark.parametrize("delay", [0.0, 0.15])
def test_a_killed_process_keeps_every_row_it_had_written(path: Path, tmp_path: Path, delay: float) -> None:
    script = tmp_path / "child.py"
    script.write_text(textwrap.dedent(_CHILD))
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}
    child = subprocess.Popen([sys.executable, str(script), str(path)], stdout=subprocess.PIPE, env=env)
    try:
        assert child.stdout is not None
        assert child.stdout.readline() == b"flushed\n"
        threading.Event().wait(delay)
    finally:
        child.send_signal(signal.SIGKILL)
        child.wait()
        assert child.stdout is not None
        child.stdout.close()
    after = Ledger.open(path)
    after.record(turn(id="later"))
    assert after.flush(SOON)
    after.close()
    assert after.notices == ()
    assert rows(path, "SELECT count(*) FROM turns WHERE id LIKE 'kept-%'") == [(200,)]
    assert rows(path, "SELECT count(*) FROM turns WHERE id = 'later'") == [(1,)]
    more = [id for (id,) in rows(path, "SELECT id FROM turns WHERE id LIKE 'more-%' ORDER BY id")]
    assert more == [f"more-{n:06}" for n in range(len(more))]  # no holes
    incomplete = "SELECT count(*) FROM turns t WHERE (SELECT count(*) FROM calls WHERE turn_id = t.id) NOT IN (1, 2)"
    assert rows(path, incomplete) == [(0,)]
