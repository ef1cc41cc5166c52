"""The real aider through `rlmc run`, against recording fakes as both upstreams. It has no tools: what is drafted is the
message of its commit.

`pip install aider-chat==0.86.2` into an environment of its own, and AIDER_BIN=…/bin/aider.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.support.agents import PROMPT, Rig, program, user
from tests.support.fake_openai import Ask, FakeOpenAi
from tests.support.fake_upstream import FakeUpstream, Reply
from tests.support.ledger_rows import call_rows, turn_rows
from tests.support.speaking import Saying

pytestmark = [pytest.mark.clients, pytest.mark.timeout(180)]

VERSION = "0.86.2"
MODEL, DRAFT = "gpt-5", "gpt-5.4-nano"
WORDS = ("--yes-always", "--no-check-update", "--no-show-model-warnings", "--analytics-disable", "--no-gitignore",
         "--edit-format", "whole", "--model", f"openai/{MODEL}", "--weak-model", f"openai/{MODEL}",
         "--message", PROMPT, "hello.txt")  # fmt: skip
COMMIT = "feat: say goodbye"


@pytest.fixture(scope="module")
def aider() -> str:
    return program("AIDER_BIN", VERSION)


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    with user(tmp_path) as made:
        for command in (
            ["init", "-q"],
            ["config", "user.email", "u@example.com"],
            ["config", "user.name", "u"],
            ["add", "."],
            ["commit", "-qm", "start"],
        ):
            subprocess.run(["git", *command], cwd=made.project, env=made.env, check=True, timeout=30)
        yield made


def is_side_call(words: str) -> bool:
    return "commit message" in words


def openai(ask: Ask) -> Saying:
    if ask.model == DRAFT:
        return Saying(COMMIT)
    if is_side_call(str(ask.body["messages"])):
        return Saying("chore: by the capable model")
    return Saying("hello.txt\n```\ngoodbye world\n```\n")


def claude_like(body: dict[str, Any], _n: int) -> Reply:
    assert is_side_call(str(body))
    return Reply(COMMIT)


def check_that_it_worked(rig: Rig, ran: Any, provider: str) -> None:
    assert ran.returncode == 0, ran.stderr
    assert rig.greeting == "goodbye world", ran.stdout + ran.stderr
    log = subprocess.run(["git", "log", "--format=%s"], cwd=rig.project, capture_output=True, text=True, timeout=30)
    assert log.stdout.splitlines()[0] == COMMIT
    assert [(t["outcome"], t["reason"]) for t in turn_rows()] == [("direct", "first-turn"), ("skipped", "auxiliary")]
    assert {c["provider"] for c in call_rows() if c["served"] and c["role"] == "draft"} == {provider}


def test_with_a_draft_of_its_own_protocol(aider: str, rig: Rig) -> None:
    with FakeOpenAi(openai) as up:
        rig.configure(f"openai/{DRAFT}", {}, f'[upstream.openai]\nbase-url = "{up.url}"\nprotocol = "chat"\n')
        check_that_it_worked(rig, rig.run(aider, *WORDS), "openai")
    assert {ask.protocol for ask in up.asks} == {"chat"}


def test_with_a_draft_of_another_protocol(aider: str, rig: Rig) -> None:
    with FakeOpenAi(openai) as up, FakeUpstream(claude_like) as draft:
        rig.configure("deepseek/deepseek-flash", {"openai": up.url, "deepseek": draft.url})
        check_that_it_worked(rig, rig.run(aider, *WORDS), "deepseek")


def test_addresses_in_its_own_files_are_overruled_and_kept_as_the_upstream(aider: str, rig: Rig) -> None:
    with FakeOpenAi(openai) as up:
        rig.configure("none", {})
        (rig.project / ".aider.conf.yml").write_text(f"openai-api-base: {up.url}\n")
        (rig.project / ".env").write_text(f"OPENAI_BASE_URL={up.url}\n")
        ran = rig.run(aider, *WORDS)
    assert ran.returncode == 0, ran.stderr
    assert rig.greeting == "goodbye world"
    assert len(turn_rows()) == len(up.asks) == 2
