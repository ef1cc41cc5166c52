"""The real Qwen Code through `rlmc run`, headless, against recording fakes as both upstreams.

`npm i --prefix DIR @qwen-code/qwen-code@0.24.4` and, where node is older than 22, `node@22` beside it with
DIR/node_modules/.bin first on PATH. QWEN_BIN=DIR/node_modules/.bin/qwen.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.support.agents import PROMPT, Rig, program, user
from tests.support.fake_openai import Ask, FakeOpenAi
from tests.support.fake_upstream import FakeUpstream, Reply
from tests.support.ledger_rows import call_rows, turn_rows
from tests.support.scripts import steps_done
from tests.support.speaking import Saying

pytestmark = [pytest.mark.clients, pytest.mark.timeout(180)]

VERSION = "0.24.4"
MODEL, DRAFT = "gpt-5", "gpt-5.4-nano"
WORDS = ("--auth-type", "openai", "-y", "-m", MODEL, "-p", PROMPT)


@pytest.fixture(scope="module")
def qwen() -> str:
    return program("QWEN_BIN", VERSION)


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    with user(tmp_path) as made:
        made.env.update({"OPENAI_MODEL": MODEL})
        yield made


def read(file: Path) -> tuple[str, dict[str, Any]]:
    return "read_file", {"file_path": str(file)}


def shell(command: str) -> tuple[str, dict[str, Any]]:
    return "run_shell_command", {"command": command, "is_background": False, "description": "as told"}


def openai(project: Path) -> Any:
    def script(ask: Ask) -> Saying:
        if not ask.tools:
            return Saying("A new greeting")
        if ask.model == DRAFT:
            return Saying(calls=(read(project / "notes.txt") if ask.done == 1 else shell("touch made.txt"),))
        steps = [
            Saying("I look.", (read(project / "hello.txt"),)),
            Saying("And again.", (read(project / "notes.txt"),)),
            Saying("Now I edit it.", (shell("sed -i s/hello/goodbye/ hello.txt"),)),
        ]
        return steps[ask.done] if ask.done < len(steps) else Saying("Done: hello.txt now says goodbye world.")

    return script


def claude_like(project: Path) -> Any:
    def script(body: dict[str, Any], _n: int) -> Reply:
        again = steps_done(body) == 1
        return Reply("Reading on.", calls=(read(project / "notes.txt") if again else shell("touch made.txt"),))

    return script


def check_that_it_worked(rig: Rig, ran: Any, up: FakeOpenAi, provider: str) -> None:
    assert ran.returncode == 0, ran.stderr
    assert rig.greeting == "goodbye world", ran.stdout + ran.stderr
    assert not (rig.project / "made.txt").exists(), "a shell draft was refused"
    outcomes = [turn["outcome"] for turn in turn_rows()]
    assert "skipped" in outcomes, [(t["outcome"], t["reason"]) for t in turn_rows()]
    assert "direct" in outcomes
    assert {ask.protocol for ask in up.asks} == {"chat"}
    assert {c["provider"] for c in call_rows() if c["served"] and c["role"] == "draft"} == {provider}


def test_with_a_draft_of_its_own_protocol(qwen: str, rig: Rig) -> None:
    with FakeOpenAi(openai(rig.project)) as up:
        rig.configure(f"openai/{DRAFT}", {}, f'[upstream.openai]\nbase-url = "{up.url}"\nprotocol = "chat"\n')
        check_that_it_worked(rig, rig.run(qwen, *WORDS), up, "openai")


def test_with_a_draft_of_another_protocol(qwen: str, rig: Rig) -> None:
    with FakeOpenAi(openai(rig.project)) as up, FakeUpstream(claude_like(rig.project)) as draft:
        rig.configure("deepseek/deepseek-flash", {"openai": up.url, "deepseek": draft.url})
        check_that_it_worked(rig, rig.run(qwen, *WORDS), up, "deepseek")
    assert draft.messages


def test_an_address_in_a_dotenv_file_is_overruled_and_kept_as_the_upstream(qwen: str, rig: Rig) -> None:
    with FakeOpenAi(openai(rig.project)) as up:
        rig.configure("none", {})
        (rig.project / ".env").write_text(f"OPENAI_BASE_URL={up.url}\n")
        ran = rig.run(qwen, *WORDS)
    assert ran.returncode == 0, ran.stderr
    assert rig.greeting == "goodbye world"
    assert len(turn_rows()) == len(up.asks) >= 4
