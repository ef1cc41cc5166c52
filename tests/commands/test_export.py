"""`rlmc export`: all facts, streamed, equal to `stats`, and nothing that was not asked for."""

from __future__ import annotations

import csv
import json
import os
import stat
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.support import cli
from tests.support.books import CENT, call, session, turn
from tests.support.prices import HAIKU, START

from rlmc.commands import export, stats
from rlmc.config.paths import ledger_file
from rlmc.domain.outcome import Outcome
from rlmc.domain.record import AuditRecord, EpochRecord
from rlmc.errors import UsageError
from rlmc.ledger.store import Ledger


@pytest.fixture
def books() -> None:
    ledger = Ledger.open(ledger_file())
    ledger.start_session(session("s1", name="a,b"))
    ledger.start_session(session("s2"))
    ledger.record(turn(call(cost=3 * CENT), id="t1", baseline=3 * CENT, request_body=b"a secret", answer_body=b"told"))
    drafted = turn(call("draft", model=HAIKU, cost=CENT), call("verify", cost=None), id="t2", outcome=Outcome.ACCEPTED)
    ledger.record(drafted)
    ledger.record(turn(call(cost=7 * CENT), id="t3", session="s2", baseline=None))
    ledger.record(turn(id="t4", session="lost"))
    assert ledger.flush(10)
    ledger.close()


def exported(*args: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in cli.run(export.register, "export", *args).out.splitlines()]


@pytest.mark.usefixtures("books")
def test_a_line_a_turn_with_its_session_and_calls() -> None:
    found = exported()
    assert [one["id"] for one in found] == ["t1", "t2", "t3", "t4"]
    assert {one["schema"] for one in found} == {"rlmc.export/1"}
    first, second, third, lost = found
    assert first["session"]["name"] == "a,b"
    assert first["started_at"].endswith("+00:00")
    assert [one["role"] for one in second["calls"]] == ["draft", "verify"]
    assert second["calls"][0]["cost"] == {"picodollars": CENT, "dollars": "0.01"}
    assert second["calls"][1]["cost"] == {"picodollars": None, "dollars": None}
    assert third["baseline"]["picodollars"] is None
    assert lost["session"] is None
    assert first["signals"]["prompt_chars"] == 1234


@pytest.mark.usefixtures("books")
def test_what_is_known_of_quality_stands_with_its_turn() -> None:
    epoch = EpochRecord("e1", START, "sim/draft", "sim/verify", "sim/verify", "balanced", 2, 0.04, simulated=True)
    drawn = AuditRecord(START, 0.1, "read")
    ledger = Ledger.open(ledger_file())
    ledger.record(replace(turn(id="t5", outcome=Outcome.SKIPPED), epoch=epoch, coin=0.1, audit=drawn))
    ledger.end_audit("t5", START, 0.25, "judged")
    ledger.regret("t5", "repeated", START)
    ledger.close()
    *others, last = exported()
    assert (last["epoch"], last["coin"], last["regrets"]) == ("e1", 0.1, ["repeated"])
    assert last["audit"] == {"probability": 0.1, "bucket": "read", "loss": 0.25, "how": "judged"}
    assert {(one["epoch"], one["coin"], one["audit"], str(one["regrets"])) for one in others} == {
        (None, None, None, "[]")
    }


@pytest.mark.usefixtures("books")
def test_it_comes_to_what_stats_says() -> None:
    told = json.loads(cli.run(stats.register, "stats", "--all", "--json").out)["data"]["total"]
    costs = [one["cost"]["picodollars"] for turn in exported("--all") for one in turn["calls"]]
    assert sum(cost for cost in costs if cost is not None) == told["paid"]["picodollars"]
    assert costs.count(None) == told["paid"]["missing"]
    assert [one["id"] for one in exported("s2")] == ["t3"]
    assert exported("--today") == []


@pytest.mark.usefixtures("books")
def test_content_only_when_asked_for() -> None:
    plain = cli.run(export.register, "export")
    assert "secret" not in plain.out
    full = cli.run(export.register, "export", "--content")
    assert json.loads(full.out.splitlines()[0])["request"] == "a secret"
    assert "mind who reads it" in full.err
    with pytest.raises(UsageError, match="CSV"):
        export.export(content=True, format=export.Format.CSV)


@pytest.mark.usefixtures("books")
@pytest.mark.parametrize(("table", "rows"), [("sessions", 2), ("turns", 4), ("calls", 5)])
def test_csv(table: str, rows: int) -> None:
    out = cli.run(export.register, "export", "--format", "csv", "--table", table).out
    found = list(csv.DictReader(out.splitlines()))
    assert len(found) == rows
    if table == "calls":
        assert [one["cost_usd"] for one in found] == ["0.03", "0.01", "", "0.07", "0.01"]
    empty = cli.run(export.register, "export", "--format", "csv", "--table", table, "--today").out
    assert empty.splitlines() == out.splitlines()[:1]


@pytest.mark.usefixtures("books")
def test_a_file_is_private_whole_and_not_overwritten_by_accident(tmp_path: Path) -> None:
    target = tmp_path / "turns.jsonl"
    cli.run(export.register, "export", "-o", str(target))
    assert len(target.read_text().splitlines()) == 4
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    before = target.read_text()
    with pytest.raises(UsageError, match="--output"):
        export.export(output=target)
    cli.run(export.register, "export", "s2", "-o", str(target), "--force")
    assert target.read_text() == before.splitlines(keepends=True)[2]
    with pytest.raises(UsageError, match="--output"):
        export.export(output=tmp_path / "nowhere" / "x")
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.usefixtures("books")
def test_a_reader_that_has_seen_enough_is_no_error() -> None:
    command = f"{sys.executable} -m rlmc export | head -n 1 > /dev/null"
    ran = subprocess.run(["/bin/sh", "-c", command], capture_output=True, timeout=60)
    assert (ran.returncode, ran.stderr) == (0, b"")


def test_csv_comes_in_the_order_of_time() -> None:
    ledger = Ledger.open(ledger_file())
    ledger.start_session(session("idle"))
    for id, at in (("a", 3), ("c", 1), ("b", 2)):
        ledger.record(turn(call("draft"), call("verify"), id=id, at=at))
    assert ledger.flush(10)
    ledger.close()
    found = cli.run(export.register, "export", "--format", "csv", "--table", "calls").out
    assert [(one["turn_id"], one["seq"]) for one in csv.DictReader(found.splitlines())] == [
        (id, seq) for id in "cba" for seq in "01"
    ]
    found = cli.run(export.register, "export", "--format", "csv", "--table", "sessions").out
    assert [one["id"] for one in csv.DictReader(found.splitlines())] == ["idle"], "it had no turns, and it was there"


def test_only_files_are_replaced(tmp_path: Path) -> None:
    for force in (False, True):
        with pytest.raises(UsageError, match="no file"):
            export.export(output=tmp_path, force=force)
        with pytest.raises(UsageError, match="no file"):
            export.export(output=Path("/dev/null"), force=force)
    assert Path("/dev/null").is_char_device()


def test_it_is_utf8_whatever_the_terminal_is() -> None:
    ledger = Ledger.open(ledger_file())
    ledger.start_session(session("s1", name="日本"))
    ledger.record(turn())
    assert ledger.flush(10)
    ledger.close()
    ran = subprocess.run(
        [sys.executable, "-m", "rlmc", "export"],
        capture_output=True,
        timeout=60,
        env={**os.environ, "PYTHONIOENCODING": "latin-1"},
    )
    assert json.loads(ran.stdout.decode())["session"]["name"] == "日本"


def test_nothing_to_export() -> None:
    assert exported() == []


@pytest.mark.usefixtures("books")
@pytest.mark.parametrize("args", [("--table", "calls"), ("--force",)])
def test_an_option_that_would_change_nothing_is_refused(args: tuple[str, ...]) -> None:
    ran = cli.run(export.register, "export", *args)
    assert (ran.code, ran.out) == (2, "")
    assert args[0] in ran.err
