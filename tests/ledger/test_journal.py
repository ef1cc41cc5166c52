"""What is recorded outlives the process, whatever state the database is in; nothing of it is written twice or torn."""

from __future__ import annotations

import os
import signal
import sqlite3
import struct
import subprocess
import sys
import textwrap
import zlib
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.books import call, session, turn
from tests.support.prices import START

from rlmc.domain.chat import Usage
from rlmc.domain.record import AuditRecord, EpochRecord, SessionRecord
from rlmc.ledger import files
from rlmc.ledger import journal as journal_module
from rlmc.ledger.journal import Journal, Record
from rlmc.ledger.pending import Pending
from rlmc.ledger.rows import turn_rows
from rlmc.ledger.store import Ledger

SOON = 10.0
FULL = replace(
    turn(
        call("draft", usage=Usage(1, 2, 3, 4, 5, others=(("m", Usage(7)),), unpriced=("web_fetch",)), cost=2**60),
        call("direct", usage=None, cost=None),
        id="full",
    ),
    findings=("effect: Bash: unsafe",),
    decision={"format": 1, "events": [1, 2], "marker": [3, "5m"], "degraded": None, "prices": "v", "f": 0.5},
    epoch=EpochRecord("e", START, "d", "v", "j", "balanced", 3, 0.04, False),
    coin=0.04,
    audit=AuditRecord(START, 0.04, "read"),
    request_body=b"\0\xff",
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "ledger.db"


def pending(path: Path) -> Path:
    return path.with_suffix(".pending")


def left(path: Path) -> list[Record]:
    """What a daemon that starts now finds; it dies at once."""
    journal = Journal.open(path)
    found = journal.left
    os.close(journal._descriptor)
    return found


def ids(path: Path) -> list[str]:
    with closing(sqlite3.connect(path)) as db:
        return [id for (id,) in db.execute("SELECT id FROM turns ORDER BY id")]


def test_records_come_back_as_they_were(path: Path) -> None:
    written: list[Record] = [session("s"), turn_rows(FULL), turn_rows(turn(id="plain"))]
    journal = Journal.open(path)
    for record in written:
        journal.append(record)
    os.close(journal._descriptor)
    found = left(path)
    assert [type(record) for record in found] == [type(record) for record in written]
    assert found == written
    assert pending(path).stat().st_mode & 0o077 == 0


def test_what_the_version_before_left_is_read(path: Path) -> None:
    """It kept turns as records, where rows are kept now."""
    written = [FULL, turn(id="plain")]
    payloads = [b"t" + msgspec.msgpack.encode(record) for record in written]
    pending(path).parent.mkdir()
    pending(path).write_bytes(b"".join(struct.pack(">II", len(p), zlib.crc32(p)) + p for p in payloads))
    assert left(path) == [turn_rows(record) for record in written]
    with closing(Ledger.open(path)) as ledger:
        assert ledger.flush(SOON)
        assert ledger.notices == ()
    assert ids(path) == ["full", "plain"]
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("SELECT count(*) FROM calls").fetchone() == (3,)
        assert db.execute("SELECT probability, bucket FROM audits").fetchone() == (0.04, "read")


@given(cut=st.integers(0, 10_000), garbage=st.binary(max_size=40))
def test_a_torn_end_costs_what_is_torn_and_no_more(
    tmp_path_factory: pytest.TempPathFactory, cut: int, garbage: bytes
) -> None:
    path = tmp_path_factory.mktemp("torn") / "ledger.db"
    journal, ends = Journal.open(path), []
    for n in range(3):
        journal.append(turn_rows(turn(id=f"t{n}")))
        ends.append(pending(path).stat().st_size)
    os.close(journal._descriptor)
    whole = pending(path).read_bytes()
    cut %= len(whole) + 1
    pending(path).write_bytes(whole[:cut] + garbage)
    found = [record.id for record in left(path)]
    kept = sum(end <= cut for end in ends)
    assert found[:kept] == [f"t{n}" for n in range(kept)]
    if not whole[cut:].startswith(garbage) or not garbage:
        assert len(found) == kept
    # What is written after it is read again.
    journal = Journal.open(path)
    journal.append(turn_rows(turn(id="later")))
    os.close(journal._descriptor)
    assert [record.id for record in left(path)] == [*found, "later"]


def test_a_name_that_is_no_text_does_not_keep_its_record_out(path: Path) -> None:
    journal = Journal.open(path)
    journal.append(replace(session("s"), directory="/caf\udce9", name="ok"))
    os.close(journal._descriptor)
    [found] = left(path)
    assert (found.id, found.directory, found.name) == ("s", "/caf?", "ok")  # type: ignore[union-attr]


def test_a_disk_that_is_full_leaves_the_file_whole(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = Journal.open(path)
    journal.append(turn_rows(turn(id="before")))
    write = os.write
    monkeypatch.setattr(os, "write", lambda fd, data: write(fd, data[:50]))
    with pytest.raises(OSError, match="50 of"):
        journal.append(turn_rows(turn(id="torn")))
    monkeypatch.setattr(os, "write", write)
    journal.append(turn_rows(turn(id="after")))
    os.close(journal._descriptor)
    assert [record.id for record in left(path)] == ["before", "after"]


def test_it_is_empty_once_the_database_has_everything(path: Path) -> None:
    with closing(Ledger.open(path)) as ledger:
        for n in range(50):
            ledger.record(turn(id=f"t{n:02}"))
        assert ledger.flush(SOON)
        assert pending(path).stat().st_size == 0
    assert not pending(path).exists()
    assert len(ids(path)) == 50


def test_one_that_is_never_empty_does_not_grow_without_end(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rlmc.ledger.journal._MOST_DONE", 20_000)
    journal = Journal.open(path)
    for n in range(10):
        journal.append(turn_rows(turn(id=f"t{n:03}")))
    most = 0
    for n in range(10, 500):
        journal.append(turn_rows(turn(id=f"t{n:03}")))
        journal.release(1)
        most = max(most, pending(path).stat().st_size)
    assert most < 40_000
    assert Journal.open(path).path != pending(path), "the lock is that of the file that is there now"
    os.close(journal._descriptor)
    assert [record.id for record in left(path)][-10:] == [f"t{n:03}" for n in range(490, 500)]
    assert sorted(file.name for file in path.parent.iterdir()) == ["ledger.pending", "ledger.pending-2"]


def test_two_daemons_over_one_ledger_keep_apart(path: Path) -> None:
    first, second = Journal.open(path), Journal.open(path)
    assert first.path != second.path
    first.append(turn_rows(turn(id="first")))
    second.append(turn_rows(turn(id="second")))
    os.close(second._descriptor)  # it dies
    third = Journal.open(path)
    assert [record.id for record in third.left] == ["second"]
    os.close(third._descriptor)
    os.close(first._descriptor)
    assert sorted(record.id for record in left(path)) == ["first", "second"]


def test_a_journal_that_was_deleted_is_begun_anew(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rlmc.ledger.pending._TRY_SECONDS", 0.0)
    with closing(Ledger.open(path)) as ledger:
        pending(path).unlink()
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            assert ledger.flush(SOON)
            other.execute("BEGIN IMMEDIATE")
            ledger.record(turn())
            assert pending(path).stat().st_size > 0
            other.execute("ROLLBACK")


def test_what_another_version_wrote_is_told(path: Path) -> None:
    journal = Journal.open(path)
    journal.append(session("s"))
    raw = pending(path).read_bytes()
    os.close(journal._descriptor)
    payload = b"x" + raw[9:]
    pending(path).write_bytes(len(payload).to_bytes(4) + zlib.crc32(payload).to_bytes(4) + payload + raw)
    with closing(Ledger.open(path)) as ledger:
        assert ledger.flush(SOON)
        assert "1 records that a daemon left" in ledger.notices[0]
        assert len(list(path.parent.glob("*.unread-*"))) == 1
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("SELECT count(*) FROM sessions").fetchone() == (1,)


_CHILD = """
    import sys
    from pathlib import Path
    from dataclasses import replace
    from tests.support.books import call, session, turn
    from rlmc.ledger.store import Ledger

    ledger = Ledger.open(Path(sys.argv[1]))
    for n in range(int(sys.argv[2])):
        ledger.record(turn(call("draft"), call("direct"), id=f"t{n:06}"))
        print(n, flush=True)
    sys.stdin.read()
"""


@pytest.mark.parametrize("state", ["locked", "fine", "folder"])
def test_a_killed_process_loses_nothing_it_was_told(path: Path, tmp_path: Path, state: str, monkeypatch: Any) -> None:
    """Told is what `record` has returned for, however the database was then."""
    monkeypatch.setattr(files, "BUSY_MS", 20)
    script = tmp_path / "child.py"
    script.write_text(textwrap.dedent(_CHILD))
    Ledger.open(path).close()
    blocker = sqlite3.connect(path, isolation_level=None)
    if state == "locked":
        blocker.execute("BEGIN IMMEDIATE")
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}
    child = subprocess.Popen(
        [sys.executable, str(script), str(path), "500"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=env
    )
    assert child.stdout is not None
    assert child.stdin is not None
    told = 0
    for told, _ in enumerate(child.stdout, 1):  # counted, and looked at after the kill
        if told == 300:
            break
    child.send_signal(signal.SIGKILL)
    told += sum(1 for _ in child.stdout)
    child.wait()
    child.stdout.close()
    child.stdin.close()
    blocker.close()
    if state == "folder":
        path.unlink()  # with the database gone, the journal has what it had not been given yet
        with closing(Ledger.open(path)) as after:
            assert after.flush(SOON)
        assert len(ids(path)) <= told + 1
        return
    with closing(Ledger.open(path)) as after:
        assert after.flush(SOON)
        assert after.notices == ()
    assert ids(path)[:told] == [f"t{n:06}" for n in range(told)]
    assert len(ids(path)) - told in (0, 1)
    assert not pending(path).exists()


def test_a_damaged_record_does_not_take_those_behind_it_along(path: Path) -> None:
    journal = Journal.open(path)
    for n in range(5):
        journal.append(turn_rows(turn(id=f"t{n}")))
        if n == 1:
            place = pending(path).stat().st_size + 40
    os.close(journal._descriptor)
    raw = bytearray(pending(path).read_bytes())
    raw[place] ^= 1
    pending(path).write_bytes(raw)
    with closing(Ledger.open(path)) as ledger:
        assert ledger.flush(SOON)
        assert "1 records" in ledger.notices[0]
    assert ids(path) == ["t0", "t1", "t3", "t4"]
    [kept] = path.parent.glob("*.unread-*")
    assert kept.read_bytes() == bytes(raw)


def test_one_that_cannot_be_opened_holds_no_lock(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_journal: Journal, _ledger: Path) -> None:
        raise OSError("No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(Journal, "_inherit", full)
        with pytest.raises(OSError, match="No space"):
            Journal.open(path)
    journal = Journal.open(path)
    assert journal.path == pending(path)
    journal.close()


def test_one_whose_name_was_taken_away_in_the_moment_of_opening_is_opened_again(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path.parent.mkdir(parents=True)
    real = journal_module._locked

    def leaving(descriptor: int) -> bool:
        """The daemon that had it ends between our opening it and our lock."""
        monkeypatch.setattr(journal_module, "_locked", real)
        pending(path).unlink()
        return real(descriptor)

    monkeypatch.setattr(journal_module, "_locked", leaving)
    journal = Journal.open(path)
    assert journal.exists
    journal.append(session())
    os.close(journal._descriptor)
    assert len(left(path)) == 1


def test_a_file_of_another_is_left_to_it(path: Path) -> None:
    old = Journal.open(path)
    pending(path).unlink()
    new = Journal.open(path)
    old.close()
    assert new.exists
    new.close()


def test_after_some_of_it_was_given_up_all_of_it_stays(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is released is the oldest, and of what was given up nobody knows where in it that stands."""
    monkeypatch.setattr("rlmc.ledger.journal._MOST_DONE", 0)
    taken: list[Record] = []
    keeper = Pending(path, lambda record, _: taken.append(record))
    keeper.open()
    journals = [keeper.keep(session(id=name)) for name in ("a", "b", "c")]
    keeper.give_up()
    keeper.release(journals[:2])
    keeper.close()
    assert [one.id for one in left(path) if isinstance(one, SessionRecord)] == ["a", "b", "c"]
