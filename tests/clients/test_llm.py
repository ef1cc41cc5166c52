"""The real llm through `rlmc run`, against a recording fake.

`pip install llm==0.36 llm-anthropic==0.30` into an environment of its own, and LLM_BIN=…/bin/llm.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.support.agents import program, user
from tests.support.fake_openai import FakeOpenAi
from tests.support.fake_upstream import FakeUpstream
from tests.support.ledger_rows import turn_rows
from tests.support.scripts import always_text
from tests.support.speaking import Saying

pytestmark = [pytest.mark.clients, pytest.mark.timeout(180)]

VERSION = "0.36"


@pytest.fixture(scope="module")
def llm() -> str:
    return program("LLM_BIN", VERSION)


def test_models_of_both_vendors(llm: str, tmp_path: Path) -> None:
    with (
        user(tmp_path) as rig,
        FakeOpenAi(lambda _ask: Saying("From one vendor.")) as openai,
        FakeUpstream(always_text("From the other.")) as anthropic,
    ):
        rig.configure("none", {"openai": openai.url, "anthropic": anthropic.url})
        first = rig.run(llm, "-m", "gpt-4o-mini", "Say hello.")
        second = rig.run(llm, "-m", "claude-opus-4.5", "Say hello.")
    assert (first.stdout.strip(), second.stdout.strip()) == ("From one vendor.", "From the other."), second.stderr
    assert {turn["outcome"] for turn in turn_rows()} == {"direct"}
    assert len(turn_rows()) == 2
