"""`rlmc statusline`: the figures of `stats` in one line, and never an error."""

from __future__ import annotations

import asyncio
import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support import books, cli, tools
from tests.support.books import CENT, call
from tests.support.command_line import Rlmc
from tests.support.daemons import own_folders
from tests.support.fake_upstream import FakeUpstream, Reply
from tests.support.ledger_rows import ledger_path, turn_rows
from tests.support.live import Live
from tests.support.mixed_session import PRICES, conversation, script
from tests.support.wire_client import send

from rlmc.commands import config, stats
from rlmc.commands.session_line import session_line
from rlmc.config.paths import state_file
from rlmc.domain.outcome import Outcome
from rlmc.domain.record import SessionRecord, TurnRecord
from rlmc.ledger.store import Ledger
from rlmc.views.figures import percent


def shown(session: str | None, given: bytes | None = b"{}") -> str:
    env = {"RLMC_SESSION": session} if session is not None else {}

    ran = subprocess.run(
        [sys.executable, "-m", "rlmc", "statusline"],
        input=given,
        stdin=subprocess.DEVNULL if given is None else None,
        env={**os.environ, **env},
        capture_output=True,
        timeout=60,
    )
    assert (ran.returncode, ran.stderr) == (0, b"")
    return ran.stdout.decode().rstrip("\n")


def claim() -> Path:
    """What a living daemon shows of itself; the one in this process does not."""
    state_file().parent.mkdir(parents=True, exist_ok=True)
    state_file().write_text("{}")
    return state_file()


@pytest.fixture
def running() -> Path:
    return claim()


def write(*records: SessionRecord | TurnRecord) -> None:
    ledger = Ledger.open(ledger_path())
    for record in records:
        ledger.start_session(record) if isinstance(record, SessionRecord) else ledger.record(record)
    assert ledger.flush(10)
    ledger.close()


def test_its_figures_are_those_of_stats(live: Live) -> None:
    claim()
    with FakeUpstream(script, prices=PRICES) as up:
        session = live.open_session(overrides={"upstream.anthropic.base-url": up.url})
        assert shown(session.id) == "rlmc balanced · no turns yet"
        for turn in range(12):
            send(session.base_url, conversation(turn), x_claude_code_session_id="s1")
        session.end()
    told = json.loads(cli.run(stats.register, "stats", session.id, "--json").out)["data"]["total"]
    line = shown(session.id)
    model, saved, skipped = line.split(" · ")
    last = [row["served_model"] for row in turn_rows() if row["request_class"] != "auxiliary"][-1]
    assert model == f"rlmc {last.partition('/')[2]}"
    assert told["baseline"]["estimated_turns"] > 0
    assert "~$" in saved
    assert float(saved.split("$")[1].split()[0]) == pytest.approx(abs(float(told["saved"]["dollars"])), rel=0.05)
    assert saved.startswith("saved" if float(told["saved"]["dollars"]) >= 0 else "lost")
    assert skipped == f"{percent(told['outcomes']['skipped'] / 12)} skipped"
    assert "\n" not in line
    assert len(line) <= 60


@pytest.mark.usefixtures("running")
def test_what_is_known_exactly_is_not_called_an_estimate() -> None:
    write(
        books.session(),
        books.turn(call(cost=30 * CENT), baseline=20 * CENT),
        books.turn(call("draft", cost=CENT), baseline=5 * CENT, outcome=Outcome.SKIPPED),
    )
    assert shown("s1") == "rlmc claude-opus-5-5 · lost $0.06 (24 %) · 50 % skipped"


@pytest.mark.usefixtures("running")
def test_an_unknown_saving_is_unknown() -> None:
    write(books.session(), books.turn(call(cost=None, usage=None), baseline=None))
    assert shown("s1") == "rlmc claude-opus-5-5 · saving unknown · 0 % skipped"


@pytest.mark.usefixtures("running")
def test_a_long_name_gives_way_to_the_figures() -> None:
    model = f"custom/{'long-' * 20}name"
    write(books.session(), books.turn(call(cost=30 * CENT), baseline=40 * CENT, served_model=model))
    line = shown("s1")
    assert line.endswith("long-name · saved $0.10 (25 %) · 0 % skipped")
    assert len(line) == 60


def test_without_a_daemon_it_says_so_beside_the_figures(running: Path) -> None:
    write(books.session())
    running.unlink()
    assert shown("s1") == "rlmc stopped · no turns yet"
    write(books.turn(call(cost=30 * CENT), baseline=40 * CENT))
    assert shown("s1") == "rlmc stopped · saved $0.10 (25 %) · 0 % skipped"


SMALL = tools.request("Say hi.", model="claude-opus-5-5", stream=True)


@pytest.mark.parametrize(
    ("action", "said"), [("stop", "over budget"), ("degrade", "over budget"), ("warn", "claude-opus-5-5")]
)
def test_a_passed_budget_is_said_once_it_changed_a_turn(live: Live, action: str, said: str) -> None:
    claim()
    with FakeUpstream(lambda _b, _n: Reply("Hi.", output_tokens=1000), prices=PRICES) as up:
        session = live.open_session(
            overrides={
                "upstream.anthropic.base-url": up.url,
                "policy": "verify-only",
                "draft-model": "anthropic/claude-haiku-5-5",
                "budget.session": "0.01",
                "budget.action": action,
            },
            keys={"ANTHROPIC_API_KEY": "k"},
        )
        asyncio.run_coroutine_threadsafe(live.daemon.books._ready.wait(), live.loop).result(20)
        answers = [send(session.base_url, SMALL, x_claude_code_session_id="s1").status for _ in range(5)]
        session.end()
    assert (answers[-1] == 402) is (action == "stop")
    assert (turn_rows()[-1]["policy"] == "economy") is (action == "degrade")
    assert shown(session.id).startswith(f"rlmc {said} · ")


def test_another_policy_is_no_passed_budget(live: Live) -> None:
    claim()
    with FakeUpstream(lambda _b, _n: Reply("Hi."), prices=PRICES) as up:
        session = live.open_session(overrides={"upstream.anthropic.base-url": up.url, "policy": "careful"})
        send(session.base_url, SMALL, x_claude_code_session_id="s1")
        session.end()
    with sqlite3.connect(ledger_path()) as db:
        db.execute("UPDATE sessions SET policy = 'balanced'")
    db.close()
    assert shown(session.id).startswith("rlmc claude-opus-5-5 · ")


@pytest.mark.usefixtures("running")
@pytest.mark.parametrize(
    "given", [b"", b"{", b"\xff\xfe", b"[]" * 1000, None], ids=["none", "half", "bytes", "long", "closed"]
)
def test_what_it_is_told_does_not_matter(given: bytes | None) -> None:
    assert shown("nobody", given) == "rlmc · no turns yet"


def test_outside_a_run_it_says_so() -> None:
    assert session_line(None) == session_line("") == "rlmc: not in use"


def test_a_damaged_ledger_is_no_error() -> None:
    ledger_path().parent.mkdir(parents=True)
    ledger_path().write_bytes(b"no database at all" * 100)
    assert shown("some") == "rlmc: no figures (see `rlmc stats`)"


@pytest.fixture
def rlmc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Rlmc]:
    (tmp_path / "home").mkdir()
    with own_folders(tmp_path, monkeypatch):
        user = Rlmc(tmp_path / "home")
        yield user
        user.close()


def test_what_runs_under_rlmc_is_in_its_session(rlmc: Rlmc) -> None:
    line = [sys.executable, "-m", "rlmc", "statusline"]
    assert rlmc("run", "--no-summary", "--", *line).stdout == "rlmc balanced · no turns yet\n"
    inner = [sys.executable, "-m", "rlmc", "run", "--no-summary", "--policy", "careful", "--", *line]
    assert rlmc("run", "--no-summary", "--", *inner).stdout == "rlmc careful · no turns yet\n"


def test_it_takes_no_options_and_says_so() -> None:
    command = [sys.executable, "-m", "rlmc", "statusline"]
    asked = subprocess.run([*command, "--help"], capture_output=True, text=True, timeout=60)
    assert (asked.returncode, asked.stderr) == (0, "")
    assert "status line" in asked.stdout
    wrong = subprocess.run([*command, "--wrong"], capture_output=True, text=True, timeout=60)
    assert wrong.returncode == 2
    assert "--wrong" in wrong.stderr
    assert "Traceback" not in wrong.stderr


def test_the_setting_for_claude_code_runs_it(tmp_path: Path) -> None:
    ran = cli.run(config.register, "config", "statusline")
    setting = json.loads(ran.out)["statusLine"]
    assert setting["type"] == "command"
    line = subprocess.run(
        ["/bin/sh", "-c", setting["command"]], input=b"{}", capture_output=True, cwd=tmp_path, timeout=60
    )
    assert line.stdout.decode() == "rlmc: not in use\n"
    assert "settings.json" in ran.err
