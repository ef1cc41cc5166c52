"""`rlmc demo`: what it shows of a session, and once for real: the whole demonstration, from nothing to the account."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import pytest
from tests.support.cli import run

from rlmc.commands import demo
from rlmc.demo import run as demo_run
from rlmc.demo.run import DemoTurn


def turn(number: int, task: int, model: str, does: str, tokens: int) -> dict[str, object]:
    asked = "Why?" if task else None
    return asdict(DemoTurn(number, task, asked, model, does, tokens, 0.5))


TURNS = [
    turn(1, 0, "sim/draft", "answers", 44),
    turn(2, 1, "sim/verify", "Grep x", 24_330),
    turn(3, 1, "sim/draft", "Read y", 25_000),
]


@pytest.fixture
def stand_ins(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small programs in place of rlmc's own commands."""
    told = "".join(f"print({json.dumps(turn)!r}, flush=True);" for turn in TURNS)
    programs = {
        "run": f"import sys; {told} print('rlmc: 3 turns · simulated', file=sys.stderr)",
        "stats": "import sys; print('{\"data\": {\"turns\": 3}}' if '--json' in sys.argv else 'Savings: simulated')",
        "stop": "pass",
    }
    monkeypatch.setattr(demo_run, "_rlmc", lambda args: [sys.executable, "-c", programs[args[0]], *args])


def test_it_shows_turns_summary_account_and_what_is_next(stand_ins: None) -> None:
    ran = run(demo.register, "demo")
    assert ran.code == 0
    assert "simulated" in ran.err.split("\n")[0]
    assert ran.err.count("> Why?") == 1
    assert "sim/verify" in ran.err
    assert "24.3k" in ran.err
    for text in (
        "rlmc: 3 turns",
        "Savings: simulated",
        "rlmc config set draft-model",
        "rlmc run -- claude",
        "rlmc doctor",
    ):
        assert text in ran.out


def test_json_is_the_report_and_nothing_else(stand_ins: None) -> None:
    ran = run(demo.register, "demo", "--json")
    report = json.loads(ran.out)
    assert report["schema"] == "rlmc.demo/1"
    assert report["data"]["simulated"] is True
    assert report["data"]["turns"] == TURNS
    assert report["data"]["stats"] == {"turns": 3}
    assert report["data"]["folder"] is None
    assert ran.err == ""


def test_keep_says_where(stand_ins: None) -> None:
    ran = run(demo.register, "demo", "--keep", "--json")
    folder = Path(json.loads(ran.out)["data"]["folder"])
    assert folder.is_dir()
    folder.rmdir()


def test_the_whole_demonstration(tmp_path: Path) -> None:
    """With nothing configured, keys that must not be used, and a home of its own."""
    home = tmp_path / "home"
    home.mkdir()
    environment = {
        **{k: v for k, v in os.environ.items() if not k.startswith(("RLMC_", "XDG_"))},
        "HOME": str(home),
        "TMPDIR": str(tmp_path),
        "ANTHROPIC_API_KEY": "sk-must-not-be-used",
    }
    done = subprocess.run(
        [sys.executable, "-m", "rlmc", "demo", "--json"], env=environment, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)["data"]
    assert 25 <= len(report["turns"]) <= 40
    for word in ("skipped", "accepted", "direct", "simulated"):
        assert word in report["summary"]
    # Nothing is left: no folder, no daemon that would write to one, no file in the user's home.
    assert [p.name for p in tmp_path.iterdir()] == ["home"]
    assert list(home.rglob("*")) == []
