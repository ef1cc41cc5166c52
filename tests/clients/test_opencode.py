"""The real opencode through `rlmc run`, headless, against recording fakes as both upstreams.

`npm i --prefix DIR opencode-ai@1.18.33`, and OPENCODE_BIN=DIR/node_modules/.bin/opencode.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.support.agents import PROMPT, Rig, program, user
from tests.support.fake_openai import Ask, FakeOpenAi
from tests.support.fake_upstream import FakeUpstream, Reply
from tests.support.ledger_rows import call_rows, turn_rows
from tests.support.scripts import formatted, steps_done
from tests.support.speaking import Saying

pytestmark = [pytest.mark.clients, pytest.mark.timeout(180)]

VERSION = "1.18.33"
GPT, CLAUDE, DRAFT = "gpt-5", "claude-sonnet-4-5", "gpt-5.4-nano"


@pytest.fixture(scope="module")
def opencode() -> str:
    return program("OPENCODE_BIN", VERSION)


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    with user(tmp_path) as made:
        made.env.update({"OPENCODE_DISABLE_AUTOUPDATE": "1", "OPENCODE_DISABLE_MODELS_FETCH": "1"})
        yield made


def steps(project: Path) -> list[tuple[str, tuple[str, dict[str, Any]]]]:
    edit = {"command": "sed -i s/hello/goodbye/ hello.txt", "description": "Edits the file"}
    return [
        ("I look.", ("read", {"filePath": str(project / "hello.txt")})),
        ("And again.", ("read", {"filePath": str(project / "notes.txt")})),
        ("Now I edit it.", ("bash", edit)),
    ]


def able(project: Path, done: int, *, tools: bool) -> Saying:
    if not tools:
        return Saying("A new greeting")
    if done < 3:
        text, call = steps(project)[done]
        return Saying(text, (call,))
    return Saying("Done: hello.txt now says goodbye world.")


def cheap(project: Path, done: int, *, tools: bool) -> Saying:
    if not tools:
        return Saying("A new greeting")
    if done == 1:
        return Saying("Reading on.", (steps(project)[1][1],))
    return Saying(calls=(("bash", {"command": "touch made.txt", "description": "Makes a file"}),))


def openai(project: Path) -> Any:
    def script(ask: Ask) -> Saying:
        model = cheap if ask.model == DRAFT else able
        return model(project, ask.done, tools=bool(ask.tools))

    return script


def anthropic(project: Path, model: Any) -> Any:
    def script(body: dict[str, Any], _n: int) -> Reply:
        said = model(project, steps_done(body), tools=bool(body.get("tools")))
        return formatted(body) or Reply(said.text or None, calls=said.calls)

    return script


def check_that_it_worked(rig: Rig, ran: Any) -> None:
    assert ran.returncode == 0, ran.stderr
    assert rig.greeting == "goodbye world", ran.stdout + ran.stderr
    assert not (rig.project / "made.txt").exists(), "a shell draft was refused"
    rows = turn_rows()
    main = [t for t in rows if t["outcome"] == "skipped" and t["reason"] == "after-read"]
    assert main, [(t["outcome"], t["reason"]) for t in rows]
    assert any(t["outcome"] == "direct" for t in rows)


def served_by(rows: list[dict[str, Any]]) -> set[str]:
    return {call["provider"] for call in rows if call["served"] and call["role"] == "draft"}


def test_openai_with_a_draft_of_its_own_protocol(opencode: str, rig: Rig) -> None:
    with FakeOpenAi(openai(rig.project)) as up:
        rig.configure(f"openai/{DRAFT}", {"openai": up.url})
        ran = rig.run(opencode, "run", "-m", f"openai/{GPT}", PROMPT)
        check_that_it_worked(rig, ran)
    assert {ask.protocol for ask in up.asks} == {"responses"}
    assert served_by(call_rows()) == {"openai"}


def test_openai_with_a_draft_of_another_protocol(opencode: str, rig: Rig) -> None:
    with FakeOpenAi(openai(rig.project)) as up, FakeUpstream(anthropic(rig.project, cheap)) as draft:
        rig.configure("deepseek/deepseek-flash", {"openai": up.url, "deepseek": draft.url})
        ran = rig.run(opencode, "run", "-m", f"openai/{GPT}", PROMPT)
        check_that_it_worked(rig, ran)
    assert served_by(call_rows()) == {"deepseek"}
    assert draft.messages


def test_anthropic_with_a_draft_of_openais_and_an_address_in_its_own_file(opencode: str, rig: Rig) -> None:
    with FakeUpstream(anthropic(rig.project, able)) as up, FakeOpenAi(openai(rig.project)) as draft:
        rig.configure(f"openai/{DRAFT}", {"openai": draft.url, "anthropic": up.url})
        own = rig.home / ".config" / "opencode" / "opencode.json"
        own.parent.mkdir(parents=True)
        theirs = json.dumps(
            {
                "$schema": "https://opencode.ai/config.json",
                "provider": {"anthropic": {"options": {"baseURL": up.url + "/v1"}}},
            }
        )
        own.write_text(theirs)
        ran = rig.run(opencode, "run", "-m", f"anthropic/{CLAUDE}", PROMPT)
        check_that_it_worked(rig, ran)
    assert own.read_text() == theirs
    assert served_by(call_rows()) == {"openai"}
