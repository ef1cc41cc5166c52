"""The real Codex through `rlmc run`, headless, against recording fakes as both upstreams.

`npm i --prefix DIR @openai/codex@0.169.0`, and CODEX_BIN=DIR/node_modules/.bin/codex.
"""

from __future__ import annotations

import base64
import json
import time
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

VERSION = "0.169.0"
# A model Codex does not know has its plain tools; its own newest has one tool that takes a program.
MODEL, DRAFT = "gpt-5.2-codex", "gpt-5.4-nano"
WORDS = ("exec", "--skip-git-repo-check", "--dangerously-bypass-approvals-and-sandbox")
LOOK, LOOK_AGAIN = "cat hello.txt", "cat notes.txt"
EDIT = "sed -i s/hello/goodbye/ hello.txt"


@pytest.fixture(scope="module")
def codex() -> str:
    return program("CODEX_BIN", VERSION)


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    with user(tmp_path) as made:
        yield made


def shell(command: str) -> tuple[str, dict[str, Any]]:
    return "exec_command", {"cmd": command}


def openai(ask: Ask) -> Saying:
    """The capable model by its name, and the cheap one by its own."""
    if ask.model == DRAFT:
        return Saying(calls=(shell(LOOK_AGAIN if ask.done == 1 else "touch made.txt"),))
    steps = [
        Saying("I look.", (shell(LOOK),), thought="hm"),
        Saying("And again.", (shell(LOOK_AGAIN),)),
        Saying("Now I edit it.", (shell(EDIT),)),
    ]
    return steps[ask.done] if ask.done < len(steps) else Saying("Done: hello.txt now says goodbye world.")


def claude_like(body: dict[str, Any], _n: int) -> Reply:
    """The cheap model of another vendor, in another protocol."""
    done = steps_done(body)
    return Reply("Reading on." if done == 1 else None, calls=(shell(LOOK_AGAIN if done == 1 else "touch made.txt"),))


def check_that_it_worked(rig: Rig, ran: Any, verify: FakeOpenAi) -> None:
    assert ran.returncode == 0, ran.stderr
    assert rig.greeting == "goodbye world"
    assert not (rig.project / "made.txt").exists(), "a shell draft was refused"
    outcomes = [turn["outcome"] for turn in turn_rows()]
    assert outcomes.count("skipped") >= 1, [(t["outcome"], t["reason"]) for t in turn_rows()]
    assert "direct" in outcomes
    assert f"{outcomes.count('skipped')} skipped" in ran.stderr
    # It accepts no encoding, by saying nothing of any, and fails where it gets one.
    assert all("gzip" not in ask.headers["accept-encoding"] for ask in verify.asks if ask.model == MODEL)
    assert all("x-rlmc-token" not in ask.headers for ask in verify.asks), "the token goes nowhere else"
    assert all(ask.headers["authorization"] == "Bearer sk-openai-0000" for ask in verify.asks if ask.model == MODEL)


def test_with_a_draft_of_its_own_protocol(codex: str, rig: Rig) -> None:
    with FakeOpenAi(openai) as up:
        rig.configure(f"openai/{DRAFT}", {"openai": up.url})
        ran = rig.run(codex, *WORDS, "-m", MODEL, PROMPT)
        check_that_it_worked(rig, ran, up)
    assert {ask.protocol for ask in up.asks} == {"responses"}
    assert any(ask.model == DRAFT for ask in up.asks)


def test_with_a_draft_of_another_protocol(codex: str, rig: Rig) -> None:
    with FakeOpenAi(openai) as up, FakeUpstream(claude_like) as draft:
        rig.configure("deepseek/deepseek-flash", {"openai": up.url, "deepseek": draft.url})
        ran = rig.run(codex, *WORDS, "-m", MODEL, PROMPT)
        check_that_it_worked(rig, ran, up)
    served = [call for call in call_rows() if call["served"] and call["role"] == "draft"]
    assert {call["provider"] for call in served} == {"deepseek"}
    assert {ask.model for ask in up.asks} == {MODEL}


def test_its_newest_model_with_a_tool_that_takes_a_program(codex: str, rig: Rig) -> None:
    def script(ask: Ask) -> Saying:
        assert "exec" in ask.tools
        if ask.done == 0:
            return Saying(calls=(("exec", {"input": f"text(await tools.exec_command({{cmd: {json.dumps(EDIT)}}}))"}),))
        return Saying("Done.")

    with FakeOpenAi(script) as up:
        rig.configure("none", {"openai": up.url})
        ran = rig.run(codex, *WORDS, PROMPT)
    assert ran.returncode == 0, ran.stderr
    assert {turn["outcome"] for turn in turn_rows()} == {"direct"}


def test_a_provider_of_the_users_own_stays_the_upstream(codex: str, rig: Rig) -> None:
    with FakeOpenAi(openai) as up:
        rig.configure("none", {})
        (rig.home / ".codex").mkdir()
        (rig.home / ".codex" / "config.toml").write_text(
            'model_provider = "mine"\n[model_providers.mine]\nname = "Mine"\nwire_api = "responses"\n'
            f'base_url = "{up.url}"\nenv_key = "MY_KEY"\nhttp_headers = {{ x-mine = "kept" }}\n'
        )
        rig.env["MY_KEY"] = "sk-mine"
        ran = rig.run(codex, *WORDS, "-m", MODEL, PROMPT)
    assert ran.returncode == 0, ran.stderr
    assert rig.greeting == "goodbye world"
    assert len(turn_rows()) == len(up.asks) == 4
    assert {(a.headers["authorization"], a.headers["x-mine"]) for a in up.asks} == {("Bearer sk-mine", "kept")}


def _unsigned(claims: dict[str, Any]) -> str:
    parts = (
        base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in ({"alg": "none"}, claims)
    )
    return ".".join((*parts, "c2ln"))


def test_a_chatgpt_login_passes_through_and_nothing_else_is_asked_with_it(codex: str, rig: Rig) -> None:
    account = {"chatgpt_plan_type": "pro", "chatgpt_account_id": "acc-1", "chatgpt_user_id": "u-1"}
    token = _unsigned(
        {"email": "u@example.com", "exp": int(time.time()) + 86_400, "https://api.openai.com/auth": account}
    )
    tokens = {"id_token": token, "access_token": token, "refresh_token": "r", "account_id": "acc-1"}
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    with FakeOpenAi(openai) as up:
        rig.configure(f"openai/{DRAFT}", {})
        at = up.url.replace("/v1", "/backend-api/codex")
        folder = rig.home / ".codex"
        folder.mkdir()
        (folder / "auth.json").write_text(json.dumps({"OPENAI_API_KEY": None, "tokens": tokens, "last_refresh": now}))
        (folder / "config.toml").write_text(f'openai_base_url = "{at}"\n')
        del rig.env["OPENAI_API_KEY"]
        ran = rig.run(codex, *WORDS, "-m", MODEL, PROMPT)
    assert ran.returncode == 0, ran.stderr
    assert rig.greeting == "goodbye world"
    assert {ask.path for ask in up.asks} == {"/backend-api/codex/responses"}
    assert {ask.model for ask in up.asks} == {MODEL}
    assert {ask.headers["chatgpt-account-id"] for ask in up.asks} == {"acc-1"}
    assert set(up.others) <= {"GET /backend-api/codex/models"}
    assert {turn["outcome"] for turn in turn_rows()} == {"direct"}
