"""The real Claude Code goes on while the ground moves: daemon killed, draft model gone, machine asleep, rlmc upgraded.

Needs what test_claude_code.py needs. The agent's task is the same there and here, and is always completed.
"""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.clients.test_claude_code import PROMPT, Rig, claude, rig
from tests.support.daemons import eventually, kill_daemon
from tests.support.fake_upstream import FakeUpstream, Reply
from tests.support.ground import asleep, at_work, forwarded
from tests.support.installed import install
from tests.support.ledger_rows import call_rows, turn_rows
from tests.support.scripts import formatted, steps_done

from rlmc.daemon.state import daemon_lock

__all__ = ["claude", "rig"]
pytestmark = [pytest.mark.clients, pytest.mark.timeout(240)]

TOOLS = ("--allowedTools", "Read,Bash,Edit")


def working(rig: Rig, claude: str, env: dict[str, str] | None = None) -> AbstractContextManager[Any]:
    """The agent at its task, by `rlmc run`."""
    return at_work(rig.project, rig.env | (env or {}), claude, "-p", PROMPT, *TOOLS)


def ended_well(rig: Rig, child: Any) -> str:
    out, err = child.communicate(timeout=150)
    assert child.returncode == 0, (out, err)
    assert "goodbye world" in out
    assert rig.edited
    return str(err)


def slowly(rig: Rig, number: int, **how: Any) -> None:
    """The verify model's n-th step comes with a delay, or piece by piece."""
    script = rig.verify.script

    def slow(body: dict[str, Any], n: int) -> Reply:
        return replace(script(body, n), **how) if steps_done(body) == number else script(body, n)

    rig.verify.script = slow


def under_way(rig: Rig, number: int, *, begun: bool) -> Callable[[], bool]:
    """Whether the provider has the turn of that step, and has begun to answer it."""

    def look() -> bool:
        found = [e for e in rig.verify.messages if steps_done(e.json) == number and e.json.get("tools")]
        return any(len(e.sent) > 0 or not begun for e in found)

    return look


@pytest.mark.parametrize("how", [{"gap": 0.3}, {"delay": 3.0}], ids=["mid-stream", "before-headers"])
def test_the_daemon_is_killed_in_the_middle_of_a_turn(claude: str, rig: Rig, how: dict[str, float]) -> None:
    slowly(rig, 2, **how)
    with working(rig, claude) as child:
        rig.verify.wait(under_way(rig, 2, begun="gap" in how), 60)
        first = kill_daemon()
        said = ended_well(rig, child)
    assert first is not None
    assert "the daemon went away once and came back" in said
    assert len([e for e in rig.verify.messages if steps_done(e.json) == 2]) >= 2, "the agent asked again"


def _long_task(rig: Rig, reads: int) -> None:
    """Many steps that could be drafted, then the edit."""
    ends, hello = rig.verify.script, str(rig.project / "hello.txt")
    edit = {"file_path": hello, "old_string": "hello world", "new_string": "goodbye world"}
    steps = [
        *(Reply(calls=(("Read", {"file_path": str(rig.project / "notes.txt"), "limit": n}),)) for n in range(1, reads)),
        Reply("First a look.", calls=(("Read", {"file_path": hello}),)),
        Reply("Now I edit it.", calls=(("Edit", edit),)),
        Reply("Done: hello.txt now says goodbye world."),
    ]
    rig.verify.script = lambda body, n: (
        ends(body, n) if formatted(body) else steps[min(steps_done(body), len(steps) - 1)]
    )


@pytest.mark.parametrize("how", ["refuses", "swallows"])
def test_the_draft_models_network_is_gone_for_long_and_comes_back(claude: str, rig: Rig, how: str) -> None:
    _long_task(rig, 12)
    port = rig.draft.port
    rig.draft.stop()
    hole = socket.create_server(("127.0.0.1", port)) if how == "swallows" else None
    more = {"RLMC_DRAFT_TIMEOUT": "1"}
    with working(rig, claude, env=more) as child:
        ended_well(rig, child)
    drafts = [c for c in call_rows() if c["role"] == "draft"]
    assert 3 <= len(drafts) <= 5, "three failures, and a probe or two"
    assert [t["reason"] for t in turn_rows()].count("draft-paused") >= 6
    if hole is not None:
        hole.close()
    with FakeUpstream(rig.draft.script) as back:
        # The same address again: what is paused is the model there.
        with forwarded(port, back.port):
            (rig.project / "hello.txt").write_text("hello world\n")
            time.sleep(16)
            with working(rig, claude, env=more) as child:
                ended_well(rig, child)
        assert len(back.messages) >= 1
    assert "skipped" in [t["outcome"] for t in turn_rows()]


@pytest.mark.parametrize("dead", [False, True], ids=["lines-live", "lines-dead"])
def test_the_machine_sleeps_in_the_middle_of_a_turn(claude: str, rig: Rig, dead: bool) -> None:
    slowly(rig, 2, gap=0.4, **({"break_after": 8} if dead else {}))
    with working(rig, claude) as child:
        rig.verify.wait(under_way(rig, 2, begun=True), 60)
        with asleep(child.pid, 8) as daemon:
            script = rig.verify.script
            rig.verify.script = lambda body, n: replace(script(body, n), break_after=None, gap=0.0)
        ended_well(rig, child)
    asked = [e for e in rig.verify.messages if steps_done(e.json) == 2 and e.json.get("tools")]
    assert len(asked) == 1 + dead, "asked again where the line had died"
    assert daemon_lock().holder() == daemon, "the same daemon is there after it"


def test_rlmc_is_upgraded_between_two_turns(claude: str, rig: Rig, tmp_path: Path) -> None:
    site, go = tmp_path / "site", tmp_path / "go"
    install(site, "0.0.1")
    python = {"PYTHONPATH": str(site)}
    script = rig.verify.script
    command = {"command": f"while [ ! -e {go} ]; do sleep 0.1; done", "description": "wait"}
    wait = Reply("Waiting.", calls=(("Bash", command),))
    rig.verify.script = lambda body, n: wait if steps_done(body) == 2 and not formatted(body) else script(body, n)

    def status() -> dict[str, Any]:
        ran = subprocess.run(
            [sys.executable, "-m", "rlmc", "status", "--json"], env=rig.env | python, capture_output=True, text=True
        )
        return dict(json.loads(ran.stdout)["data"])

    with working(rig, claude, env=python) as child:
        rig.verify.wait(under_way(rig, 2, begun=True), 60)
        eventually(lambda: rig.verify.messages[-1].finished)
        assert status()["version"] == "0.0.1"
        install(site, "9.9.9")
        ran = subprocess.run(
            [sys.executable, "-m", "rlmc", "restart"], env=rig.env | python, capture_output=True, text=True, timeout=60
        )
        assert ran.returncode == 0, ran.stderr
        assert status()["version"] == "9.9.9"
        eventually(lambda: status()["sessions_alive"] == 1)
        go.touch()
        said = ended_well(rig, child)
    assert "the daemon went away once and came back" in said
    assert f"rlmc: {len(turn_rows())} turns" in said, "the old run's account holds the turns of both daemons"
