"""What the database adds up is what adding row by row comes to, for every grouping and every part of a ledger."""

from __future__ import annotations

import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.books import call, session, turn
from tests.support.oracle import account_of_rows, sessions_of_rows
from tests.support.prices import START

from rlmc.domain.outcome import Outcome
from rlmc.domain.record import SessionRecord, TurnRecord
from rlmc.ledger import schema
from rlmc.ledger.queries import LedgerReader, TurnRow
from rlmc.ledger.report import Account, Grouping, SavingsReport
from rlmc.ledger.store import Ledger
from rlmc.ledger.totals import Scope, account, session_accounts

# A bit more than a day to either side of the nights in which Berlin changes its clocks, by the hour and in between.
SPRING, AUTUMN = 1_774_746_000_000_000, 1_792_890_000_000_000
HOUR = 3_600_000_000
GROUPINGS: tuple[Grouping | None, ...] = (None, *get_args(Grouping))
PROJECTS = ("/p", "/p/inner", "/pp", "/P/inner", "/p_", None)
BRANCHES = ("main", "fix/it", None)
SESSIONS = ("a", "b", "c", "demo", "lost")

moments = st.one_of(
    st.sampled_from([SPRING, AUTUMN]).flatmap(
        lambda base: st.integers(-30, 30).flatmap(
            lambda hours: st.sampled_from([-1, 0, 1, 1_800_000_000]).map(lambda more: base + hours * HOUR + more)
        )
    ),
    st.integers(SPRING, AUTUMN),
)
money = st.none() | st.integers(0, 10**13)
milliseconds = st.sampled_from([0.0, 1.0, 2.5, 1000.0]) | st.floats(0, 10**6)
flags = st.integers(0, 1)


@st.composite
def calls(draw: st.DrawFn) -> tuple[Any, ...]:
    measured = draw(st.booleans())
    tokens = [draw(st.integers(0, 10**6)) if measured else None for _ in range(6)]
    return (
        draw(st.sampled_from(["draft", "verify", "direct", "keepalive", "audit"])),
        draw(st.sampled_from(["p", "q"])), draw(st.sampled_from(["m", "n"])), draw(milliseconds), draw(flags), *tokens,
        draw(flags), draw(money), draw(flags),
    )  # fmt: skip


@st.composite
def turns(draw: st.DrawFn) -> tuple[Any, ...]:
    return (
        draw(st.sampled_from(SESSIONS)), draw(moments), draw(st.sampled_from(["p/m", "q/n", ""])),
        draw(st.sampled_from(["skipped", "accepted", "enhanced", "direct", "unheard-of"])),
        draw(st.sampled_from(["unsure", "gate", "safeguards", "brief", "unheard-of"])),
        draw(st.sampled_from(["complete", "complete", "client-gone", "error"])), draw(milliseconds), draw(money),
        draw(flags), draw(st.floats(0, 10**9)), draw(st.floats(0, 10**18)), draw(money),
        *draw(st.sampled_from([(None, None), ("e1", None), ("e1", 0.04), ("e2", 0.1)])),
        draw(st.lists(calls(), max_size=3)),
    )  # fmt: skip


@st.composite
def ledgers(draw: st.DrawFn) -> tuple[list[tuple[Any, ...]], list[tuple[Any, ...]]]:
    kept = draw(st.lists(st.sampled_from(SESSIONS[:-1]), unique=True))
    sessions = [
        (
            id, draw(moments), draw(st.sampled_from(["claude", "codex"])), draw(st.sampled_from(["fix", None])),
            draw(st.sampled_from(PROJECTS)), draw(st.sampled_from(BRANCHES)),
            1 if id == "demo" else draw(st.sampled_from([0, 0, 0, 1])),
        )
        for id in kept
    ]  # fmt: skip
    return sessions, draw(st.lists(turns(), max_size=12))


@pytest.fixture(autouse=True)
def berlin(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def write(path: Path, sessions: list[tuple[Any, ...]], rows: list[tuple[Any, ...]]) -> None:
    with closing(sqlite3.connect(path)) as db, db:
        schema.migrate(db)
        db.executemany(
            "INSERT INTO sessions (id, started_at, client, name, directory, git_branch, simulated, policy, version)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, 'balanced', '')",
            sessions,
        )
        for number, (session, at, model, outcome, reason, ending, latency, *money, calls) in enumerate(rows):
            id = f"{number * 7 % 13:02d}-{number}"  # not in the order of time
            db.execute(
                "INSERT INTO turns (id, session_id, started_at, served_model, outcome, reason, ending, latency_ms,"
                " baseline, baseline_estimated, baseline_bias, baseline_noise, draft_only, epoch, coin, conversation,"
                " protocol, request_class, requested_model, policy, signals, findings)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, '', '', '', '', '', '{}', '[]')",
                (id, session, at, model, outcome, reason, ending, latency, *money),
            )
            db.executemany(
                "INSERT INTO calls (turn_id, seq, started_at, role, provider, model, latency_ms, served, input,"
                " cache_read, cache_write_5m, cache_write_1h, output, thinking, usage_estimated, cost, brief)"
                " VALUES (?, ?, 0, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                [(id, seq, *call) for seq, call in enumerate(calls)],
            )


def plain(report: SavingsReport) -> dict[str, Any]:
    """All fields; sums of fractions depend on the order they are added in, so these are only nearly equal."""
    fields = asdict(report)
    for name in ("latency", "baseline_latency"):
        del fields[name]["_ordered"]
    for times in fields["latency_by_outcome"].values():
        del times["_ordered"]
    for name in ("baseline_bias", "baseline_noise"):
        fields[name] = pytest.approx(fields[name], rel=1e-9)
    return fields


def same(found: Account, wanted: Account) -> None:
    assert found.left_out == wanted.left_out
    assert plain(found.total) == plain(wanted.total)
    assert [key for key, _ in found.groups] == [key for key, _ in wanted.groups]
    for (key, one), (_, other) in zip(found.groups, wanted.groups, strict=True):
        assert plain(one) == plain(other), key


@settings(max_examples=150, deadline=None)
@given(
    ledgers(),
    st.none() | moments,
    st.none() | moments,
    st.none() | st.sampled_from(SESSIONS),
    st.none() | st.sampled_from(["/p", "/p/", "/", "/p/inner", "/none"]),
    st.none() | st.sampled_from(["main", "x"]),
)
def test_the_account_is_what_its_rows_come_to(
    books: tuple[list[Any], list[Any]], since: int | None, until: int | None, session: str | None, project: str | None,
    branch: str | None,
) -> None:  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "ledger.db"
        write(path, *books)
        directories, branches = ({row[0]: row[n] for row in books[0]} for n in (4, 5))

        def within(turn: TurnRow) -> bool:
            inside = (directories.get(turn.session) or "") + "/"
            return (
                (session is None or turn.session == session)
                and (project is None or (inside != "/" and inside.startswith(project.rstrip("/") + "/")))
                and (branch is None or branches.get(turn.session) == branch)
            )

        with closing(LedgerReader.open(path)) as reader:
            rows = [turn for turn in reader.turns(since, until) if within(turn)]
            for by in GROUPINGS:
                found = account(reader, Scope(since, until, session, project, branch), by)
                same(found, account_of_rows(rows, by, branches))
            listed = session_accounts(reader, since, until)
            wanted = sessions_of_rows(reader.sessions(since, until), reader.turns_of_sessions(since, until))
            assert [(one.session.id, plain(one.report)) for one in listed] == [(id, plain(r)) for id, r in wanted]


# --- by hand --------------------------------------------------------------------------------------------------------


@pytest.fixture
def books(tmp_path: Path) -> Iterator[Callable[..., LedgerReader]]:
    readers = []

    def open_books(*records: SessionRecord | TurnRecord) -> LedgerReader:
        ledger = Ledger.open(tmp_path / "ledger.db")
        for record in records:
            if isinstance(record, SessionRecord):
                ledger.start_session(record)
            else:
                ledger.record(record)
        ledger.close()
        readers.append(LedgerReader.open(tmp_path / "ledger.db"))
        return readers[-1]

    yield open_books
    for reader in readers:
        reader.close()


def test_groups_come_in_a_fixed_order_and_outcomes_in_their_usual_one(books: Callable[..., LedgerReader]) -> None:
    reader = books(*(turn(outcome=outcome, session=outcome.value) for outcome in reversed(Outcome)))
    assert [key for key, _ in account(reader, Scope(), "outcome").groups] == [outcome.value for outcome in Outcome]
    assert [key for key, _ in account(reader, Scope(), "session").groups] == sorted(o.value for o in Outcome)


def test_simulated_turns_are_never_added_to_real_ones(books: Callable[..., LedgerReader]) -> None:
    simulated = (session("demo", simulated=True), turn(call(cost=7), session="demo"))
    alone = account(books(*simulated), Scope(), "session")
    assert (alone.total.paid.known, alone.total.simulated, alone.left_out) == (7, True, 0)
    assert [key for key, _ in alone.groups] == ["demo"]
    mixed = account(books(turn(call(cost=5)), turn(session="demo")), Scope(), "session")
    assert (mixed.total.paid.known, mixed.total.simulated, mixed.left_out) == (5, False, 2)
    assert [key for key, _ in mixed.groups] == ["s1"]


def test_an_hour_that_comes_twice_is_one_group(books: Callable[..., LedgerReader]) -> None:
    night = 1_792_886_400_000_000  # 2026-10-25 02:00 in Berlin, for the first time
    reader = books(*(turn(at=night + minutes * 60_000_000) for minutes in (-1, 0, 59, 60, 119, 120)))
    groups = account(reader, Scope(), "hour").groups
    assert [(key, report.turns) for key, report in groups] == [
        ("2026-10-25T01", 1), ("2026-10-25T02", 4), ("2026-10-25T03", 1),
    ]  # fmt: skip


def test_sessions_come_newest_first_whole_and_also_without_turns_or_without_a_row(
    books: Callable[..., LedgerReader],
) -> None:
    reader = books(
        session("old"), session("empty", started_at=START + 24 * HOUR),
        turn(call(cost=3), session="old"), turn(call(cost=5), session="lost", at=START + 12 * HOUR),
        turn(call(cost=4), session="old", at=START + 24 * HOUR),
    )  # fmt: skip
    found = session_accounts(reader, None, None)
    assert [one.session.id for one in found] == ["empty", "lost", "old"]
    assert [one.report.turns for one in found] == [0, 1, 2]
    assert [one.report.paid.exact for one in found] == [0, 5, 7]
    assert (found[1].session.client, found[1].session.started_at) == ("", START + 12 * HOUR)
    late = session_accounts(reader, START + 24 * HOUR, None)
    assert [(one.session.id, one.report.turns) for one in late] == [("empty", 0), ("old", 2)]


@pytest.mark.parametrize("by", GROUPINGS)
def test_empty_books_make_an_empty_account(tmp_path: Path, by: Grouping | None) -> None:
    with closing(LedgerReader.open(tmp_path / "none.db")) as reader:
        assert account(reader, Scope(), by) == Account(SavingsReport(), (), 0)
        assert session_accounts(reader, None, None) == []


def test_a_turn_that_is_written_meanwhile_is_in_all_of_the_account_or_in_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "ledger.db"
    ledger = Ledger.open(path)
    ledger.record(turn(call(cost=3)))
    assert ledger.flush(10)
    reader = LedgerReader.open(path)
    rows = LedgerReader.rows

    def slow(self: LedgerReader, sql: str, values: tuple[object, ...]) -> Iterator[tuple[Any, ...]]:
        found = list(rows(self, sql, values))
        ledger.record(turn(call(cost=4)))
        assert ledger.flush(10)
        return iter(found)

    monkeypatch.setattr(LedgerReader, "rows", slow)
    found = account(reader, Scope(), None).total
    assert (found.turns, found.verify.calls, found.paid.known, found.latency.count) == (1, 1, 3, 1)
    reader.close()
    ledger.close()
