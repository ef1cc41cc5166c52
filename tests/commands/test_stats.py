"""`rlmc stats` from the outside: which turns, how they are shown, and what is said beside the figures."""

from __future__ import annotations

import csv
import io
import json
import os
import pty
import re
import shlex
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import typer
from tests.support.audited import Audited
from tests.support.books import CENT, call, session, turn
from tests.support.prices import HAIKU, NOBODY
from typer.testing import CliRunner, Result

from rlmc.commands.stats import register
from rlmc.domain.outcome import Outcome, Reason
from rlmc.domain.record import SessionRecord, TurnRecord
from rlmc.errors import LedgerError, RlmcError, UsageError
from rlmc.ledger.store import Ledger

Stats = Callable[..., Result]


@pytest.fixture
def books(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("RLMC_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("TZ", "Europe/Berlin")
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    time.tzset()
    return tmp_path / "ledger.db"


@pytest.fixture
def stats(books: Path) -> Stats:
    app = typer.Typer()
    register(app)
    app.command("other")(lambda: None)

    def run(*args: str) -> Result:
        return CliRunner().invoke(app, ["stats", *args])

    return run


def write(path: Path, *records: SessionRecord | TurnRecord) -> None:
    ledger = Ledger.open(path)
    for record in records:
        if isinstance(record, SessionRecord):
            ledger.start_session(record)
        else:
            ledger.record(record)
    assert ledger.flush(10)
    ledger.close()


def ago(days: float = 0) -> int:
    """Noon of the day so many days before today."""
    noon = datetime.now().astimezone().replace(hour=12, minute=0, second=0, microsecond=0)
    return int((noon - timedelta(days=days)).timestamp()) * 1_000_000


def data(result: Result) -> Any:
    assert result.exception is None, result.output
    found = json.loads(result.stdout)
    assert found["schema"] == "rlmc.stats/1"
    return found["data"]


def problem(result: Result) -> RlmcError:
    assert isinstance(result.exception, RlmcError), result.output
    assert result.exception.hint
    return result.exception


def skipped(cost: int | None = CENT // 100, **changes: Any) -> TurnRecord:
    draft = call("draft", model=changes.pop("model", HAIKU), cost=cost)
    return turn(draft, outcome=Outcome.SKIPPED, reason=Reason.AFTER_READ, estimated=True, **changes)


# --- which turns ----------------------------------------------------------------------------------------------------


def test_empty_books_say_what_to_do(stats: Stats) -> None:
    result = stats()
    assert result.exit_code == 0
    assert "rlmc run --" in result.stdout
    assert "rlmc demo" in result.stdout
    assert data(stats("--json"))["total"]["turns"] == 0


def test_today_is_the_default_and_everything_where_there_is_no_today(stats: Stats, books: Path) -> None:
    write(books, session(), turn(at=ago(3)), turn(at=ago(40)))
    everything = data(stats("--json"))
    assert (everything["total"]["turns"], everything["period"]["name"]) == (2, "all time")
    assert everything["notes"] == ["No turns today, so this is everything."]
    assert "No turns today" in stats().stdout
    write(books, turn(at=ago()))
    today = data(stats("--json"))
    assert (today["total"]["turns"], today["period"]["name"], today["notes"]) == (1, "today", [])


@pytest.mark.parametrize(
    ("args", "turns"),
    [
        (["--today"], 1),
        (["--yesterday"], 2),
        (["--all"], 6),
        (["--since", "2DAYS"], 4),
        (["--until", "2DAYS"], 3),
        (["--since", "2DAYS", "--until", "2DAYS"], 1),
        (["--since", "2090-01-01"], 0),
    ],
)
def test_periods(stats: Stats, books: Path, args: list[str], turns: int) -> None:
    days = (0, 1, 1, 2, 40, 400)
    write(books, session(), *(turn(at=ago(d)) for d in days))
    two_days_ago = datetime.fromtimestamp(ago(2) / 1e6).astimezone().date().isoformat()
    found = data(stats(*(arg.replace("2DAYS", two_days_ago) for arg in args), "--json"))
    assert found["total"]["turns"] == turns


@pytest.mark.parametrize("name", ["--week", "--month"])
def test_calendar_periods_reach_up_to_now(stats: Stats, books: Path, name: str) -> None:
    write(books, session(), turn(at=ago()), turn(at=ago(32)))
    found = data(stats(name, "--json"))
    assert found["total"]["turns"] == 1
    since = datetime.fromisoformat(found["period"]["since"])
    assert (since.hour, since.minute) == (0, 0)
    assert since.weekday() == 0 if name == "--week" else since.day == 1


def test_a_period_without_turns_says_where_the_others_are(stats: Stats, books: Path) -> None:
    write(books, session(), turn(at=ago(9)))
    day = datetime.fromtimestamp(ago(9) / 1e6).astimezone().date()
    *said, command = stats("--today").stdout.splitlines()
    assert f"The last one was on {day:%A, %Y-%m-%d}, at 12:00." in " ".join(said)
    assert command.split() == ["rlmc", "stats", "--since", f"{day}"]
    assert data(stats(*command.split()[2:], "--json"))["total"]["turns"] == 1


def test_one_session_by_id_beginning_name_or_as_the_last(stats: Stats, books: Path) -> None:
    write(
        books,
        session("abc111", started_at=ago(1), name="fix"),
        session("abd222", started_at=ago()),
        turn(session="abc111", at=ago(1)),
        turn(session="abd222", at=ago()),
        turn(session="abd222", at=ago()),
    )
    assert [data(stats(name, "--json"))["total"]["turns"] for name in ("abc111", "abc", "fix", "abd")] == [1, 1, 1, 2]
    assert data(stats("--last", "--json"))["total"]["turns"] == 2
    assert "abd222" in stats("--last").stdout
    assert "ab" in problem(stats("ab")).message
    assert "abc111" in problem(stats("ab")).message
    assert "nothing-like-it" in problem(stats("nothing-like-it")).message


@pytest.mark.parametrize(
    "args",
    [["--today", "--all"], ["x", "--last"], ["--week", "--since", "2026-01-01"], ["--json", "--csv"]],
)
def test_contradictions_are_refused(stats: Stats, args: list[str]) -> None:
    assert isinstance(problem(stats(*args)), UsageError)


def test_a_damaged_ledger_is_an_error_with_a_way_out(stats: Stats, books: Path) -> None:
    books.write_bytes(b"nothing like a database")
    assert isinstance(problem(stats()), LedgerError)


# --- which project and branch ----------------------------------------------------------------------------------------


@pytest.fixture
def places(books: Path) -> Path:
    """A project, one below it, one whose name only begins alike, and one on another branch."""
    found = (("a", "/p/shop", "main"), ("b", "/p/shop/api", "main"), ("c", "/p/shop-2", "main"), ("d", "/q", "try"))
    for id, directory, branch in found:
        made = replace(session(id, started_at=ago(3), name=f"of {id}"), directory=directory, git_branch=branch)
        write(books, made, turn(session=id, at=ago(3)))
    write(
        books, replace(session("e", started_at=ago()), directory="/q", git_branch="main"), turn(session="e", at=ago())
    )
    return books


@pytest.mark.parametrize(
    ("args", "turns"),
    [
        (["--project", "/p/shop"], 2),
        (["--project", "/p/shop/"], 2),
        (["--project", "/p/shop/../shop/api"], 1),
        (["--project", "/"], 5),
        (["--branch", "try"], 1),
        (["--project", "/q", "--branch", "main"], 1),
        (["--project", "/q", "--branch", "main", "--yesterday"], 0),
    ],
)
def test_a_project_and_a_branch_leave_only_their_sessions(
    stats: Stats, places: Path, args: list[str], turns: int
) -> None:
    period = [] if "--yesterday" in args else ["--all"]
    assert data(stats(*args, *period, "--json"))["total"]["turns"] == turns


def test_a_project_is_where_one_stands_or_at_home(
    stats: Stats, books: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    here = tmp_path / "work"
    here.mkdir()
    write(books, replace(session(started_at=ago()), directory=str(here)), turn(at=ago()))
    monkeypatch.chdir(here)
    monkeypatch.setenv("HOME", str(tmp_path))
    for project in (".", "~/work", "../work", "~"):
        found = data(stats("--project", project, "--json"))
        assert found["total"]["turns"] == 1
    assert "project ~/work and below" in stats("--project", ".").stdout


def test_without_a_period_the_day_counts_of_the_place_alone(stats: Stats, places: Path) -> None:
    found = data(stats("--branch", "try", "--json"))
    assert (found["period"]["name"], found["branch"], found["project"]) == ("all time", "try", None)
    assert found["notes"] == ["No turns today, so this is everything."]
    assert data(stats("--branch", "main", "--json"))["period"]["name"] == "today"


def test_a_place_without_turns_names_the_places_there_are(stats: Stats, places: Path) -> None:
    text = " ".join(stats("--project", "/nowhere").stdout.split())
    assert "No turns of sessions in /nowhere or below it." in text
    assert "Projects in the ledger, the newest first: /q, /p/shop, /p/shop-2, /p/shop/api." in text
    text = " ".join(stats("--branch", "gone").stdout.split())
    assert "Branches in the ledger, the newest first: main, try." in text
    text = " ".join(stats("--project", "/p/shop", "--branch", "try").stdout.split())
    assert "No turns on the branch try in /p/shop or below it. Branches in the ledger" in text
    *_, command = stats("--project", "/p/shop", "--today").stdout.splitlines()
    assert data(stats(*command.split()[2:], "--json"))["total"]["turns"] == 2


def test_the_command_that_shows_a_place_can_be_pasted(
    stats: Stats, books: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", "/home/ada")
    odd = replace(session(started_at=ago(2)), directory="/home/ada/a b;c", git_branch="it's")
    write(books, odd, turn(at=ago(2)))
    *_, command = stats("--today", "--project", "/home/ada/a b;c", "--branch", "it's").stdout.splitlines()
    assert command.strip().startswith("""rlmc stats --project ~/'a b;c' --branch 'it'"'"'s' --since 20""")
    assert data(stats(*shlex.split(command)[2:], "--json"))["total"]["turns"] == 1


def test_a_session_is_shown_with_its_name_project_and_branch(stats: Stats, places: Path) -> None:
    first, second, *_ = stats("b").stdout.splitlines()
    assert "session b (claude, of b, " in first
    assert second == "project /p/shop/api, branch main"
    found = data(stats("b", "--json"))
    assert (found["project"], found["branch"]) == ("/p/shop/api", "main")
    assert found["session"] == {"id": "b", "name": "of b", "client": "claude"}


@pytest.mark.parametrize("other", [["b"], ["--last"], ["--check"]])
def test_a_place_goes_with_periods_only(stats: Stats, places: Path, other: list[str]) -> None:
    assert "--project" in problem(stats("--project", "/p", *other)).message
    assert "--branch" in problem(stats("--branch", "x", *other)).message


def test_days_are_drawn_where_there_is_more_than_one(stats: Stats, books: Path) -> None:
    write(books, session(), skipped(baseline=CENT, at=ago(2)), skipped(baseline=8 * CENT, at=ago()))
    line = next(line for line in stats("--all").stdout.splitlines() if line.startswith("saved by day"))
    assert line.startswith("saved by day  ▁ █  ")
    assert "best $0.08 on " in line
    assert "saved by day" in stats("--all", "--by", "day").stdout
    assert "saved by day" not in stats("--today").stdout
    assert data(stats("--all", "--json"))["groups"] == []


# --- figures ----------------------------------------------------------------------------------------------------------


def test_amounts_come_as_picodollars_and_as_decimal_dollars(stats: Stats, books: Path) -> None:
    write(books, session(), skipped(cost=123_456_789_012, baseline=3 * CENT, at=ago()), turn(at=ago()))
    total = data(stats("--json"))["total"]
    assert total["paid"] == {
        "picodollars": 133_456_789_012,
        "dollars": "0.133456789012",
        "complete": True,
        "missing": 0,
    }
    assert total["baseline"]["dollars"] == "0.04"
    assert total["baseline"]["estimated_turns"] == 1
    assert total["saved"]["picodollars"] == 4 * CENT - 133_456_789_012
    assert total["saved"]["bound"] == "exact"
    assert total["outcomes"] == {"skipped": 1, "accepted": 0, "enhanced": 0, "direct": 1}
    assert total["draft"]["cache_read_share"] == 0.8
    assert total["draft"]["cache_write_5m_tokens"] == 10


def test_unknown_prices_make_bounds_everywhere(stats: Stats, books: Path) -> None:
    write(books, session(), skipped(cost=None, model=NOBODY, baseline=3 * CENT, at=ago()), turn(at=ago()))
    total = data(stats("--json"))["total"]
    assert (total["paid"]["complete"], total["saved"]["bound"], total["saved"]["share"]) == (False, "at most", None)
    assert total["unpriced_calls"] == {"foo/bar": 1}
    text = stats().stdout
    assert "at least $0.01" in text
    assert re.search(r"^saved +at most \$0\.03", text, re.MULTILINE)
    assert "1 call has no known price: foo/bar." in text
    assert "≥ $0.01" in stats("--by", "day").stdout


def test_losses_are_shown(stats: Stats, books: Path) -> None:
    write(books, session(), turn(call(cost=3 * CENT), baseline=CENT, at=ago()))
    text = stats("--by", "client").stdout
    assert "lost" in text
    assert "$0.02" in text
    assert "-$0.02" in text
    assert data(stats("--json"))["total"]["saved"]["dollars"] == "-0.02"


def test_what_is_estimated_or_missing_is_said(stats: Stats, books: Path) -> None:
    write(
        books,
        session(),
        skipped(at=ago()),
        turn(call("draft", served=False), call("direct", estimated=True), reason=Reason.SAFEGUARDS, at=ago()),
        turn(call(usage=None, cost=None), ending="client-gone", at=ago()),
    )
    text = stats().stdout
    assert "estimated on 1 of 3 turns; assumes no extra turns" in text
    assert "1 draft paid for and not used" in text
    assert "not audited (1 turn that a draft answered)" in text
    assert "Usage was reckoned on 1 call" in text
    assert "1 turn did not come to a proper end" in text
    assert "1 call sent no usage" in text
    assert "--permission-mode acceptEdits" in text
    assert "Reasons: after-read 1 · safeguards 1 · unsure 1" in text


def test_simulated_turns_are_labelled_and_kept_apart(stats: Stats, books: Path) -> None:
    demo = session("demo", started_at=ago(), simulated=True)
    write(books, demo, *(turn(session="demo", at=ago()) for _ in range(3)))
    assert "Simulated models, simulated prices." in stats().stdout
    write(books, session("real", started_at=ago()), turn(session="real", at=ago()))
    mixed = data(stats("--json"))
    assert (mixed["total"]["turns"], mixed["total"]["simulated"], mixed["simulated_turns_left_out"]) == (1, False, 3)
    assert "3 simulated turns left out." in stats().stdout


def kept(records: list[TurnRecord]) -> list[TurnRecord]:
    """Turns as a newer version keeps them: with a range, the draft model alone, a check, and a kept cache."""
    return [
        replace(
            record,
            baseline_bias=CENT / 10,
            draft_only=CENT // 50,
            calls=(*record.calls, replace(call("verify", cost=CENT // 20), brief=True), call("keepalive", cost=7)),
        )
        for record in records
    ]


def test_the_range_the_draft_model_alone_checks_and_kept_caches_are_shown(stats: Stats, books: Path) -> None:
    write(books, session(), *kept([skipped(baseline=5 * CENT, at=ago()) for _ in range(3)]))
    text = stats().stdout
    assert re.search(r"^baseline +\$0\.15 ± 0\.00", text, re.MULTILINE) is None
    assert re.search(r"^draft only +\$0\.0006 +what the draft model alone", text, re.MULTILINE)
    assert re.search(r"^checks +\$0\.0015 +3 drafts verified on a compact context", text, re.MULTILINE)
    assert re.search(r"^keep-alive +<\$0\.000001 +3 calls that only kept a cache warm", text, re.MULTILINE)
    total = data(stats("--json"))["total"]
    assert total["baseline"]["half_width"] == {"picodollars": 3 * CENT // 10, "dollars": "0.003"}
    assert total["draft_only"]["dollars"] == "0.0006"
    assert (total["brief"]["calls"], total["brief"]["paid"]["picodollars"]) == (3, 3 * CENT // 20)
    assert (total["keepalive"]["calls"], total["keepalive"]["paid"]["picodollars"]) == (3, 21)
    assert total["verify"]["calls"] == 6
    [row] = csv.DictReader(io.StringIO(stats("--csv").stdout))
    assert list(row.values())[-8:-2] == ["0.003", "0.0006", "3", "0.0015", "3", "0.000000000021"]
    write(books, *(replace(one, baseline_bias=CENT * 1.0) for one in kept([skipped(baseline=5 * CENT, at=ago())])))
    assert re.search(r"^baseline +\$0\.20 ± 0\.01 ", stats().stdout, re.MULTILINE)


def test_what_audits_cost_has_a_line_of_its_own_and_is_paid(stats: Stats, books: Path) -> None:
    after = (call("audit", cost=CENT, served=False), *(call("judge", cost=CENT // 10, served=False) for _ in range(3)))
    one = skipped(at=ago())
    write(books, session(), replace(one, calls=(*one.calls, *after)), skipped(at=ago()))
    text = stats().stdout
    assert re.search(r"^audits +\$0\.013 +1 answer without the draft, 3 judgements", text, re.MULTILINE)
    total = data(stats("--json"))["total"]
    assert (total["audit"]["calls"], total["audit"]["paid"]["picodollars"]) == (4, 13 * CENT // 10)
    assert total["paid"]["picodollars"] >= total["audit"]["paid"]["picodollars"]
    [row] = csv.DictReader(io.StringIO(stats("--csv").stdout))
    assert (row["audit_calls"], row["audit_paid_usd"]) == ("4", "0.013")
    assert not re.search(r"^audits ", stats("--yesterday").stdout, re.MULTILINE)


def test_the_quality_line_is_of_the_epoch_and_has_its_counts(stats: Stats, books: Path) -> None:
    epoch = Audited(books, at=ago())
    epoch.direct(10)
    epoch.served(35)
    epoch.audited(0.0, 4)
    epoch.audited(1.0)
    epoch.audited(1.0, how="failed")
    epoch.unaudited(2)
    epoch.close()
    found = data(stats("--json"))
    assert (found["total"]["auditable_turns"], found["total"]["unaudited_turns"]) == (41, 2)
    line = found["quality"]["line"]
    assert line == (
        "not certified yet (6 audits, 1 worse, 1 without a verdict; bound 81 % of turns, target 2 %); "
        "not audited: 2 turns that a draft answered"
    )
    assert line in " ".join(stats().stdout.split())
    assert found["quality"]["standing"]["audits"]["material"] == 1
    assert "bound" not in stats("--yesterday").stdout


def test_rows_of_older_versions_have_no_range_and_claim_nothing_of_the_draft_model(stats: Stats, books: Path) -> None:
    write(books, session(), skipped(at=ago()))
    text = stats().stdout
    assert not any(word in text for word in ("±", "draft only", "checks", "keep-alive"))
    total = data(stats("--json"))["total"]
    assert (total["baseline"]["half_width"]["picodollars"], total["draft_only"]["complete"]) == (0, False)
    [row] = csv.DictReader(io.StringIO(stats("--csv").stdout))
    assert (row["draft_only_usd"], row["brief_calls"]) == ("", "0")


# --- groups and forms -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("by", ["session", "day", "model", "outcome", "client", "project", "branch"])
def test_every_grouping_adds_up_in_json_csv_and_text(stats: Stats, books: Path, by: str) -> None:
    write(
        books,
        session("s1", started_at=ago(1), name="first"),
        session("s2", started_at=ago()),
        skipped(session="s1", at=ago(1), served_model="anthropic/claude-haiku-5-5"),
        turn(session="s2", at=ago()),
        turn(session="s2", at=ago()),
    )
    found = data(stats("--all", "--by", by, "--json"))
    assert found["by"] == by
    assert sum(group["turns"] for group in found["groups"]) == 3
    total = found["total"]["paid"]["picodollars"]
    assert sum(group["paid"]["picodollars"] for group in found["groups"]) == total
    table = list(csv.DictReader(io.StringIO(stats("--all", "--by", by, "--csv").stdout)))
    assert [row[by] for row in table] == [group["key"] for group in found["groups"]]
    assert [int(row["turns"]) for row in table] == [group["turns"] for group in found["groups"]]
    text = stats("--all", "--by", by).stdout
    assert all(group["key"] in text for group in found["groups"])
    assert "A saving belongs to a whole session" in text


def test_csv_without_groups_is_one_row_of_the_total(stats: Stats, books: Path) -> None:
    write(books, session(), skipped(cost=None, at=ago()))
    [row] = csv.DictReader(io.StringIO(stats("--csv").stdout))
    assert (row["turns"], row["paid_complete"], row["saved_bound"], row["share"]) == ("1", "0", "at most", "")


def test_text_fits_eighty_columns_and_has_no_colours_in_a_pipe(stats: Stats, books: Path) -> None:
    long = "x" * 200
    record = session("s" * 40, started_at=ago(), name=long)
    write(
        books,
        record,
        *(
            turn(
                call(cost=10**16),
                call(cost=None, model=NOBODY),
                baseline=2 * 10**16,
                session=record.id,
                at=ago(),
                served_model=long,
            )
            for _ in range(3)
        ),
    )
    for by in ("session", "model", "client"):
        text = stats("--by", by).stdout
        assert max(len(line.rstrip()) for line in text.splitlines()) <= 80
        assert "\x1b" not in text
        assert "≥ $30,000.00" in text  # names are shortened, amounts are not
        assert "≤ $30,000.00" in text


@pytest.mark.parametrize(("variable", "coloured"), [("RLMC_UNUSED", True), ("NO_COLOR", False)])
def test_colours_are_for_terminals_and_can_be_turned_off(books: Path, variable: str, coloured: bool) -> None:
    """On a real terminal, because that is where it matters."""
    write(books, session(), skipped(at=ago()), turn(at=ago()))
    code = "import typer; from rlmc.commands.stats import stats; typer.run(stats)"
    leader, follower = pty.openpty()
    try:
        env = {k: v for k, v in os.environ.items() if k != "NO_COLOR"} | {variable: "1", "TERM": "xterm-256color"}
        subprocess.run([sys.executable, "-c", code], stdout=follower, env=env, check=True)
        shown = os.read(leader, 65536)
    finally:
        os.close(leader)
        os.close(follower)
    assert b"saved" in shown
    assert (b"\x1b[" in shown) is coloured


def test_names_are_printed_as_they_are_and_never_as_markup(stats: Stats, books: Path) -> None:
    write(books, session(started_at=ago(), name="[red]x[/red] :smile: \x1b[2J"), turn(at=ago()))
    text = stats("--by", "session").stdout
    assert "[red]x[/red] :smile: ?[2J" in text
    assert "\x1b" not in text


def test_no_heavy_module_is_imported_before_it_is_needed() -> None:
    heavy = {"httpx", "aiohttp", "uvicorn", "uvloop", "genai_prices", "jsonschema_rs", "msgspec", "pydantic", "asyncio"}
    code = "import sys, rlmc.ui.summary, rlmc.commands.stats; print('rich' in sys.modules, *sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert loaded[0] == "False"
    assert not heavy & set(loaded)


@pytest.mark.parametrize("args", [["--project", ""], ["--branch", ""], [""]])
def test_an_empty_name_is_refused(stats: Stats, places: Path, args: list[str]) -> None:
    assert "is empty" in problem(stats(*args)).message
