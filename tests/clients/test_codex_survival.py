"""The real Codex goes on while the ground moves: daemon killed, draft model gone, machine asleep, rlmc upgraded.

Needs what test_codex.py needs. The agent's task is the same there and here, and is always completed.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from tests.clients.test_codex import DRAFT, EDIT, LOOK, LOOK_AGAIN, MODEL, WORDS, codex, rig, shell
from tests.support.agents import PROMPT, Rig
from tests.support.daemons import eventually, kill_daemon
from tests.support.fake_openai import Ask, FakeOpenAi
from tests.support.fake_upstream import FakeUpstream, Reply
from tests.support.ground import asleep, at_work
from tests.support.installed import install
from tests.support.ledger_rows import call_rows, turn_rows
from tests.support.speaking import Saying

from rlmc.daemon.state import daemon_lock

__all__ = ["codex", "rig"]
pytestmark = [pytest.mark.clients, pytest.mark.timeout(240)]

SLOW_STEP = 1


@dataclass
class Pace:
    """How the slow step comes. `begun` counts how often it began to."""

    delay: float = 0.0
    gap: float = 0.0
    break_after: int | None = None
    begun: list[Ask] = field(default_factory=list)


class SlowOpenAi(FakeOpenAi):
    """One step of its answers comes late, or piece by piece, or breaks off."""

    def __init__(self, script: Callable[[Ask], Saying]) -> None:
        super().__init__(script)
        self.pace = Pace()

    async def answer(self, request: web.Request) -> web.StreamResponse:
        answered = await super().answer(request)
        if not isinstance(answered, web.Response) or self.asks[-1].done != SLOW_STEP:
            return answered
        pace, events = self.pace, bytes(answered.body or b"").split(b"\n\n")  # type: ignore[arg-type]
        if pace.delay:
            pace.begun.append(self.asks[-1])
        await asyncio.sleep(pace.delay)
        slow = web.StreamResponse(headers={"content-type": "text/event-stream"})
        await slow.prepare(request)
        for number, event in enumerate(filter(None, events)):
            if number == pace.break_after and request.transport is not None:
                request.transport.abort()
                return slow
            await slow.write(event + b"\n\n")
            if number == 1 and not pace.delay:
                pace.begun.append(self.asks[-1])
            await asyncio.sleep(pace.gap)
        await slow.write_eof()
        return slow


def openai(ask: Ask) -> Saying:
    steps = [
        Saying("I look.", (shell(LOOK),), thought="hm"),
        Saying("And again, with more words. ", (shell(LOOK_AGAIN),), thought="hm"),
        Saying("Now I edit it.", (shell(EDIT),)),
    ]
    return steps[ask.done] if ask.done < len(steps) else Saying("Done: hello.txt now says goodbye world.")


@pytest.fixture
def up() -> Iterator[SlowOpenAi]:
    with SlowOpenAi(openai) as made:
        yield made


def working(rig: Rig, codex: str, **env: str) -> AbstractContextManager[Any]:
    """The agent at its task, by `rlmc run`."""
    return at_work(rig.project, rig.env | env, codex, *WORDS, "-m", MODEL, PROMPT)


def ended_well(rig: Rig, child: Any) -> str:
    out, err = child.communicate(timeout=150)
    assert child.returncode == 0, (out, err)
    assert "goodbye world" in out
    assert rig.greeting == "goodbye world"
    return str(err)


@pytest.mark.parametrize("pace", [Pace(gap=0.3), Pace(delay=3.0)], ids=["mid-stream", "before-headers"])
def test_the_daemon_is_killed_in_the_middle_of_a_turn(codex: str, rig: Rig, up: SlowOpenAi, pace: Pace) -> None:
    rig.configure("none", {"openai": up.url})
    up.pace = Pace(pace.delay, pace.gap)
    with working(rig, codex) as child:
        eventually(lambda: up.pace.begun, 60)
        assert kill_daemon() is not None
        said = ended_well(rig, child)
    assert "the daemon went away once and came back" in said
    assert len([ask for ask in up.asks if ask.done == SLOW_STEP]) >= 2, "the agent asked again"


def test_the_draft_models_network_is_gone(codex: str, rig: Rig) -> None:
    def long(ask: Ask) -> Saying:
        if ask.done < 10:
            return Saying(calls=(shell(f"head -n {ask.done + 1} notes.txt"),))
        return Saying("Now I edit it.", (shell(EDIT),)) if ask.done == 10 else Saying("Done: it says goodbye world.")

    with FakeUpstream(lambda _body, _n: Reply("never asked")) as gone:
        draft = gone.url
    with FakeOpenAi(long) as up:
        rig.configure("deepseek/deepseek-flash", {"openai": up.url, "deepseek": draft})
        with working(rig, codex) as child:
            ended_well(rig, child)
    drafts = [c for c in call_rows() if c["role"] == "draft"]
    assert 3 <= len(drafts) <= 5, "three failures, and a probe or two"
    assert [t["reason"] for t in turn_rows()].count("draft-paused") >= 4


@pytest.mark.parametrize("dead", [False, True], ids=["lines-live", "lines-dead"])
def test_the_machine_sleeps_in_the_middle_of_a_turn(codex: str, rig: Rig, up: SlowOpenAi, dead: bool) -> None:
    rig.configure(f"openai/{DRAFT}", {"openai": up.url}, 'policy = "verify-only"\n')
    up.pace = Pace(gap=0.4, break_after=6 if dead else None)
    with working(rig, codex) as child:
        eventually(lambda: up.pace.begun, 60)
        with asleep(child.pid, 8) as daemon:
            up.pace = Pace()
        ended_well(rig, child)
    assert len([ask for ask in up.asks if ask.done == SLOW_STEP]) == 1 + dead, "asked again where the line had died"
    assert daemon_lock().holder() == daemon, "the same daemon is there after it"


def test_rlmc_is_upgraded_between_two_turns(codex: str, rig: Rig, tmp_path: Path) -> None:
    site, go = tmp_path / "site", tmp_path / "go"
    install(site, "0.0.1")
    wait = Saying("Waiting.", (shell(f"while [ ! -e {go} ]; do sleep 0.1; done"),))
    log = Path(os.environ["RLMC_STATE_DIR"]) / "daemon.log"
    with FakeOpenAi(lambda ask: wait if ask.done == SLOW_STEP else openai(ask)) as up:
        rig.configure("none", {"openai": up.url})
        with working(rig, codex, PYTHONPATH=str(site)) as child:
            eventually(lambda: any(ask.done == SLOW_STEP for ask in up.asks), 60)
            eventually(lambda: len(turn_rows()) == SLOW_STEP + 1)
            assert "version 0.0.1 listens" in log.read_text()
            install(site, "9.9.9")
            ran = subprocess.run(
                [sys.executable, "-m", "rlmc", "restart"],
                env=rig.env | {"PYTHONPATH": str(site)},
                capture_output=True,
                text=True,
                timeout=60,
            )
            assert ran.returncode == 0, ran.stderr
            assert "version 9.9.9 listens" in log.read_text()
            go.touch()
            said = ended_well(rig, child)
    assert "the daemon went away once and came back" in said
    assert f"rlmc: {len(turn_rows())} turns" in said, "the old run's account holds the turns of both daemons"
