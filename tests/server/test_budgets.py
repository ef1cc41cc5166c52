"""Budgets on the way of real turns: what is counted, and what a passed one does to the next turn."""

from __future__ import annotations

import asyncio
import gc
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from tests.support import books, tools
from tests.support.books import CENT
from tests.support.fake_upstream import FakeUpstream, Reply
from tests.support.ledger_rows import call_rows, ledger_path, turn_rows
from tests.support.live import Live, LiveSession, live_daemon
from tests.support.mixed_session import PRICES, conversation, script
from tests.support.wire_client import Got, send

from rlmc.domain.record import TurnRecord
from rlmc.domain.turn import Model
from rlmc.ledger.queries import LedgerReader
from rlmc.ledger.store import Ledger
from rlmc.ledger.totals import Scope, account
from rlmc.server import keepalive, turns
from rlmc.server.books import Booked
from rlmc.server.budgets import Budgets, Spending, bounds

DAY = 24 * 3600 * 1_000_000
# A turn of a known price: the prompt is not cached, so it is the same each time.
SMALL = tools.request("Say hi.", model="claude-opus-5-5", stream=True)


@pytest.fixture
def up() -> Iterator[FakeUpstream]:
    """Answers of two cents and a little."""
    with FakeUpstream(lambda _b, _n: Reply("Hi.", output_tokens=1000), prices=PRICES) as upstream:
        yield upstream


def configure(live: Live, **budget: object) -> None:
    """The file, and the daemon told of it."""
    file = live.folder / "config" / "config.toml"
    file.parent.mkdir(parents=True, exist_ok=True)
    lines = [f'{key} = "{value}"' if isinstance(value, str) else f"{key} = {value}" for key, value in budget.items()]
    file.write_text("\n".join(["[budget]", *lines, ""]))
    assert live.control("POST", "/-/reload")[1] == {"ok": True, "error": None}


def open_session(live: Live, up: FakeUpstream, id: str | None = None, **overrides: str) -> LiveSession:
    return live.open_session(
        overrides={"upstream.anthropic.base-url": up.url, "policy": "verify-only"}
        | {key.replace("_", "-").replace("--", "."): value for key, value in overrides.items()},
        keys={"ANTHROPIC_API_KEY": "k"},
        id=id,
    )


def ask(session: LiveSession, body: dict[str, Any] = SMALL) -> Got:
    """One turn, and its end in the books."""
    got = send(session.base_url, body, x_claude_code_session_id="s1")
    asyncio.run_coroutine_threadsafe(served(session.live), session.live.loop).result(20)
    return got


async def served(live: Live) -> None:
    await live.daemon.books._ready.wait()  # the first test's daemon still loads its prices
    assert live.daemon._app is not None
    while live.daemon._app.active:  # noqa: ASYNC110 - the application offers no event to wait for
        await asyncio.sleep(0.005)


def message(got: Got) -> str:
    assert got.json["error"]["type"] == "billing_error"
    return str(got.json["error"]["message"])


def status(live: Live, session: LiveSession) -> tuple[dict[str, Any], dict[str, Any]]:
    answer = live.control("GET", "/-/status")[1]
    return answer, next(one for one in answer["sessions"] if one["id"] == session.id)


# --- warn -----------------------------------------------------------------------------------------------------------


def test_by_default_a_passed_budget_changes_no_turn_and_is_said(live: Live, up: FakeUpstream) -> None:
    configure(live, session=0.01, daily=50)
    session = open_session(live, up)
    assert [ask(session).status for _ in range(3)] == [200, 200, 200]
    answer, mine = status(live, session)
    assert [(b["setting"], b["over"], b["action"]) for b in mine["budgets"]] == [
        ("budget.session", True, "warn"), ("budget.daily", False, "warn"),
    ]  # fmt: skip
    assert "over by $0.05" in mine["budgets"][0]["words"]
    assert [b["setting"] for b in answer["budgets"]] == ["budget.daily"]
    assert answer["budgets"][0]["spent"]["picodollars"] == up.billed
    assert session.end()["notes"] == []
    assert {(t["reason"], t["policy"]) for t in turn_rows()} == {("policy", "verify-only")}


# --- stop -----------------------------------------------------------------------------------------------------------


def test_stop_sends_nothing_says_why_and_how_to_go_on(live: Live, up: FakeUpstream) -> None:
    configure(live, session=0.05, action="stop")
    session = open_session(live, up)
    assert [ask(session).status for _ in range(3)] == [200, 200, 200], "within, within, and the one that passes it"
    got = ask(session)
    assert (got.status, got.headers["content-type"]) == (402, "application/json")
    assert message(got) == (
        "rlmc: this session has cost $0.06, and budget.session is $0.05 (config.toml), so nothing was sent."
        " To go on: rlmc config set budget.session 0.1"
    )
    assert len(up.messages) == 3


def test_a_stopped_session_goes_on_once_its_budget_is_raised(live: Live, up: FakeUpstream) -> None:
    configure(live, session=0.01, action="stop")
    session = open_session(live, up)
    assert [ask(session).status for _ in range(2)] == [200, 402]
    configure(live, session=0.03, action="stop")
    assert [ask(session).status for _ in range(2)] == [200, 402]
    configure(live, action="stop")
    assert ask(session).status == 200


def test_a_file_edited_by_hand_lets_it_go_on_too(live: Live, up: FakeUpstream) -> None:
    configure(live, session=0.01, action="stop")
    session = open_session(live, up)
    assert [ask(session).status for _ in range(2)] == [200, 402]
    time.sleep(0.6)  # the daemon looks at the file's date at most twice a second
    (live.folder / "config" / "config.toml").write_text("[budget]\nsession = 10\n")
    assert ask(session).status == 200


def test_a_budget_of_the_run_itself_names_the_way_out_that_works(live: Live, up: FakeUpstream) -> None:
    configure(live, action="stop")
    session = open_session(live, up, budget__session="0.01")
    ask(session)
    said = message(ask(session))
    assert "budget.session is $0.01 (--budget or RLMC_BUDGET_SESSION)" in said
    assert said.endswith("rlmc config set budget.action warn, or start again with a higher --budget")
    configure(live, session=100, action="stop")
    assert ask(session).status == 402, "a flag stands above the file"
    configure(live, action="warn")
    assert ask(session).status == 200


def test_where_nothing_in_the_file_can_help_a_new_start_is_named(live: Live, up: FakeUpstream) -> None:
    session = open_session(live, up, budget__daily="0.01", budget__action="stop")
    ask(session)
    said = message(ask(session))
    assert said.startswith("rlmc: today has cost $0.02, and budget.daily is $0.01 (RLMC_BUDGET_DAILY)")
    assert said.endswith("To go on: start again with a higher RLMC_BUDGET_DAILY")


def test_side_calls_stop_and_what_costs_nothing_goes_through(live: Live, up: FakeUpstream) -> None:
    configure(live, session=0.01, action="stop")
    session = open_session(live, up)
    ask(session)
    title = send(session.base_url, SMALL, x_claude_code_request_class="auxiliary")
    whole = send(session.base_url, SMALL | {"stream": False})
    strange = send(session.base_url, b'{"model": "claude-opus-5-5", "messages": 5}')
    assert [title.status, whole.status, strange.status] == [402, 402, 402]
    assert send(session.base_url, SMALL, "/v1/messages/count_tokens?beta=true").status == 200
    assert send(session.base_url, None, "/v1/models?limit=1000", method="GET").status != 402


def test_a_stopped_turn_is_in_the_books_and_no_saving(live: Live, up: FakeUpstream) -> None:
    configure(live, session=0.01, action="stop")
    session = open_session(live, up)
    for _ in range(3):
        ask(session)
    notes = session.end()["notes"]
    assert "over budget: 2 turns were not sent anywhere" in notes
    _, *stopped = turn_rows()
    assert [(t["outcome"], t["reason"], t["ending"], t["status"]) for t in stopped] == [
        ("direct", "budget", "error", 402)
    ] * 2
    assert [(t["baseline"], t["baseline_estimated"], t["draft_only"]) for t in stopped] == [(0, 0, 0)] * 2
    assert len(call_rows()) == 1
    reader = LedgerReader.open(ledger_path())
    report = account(reader, Scope(session=session.id), None).total
    reader.close()
    assert (report.saving.amount, report.saving.bound, report.draft_only.missing) == (0, "exact", 0)
    assert (report.turns, report.latency.count, report.reasons["budget"]) == (3, 1, 2)


def test_no_cache_is_kept_warm_for_a_stopped_session(
    live: Live, up: FakeUpstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure(live, session=0.01, action="stop")
    tried = threading.Event()
    keep = keepalive._keep

    async def at_once(waiting: keepalive.Waiting, _sleep: object) -> None:
        async def sleep(_seconds: float) -> None: ...

        began = time.monotonic() - keepalive.due_seconds(waiting.lifetime)
        await keep(replace(waiting, began=began), sleep)
        tried.set()

    monkeypatch.setattr(keepalive, "_keep", at_once)
    monkeypatch.setattr(keepalive, "pays", lambda *_: not tried.is_set())
    session = open_session(live, up, keep_alive="true")
    live.daemon._sessions.by_id(session.id).attached = 1  # type: ignore[union-attr]  # it was just opened
    # A turn that ends before there are prices counts only later, and these pings do not wait.
    asyncio.run_coroutine_threadsafe(live.daemon.books._ready.wait(), live.loop).result(20)
    ask(session, conversation(0))
    assert tried.wait(10)
    assert [e.json["max_tokens"] for e in up.messages] == [32_000]


# --- degrade --------------------------------------------------------------------------------------------------------

AFTER_READ = tools.request(
    "Fix it.", tools.use("t1", "Read", file_path="a.py"), tools.result("t1", "x"),
    model="claude-opus-5-5", tools=tools.ALL, stream=True,
)  # fmt: skip


@pytest.mark.parametrize(
    ("policy", "then"),
    [
        ("verify-only", "economy"),
        ("careful", "economy"),
        ("balanced", "economy"),
        ("paper", "economy"),
        ("economy", "economy"),
        ("draft-only", "draft-only"),
    ],
)
def test_degrade_runs_turns_with_economy_unless_the_policy_is_as_cheap(live: Live, policy: str, then: str) -> None:
    configure(live, session=0.01, action="degrade")

    def answers(body: dict[str, Any], _n: int) -> Reply:
        return Reply(calls=(("Read", {"file_path": "b"}),), output_tokens=20_000 if "haiku" in body["model"] else 1000)

    with FakeUpstream(answers, prices=PRICES) as up:
        session = open_session(live, up, policy=policy, draft_model="anthropic/claude-haiku-5-5")
        assert [ask(session, AFTER_READ).status for _ in range(2)] == [200, 200]
        notes = session.end()["notes"]
    first, second = turn_rows()
    assert (first["policy"], second["policy"]) == (policy, then)
    if policy == "verify-only":
        assert [e.json["model"] for e in up.messages] == ["claude-opus-5-5", "claude-haiku-5-5"]
        assert (second["outcome"], second["reason"]) == ("skipped", "stretch")
    assert ("over budget: 1 turn ran with the policy economy" in notes) is (policy != then)


def test_degrade_without_a_draft_model_changes_nothing_and_says_so(live: Live, up: FakeUpstream) -> None:
    configure(live, session=0.01, action="degrade")
    session = open_session(live, up, draft_model="none", policy="balanced")
    assert [ask(session).status for _ in range(2)] == [200, 200]
    assert {t["policy"] for t in turn_rows()} == {"balanced"}
    assert (
        "budget.action is degrade, but there is no draft model: a passed budget makes nothing cheaper"
        in session.end()["notes"]
    )
    (live.folder / "config" / "config.toml").write_text(
        'draft-model = "none"\n[budget]\ndaily = 1\naction = "degrade"\n'
    )
    live.control("POST", "/-/reload")
    assert "no draft model" in live.control("GET", "/-/status")[1]["budget_notice"]


# --- what is counted ------------------------------------------------------------------------------------------------


def test_every_call_is_counted_once_over_a_mixed_session(live: Live) -> None:
    with FakeUpstream(script, prices=PRICES) as up:
        session = open_session(
            live, up, policy="balanced", draft_model="anthropic/claude-haiku-5-5", budget__session="99"
        )
        for turn in range(20):
            ask(session, conversation(turn))
        _, mine = status(live, session)
        session.end()
    assert mine["budgets"][0]["spent"] == {
        "picodollars": up.billed, "dollars": f"{up.billed / 1e12:.12f}".rstrip("0"), "complete": True, "missing": 0,
    }  # fmt: skip


def test_a_days_budget_is_shared_by_its_sessions(live: Live, up: FakeUpstream) -> None:
    configure(live, daily=0.03, action="stop")
    one, other = open_session(live, up), open_session(live, up)
    assert [ask(one).status, ask(other).status] == [200, 200]
    assert [ask(one).status, ask(other).status, ask(open_session(live, up)).status] == [402, 402, 402]


def test_a_new_day_begins_with_nothing_spent(live: Live, up: FakeUpstream, monkeypatch: pytest.MonkeyPatch) -> None:
    configure(live, daily=0.01, action="stop")
    session = open_session(live, up)
    assert [ask(session).status for _ in range(2)] == [200, 402]
    monkeypatch.setattr(turns, "wall_us", lambda: time.time_ns() // 1000 + DAY)
    assert [ask(session).status for _ in range(2)] == [200, 402]


def test_turns_under_way_together_may_all_pass_it_and_none_after_them(live: Live) -> None:
    configure(live, session=0.01, action="stop")
    with FakeUpstream(lambda _b, _n: Reply("Hi.", output_tokens=1000, delay=0.5), prices=PRICES) as up:
        session = open_session(live, up)
        found: list[int] = []
        asking = [threading.Thread(target=lambda: found.append(send(session.base_url, SMALL).status)) for _ in range(4)]
        for one in asking:
            one.start()
        for one in asking:
            one.join(20)
        assert found == [200] * 4
        assert ask(session).status == 402
        _, mine = status(live, session)
    assert mine["budgets"][0]["spent"]["picodollars"] == up.billed
    assert len(up.messages) == 4


def test_a_restart_of_the_daemon_forgets_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, up: FakeUpstream
) -> None:
    with live_daemon(tmp_path, monkeypatch) as daemon:
        configure(daemon, session=0.03, daily=0.05, action="stop")
        session = open_session(daemon, up, id="0123456789abcdef")
        assert ask(session).status == 200
    with live_daemon(tmp_path, monkeypatch) as daemon:
        answer = daemon.control("GET", "/-/status")[1]
        assert answer["budgets"][0]["spent"]["picodollars"] == up.billed, "before any session is back"
        session = open_session(daemon, up, id="0123456789abcdef")
        assert [ask(session).status for _ in range(2)] == [200, 402]
        assert "this session has cost $0.04" in message(ask(session))
        other = open_session(daemon, up)
        assert [ask(other).status for _ in range(2)] == [200, 402]
        assert "today has cost $0.06" in message(ask(other))


def test_simulated_money_counts_for_simulated_sessions_alone(live: Live, up: FakeUpstream) -> None:
    configure(live, daily=0.01, action="stop")
    played = live.open_session(overrides={"verify-model": "sim/verify+latency=0", "draft-model": "none"})
    long = tools.request("Say hi. " * 20_000, model="claude-opus-5-5", stream=True)
    assert [ask(played, long).status for _ in range(2)] == [200, 402]
    assert live.control("GET", "/-/status")[1]["budgets"][0]["over"] is True, "there is nothing real"
    session = open_session(live, up)
    assert [ask(session).status for _ in range(2)] == [200, 402]
    assert live.control("GET", "/-/status")[1]["budgets"][0]["spent"]["picodollars"] == up.billed


def test_a_spend_of_unknown_parts_is_at_least_what_is_known(live: Live, up: FakeUpstream) -> None:
    configure(live, session=0.01, action="stop")
    session = open_session(live, up, verify_model="mine/some-model", upstream__mine__base_url=up.url)
    assert [ask(session).status for _ in range(3)] == [200] * 3, "nothing says that it is passed"
    _, mine = status(live, session)
    assert (mine["budgets"][0]["over"], mine["budgets"][0]["spent"]["missing"]) == (False, 3)
    assert mine["budgets"][0]["words"] == "unknown of $0.01, at most $0.01 left"


# --- the count by itself --------------------------------------------------------------------------------------------

NOON = int(datetime(2026, 3, 28, 12).astimezone().timestamp()) * 1_000_000


@pytest.fixture
def berlin(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def booked(turn: TurnRecord, *, simulated: bool = False) -> Booked:
    return Booked(turn, "test", True, turn.calls, simulated=simulated)


def test_a_day_is_a_local_one_also_where_the_clock_changes(berlin: None) -> None:
    begin, end = bounds(int(datetime(2026, 3, 29, 12).astimezone().timestamp()) * 1_000_000)
    assert (end - begin) // 3_600_000_000 == 23
    begin, end = bounds(int(datetime(2026, 10, 25, 0, 30).astimezone().timestamp()) * 1_000_000)
    assert (end - begin) // 3_600_000_000 == 25
    assert begin == int(datetime(2026, 10, 25).astimezone().timestamp()) * 1_000_000


def test_a_turn_counts_for_the_day_it_began_on(tmp_path: Path) -> None:
    count = Budgets(tmp_path / "none.db", lambda: NOON)
    begin, end = bounds(NOON)
    count.observe(booked(books.turn(at=begin)))
    count.observe(booked(books.turn(at=end - 1)))
    assert count._day.at(NOON).real.known == 2 * CENT
    count.observe(booked(books.turn(at=end)))
    count.observe(booked(books.turn(at=end - 1)))
    assert count._day.at(end).real.known == CENT


def write(path: Path, *turns: TurnRecord) -> None:
    ledger = Ledger.open(path)
    ledger.start_session(books.session("s1"))
    ledger.start_session(books.session("played", simulated=True))
    for turn in turns:
        ledger.record(turn)
    assert ledger.flush(10)
    ledger.close()


def test_what_was_spent_before_is_read_once(tmp_path: Path) -> None:
    begin, _ = bounds(NOON)
    write(
        tmp_path / "ledger.db",
        books.turn(at=begin - 1),
        books.turn(at=begin),
        books.turn(books.call(cost=None), at=begin + 5, session="played"),
        books.turn(books.call(), books.call(cost=None), at=NOON - 1),
        books.turn(at=NOON + 1),  # of this daemon's own time: its observer counts it
    )

    async def run() -> tuple[Budgets, Spending]:
        count = Budgets(tmp_path / "ledger.db", lambda: NOON)
        await count.load()
        mine = await count.open("s1", simulated=False)
        assert await count.open("s1", simulated=False) is mine
        return count, mine

    count, mine = asyncio.run(run())
    assert (mine.spent.known, mine.spent.missing) == (3 * CENT, 1)
    day = count._day.at(NOON)
    assert (day.real.known, day.real.missing, day.simulated.missing) == (2 * CENT, 1, 1)
    count.observe(booked(books.turn(at=NOON + 1)))
    assert (mine.spent.known, day.real.known) == (4 * CENT, 3 * CENT)


def test_a_ledger_that_cannot_be_read_makes_the_spend_at_least_what_is_counted(tmp_path: Path) -> None:
    (tmp_path / "ledger.db").write_bytes(b"no ledger at all " * 100)

    async def run() -> Spending:
        count = Budgets(tmp_path / "ledger.db", lambda: NOON)
        await count.load()
        return await count.open("s1", simulated=False)

    mine = asyncio.run(run())
    assert mine.spent.missing > 0
    assert mine.day.at(NOON).real.missing > 0


def test_a_session_that_is_over_is_forgotten_and_its_last_calls_still_count_for_the_day(tmp_path: Path) -> None:
    count = Budgets(tmp_path / "none.db", lambda: NOON)
    asyncio.run(count.open("s1", simulated=False))
    gc.collect()
    assert len(count._sessions) == 0
    count.observe(booked(books.turn(at=NOON)))
    count.observe(booked(books.turn(books.call(model=Model("sim", "verify")), at=NOON), simulated=True))
    day = count._day.at(NOON)
    assert (day.real.known, day.simulated.known) == (CENT, CENT)
    # Its draft model is simulated, and this turn went to another one: the ledger counts it with the session's.
    count.observe(booked(books.turn(at=NOON), simulated=True))
    assert (day.real.known, day.simulated.known) == (CENT, 2 * CENT)


def test_a_clock_that_is_set_back_finds_the_day_it_had(tmp_path: Path) -> None:
    count = Budgets(tmp_path / "none.db", lambda: NOON)
    count.observe(booked(books.turn(at=NOON)))
    years_ahead = NOON + 3650 * DAY
    count.observe(booked(books.turn(at=years_ahead)))
    assert count._day.at(years_ahead).real.known == CENT
    count._day.at(NOON + 1)
    count.observe(booked(books.turn(at=NOON + 1)))
    today = count._day.at(NOON + 2)
    assert (today.real.known, today.real.missing) == (2 * CENT, 0)
    assert count._day.at(NOON - 30 * DAY).real.missing == 1, "of a day before all that nobody knows"
    for ahead in range(20):
        count._day.at(years_ahead + ahead * DAY)
    assert len(count._day._before) <= 5
