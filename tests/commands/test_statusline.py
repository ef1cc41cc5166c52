"""`rlmc statusline`: the figures of `stats` in one line, and never an error."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.support import cli
from tests.support.fake_upstream import FakeUpstream
from tests.support.ledger_rows import ledger_path, turn_rows
from tests.support.live import Live
from tests.support.mixed_session import PRICES, conversation, script
from tests.support.wire_client import send

from rlmc.commands import config, stats
from rlmc.commands.session_line import session_line
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


def test_its_figures_are_those_of_stats(live: Live) -> None:
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
    assert float(saved.split("$")[1].split()[0]) == pytest.approx(abs(float(told["saved"]["dollars"])), rel=0.05)
    assert saved.startswith("saved" if float(told["saved"]["dollars"]) >= 0 else "lost")
    assert skipped == f"{percent(told['outcomes']['skipped'] / 12)} skipped"
    assert "\n" not in line


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


def test_the_setting_for_claude_code_runs_it(tmp_path: Path) -> None:
    ran = cli.run(config.register, "config", "statusline")
    setting = json.loads(ran.out)["statusLine"]
    assert setting["type"] == "command"
    line = subprocess.run(
        ["/bin/sh", "-c", setting["command"]], input=b"{}", capture_output=True, cwd=tmp_path, timeout=60
    )
    assert line.stdout.decode() == "rlmc: not in use\n"
    assert "settings.json" in ran.err
