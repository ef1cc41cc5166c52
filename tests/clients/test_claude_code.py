"""The real Claude Code through `rlmc run`, headless and in its terminal UI, against recording fakes as both upstreams.

Needs the version pinned here: `npm i --prefix DIR @anthropic-ai/claude-code@2.1.330`, with DIR/node_modules/.bin on
PATH or its `claude` named by CLAUDE_BIN. tmux for the terminal tests.
"""

from __future__ import annotations

import base64
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.support.fake_upstream import FakeUpstream, Reply
from tests.support.ledger_rows import call_rows, turn_rows
from tests.support.scripts import formatted, steps_done

pytestmark = [pytest.mark.clients, pytest.mark.timeout(180)]

VERSION = "2.1.330"
KEY = "sk-ant-api03-test-0000000000000000000000000000"
RECORDER = Path(__file__).parents[1] / "support" / "recorder.py"
PROMPT = "Change the greeting in hello.txt to goodbye."


@pytest.fixture(scope="module")
def claude() -> str:
    found = os.environ.get("CLAUDE_BIN") or shutil.which("claude")
    if found is None:
        pytest.skip(f"no claude found: npm i @anthropic-ai/claude-code@{VERSION} and put it on PATH")
    version = subprocess.run([found, "--version"], capture_output=True, text=True, timeout=60).stdout
    if not version.startswith(VERSION):
        pytest.skip(f"{found} is {version.strip()!r}, these tests are written for {VERSION}")
    return found


@dataclass
class Rig:
    home: Path
    project: Path
    recording: Path
    verify: FakeUpstream
    draft: FakeUpstream
    env: dict[str, str]

    @property
    def edited(self) -> bool:
        return "goodbye world" in (self.project / "hello.txt").read_text()

    def command(self, claude: str, *args: str, policy: str = "balanced") -> list[str]:
        rlmc = [sys.executable, "-m", "rlmc", "run", "--policy", policy, "--as", "claude", "--"]
        return [*rlmc, sys.executable, str(RECORDER), str(self.recording), claude, *args]

    def run(self, command: list[str]) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command,
            cwd=self.project,
            env=self.env,
            capture_output=True,
            text=True,
            timeout=150,
            stdin=subprocess.DEVNULL,
        )

    def exchanged(self) -> list[dict[str, Any]]:
        """What the agent sent as turns and got back."""
        records = [json.loads(line) for line in self.recording.read_text().splitlines()]
        for record in records:
            record["body"] = base64.b64decode(record["body"])
            record["received"] = base64.b64decode(record["received"])
        return [r for r in records if r["method"] == "POST" and r["path"].endswith("/v1/messages")]


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    home, project = tmp_path / "home", tmp_path / "project"
    home.mkdir()
    project.mkdir()
    (project / "hello.txt").write_text("hello world\n")
    (project / "notes.txt").write_text("Greetings are in hello.txt.\n")
    onboarded = {
        "hasCompletedOnboarding": True,
        "theme": "dark",
        "customApiKeyResponses": {"approved": [KEY[-20:]]},
        "projects": {str(project): {"hasTrustDialogAccepted": True, "hasCompletedProjectOnboarding": True}},
    }
    (home / ".claude.json").write_text(json.dumps(onboarded))
    with FakeUpstream(_verify(project), head_status=404) as verify, FakeUpstream(_draft(project)) as draft:
        config = Path(os.environ["RLMC_CONFIG_DIR"])
        config.mkdir(parents=True)
        (config / "config.toml").write_text(
            f'draft-model = "deepseek/deepseek-flash"\n[upstream.anthropic]\nbase-url = "{verify.url}"\n'
            f'[upstream.deepseek]\nbase-url = "{draft.url}"\n'
        )
        env = {k: v for k, v in os.environ.items() if not k.startswith(("ANTHROPIC", "CLAUDE"))}
        env |= {
            "HOME": str(home),
            "ANTHROPIC_API_KEY": KEY,
            "DEEPSEEK_API_KEY": "sk-deep-0000",
            "TERM": "xterm-256color",
        }
        yield Rig(home, project, tmp_path / "exchanges.jsonl", verify, draft, env)
        subprocess.run([sys.executable, "-m", "rlmc", "stop"], env=env, capture_output=True, timeout=60)


def _verify(project: Path) -> Any:
    """The capable model: Read, Bash, Edit, then a text. What it says depends on how far the conversation is."""
    steps = [
        Reply("I will read the file.", calls=(("Read", {"file_path": str(project / "hello.txt")}),), thinking="hm"),
        Reply("Another look.", calls=(("Read", {"file_path": str(project / "notes.txt")}),)),
        Reply("Listing.", calls=(("Bash", {"command": "ls -la", "description": "list"}),), thinking="hm"),
        Reply(
            "Now I edit it.",
            calls=(
                (
                    "Edit",
                    {
                        "file_path": str(project / "hello.txt"),
                        "old_string": "hello world",
                        "new_string": "goodbye world",
                    },
                ),
            ),
        ),
        Reply("Done: hello.txt now says goodbye world."),
    ]

    def script(body: dict[str, Any], _n: int) -> Reply:
        return formatted(body) or steps[min(steps_done(body), len(steps) - 1)]

    return script


def _draft(project: Path) -> Any:
    """The cheap model: reads on where it may, and proposes shell where it must not."""

    def script(body: dict[str, Any], _n: int) -> Reply:
        if not body.get("tools"):
            assert "JSON Schema" in json.dumps(body["system"]), "a vendor without output formats is told in words"
            return Reply('{"title": "A new greeting"}')
        if steps_done(body) == 1:
            return Reply("Reading on.", calls=(("Read", {"file_path": str(project / "notes.txt")}),))
        return Reply(calls=(("Bash", {"command": "touch made.txt", "description": "make a file"}),))

    return script


def _check_direct_turns_are_untouched(rig: Rig) -> None:
    """Every direct turn's request reached the provider as the agent sent it, and its answer came back as it was."""
    exchanged = rig.exchanged()
    turns = turn_rows()
    assert len(exchanged) == len(turns)
    by_body = {bytes(e.body): bytes(e.sent) for e in rig.verify.messages}
    direct = 0
    for exchange in exchanged:
        if exchange["body"] in by_body:
            direct += 1
            assert exchange["received"] == by_body[exchange["body"]]
    assert direct == sum(t["outcome"] == "direct" for t in turns)


def test_headless_it_completes_a_task_and_a_turn_is_skipped(claude: str, rig: Rig) -> None:
    ran = rig.run(rig.command(claude, "-p", PROMPT, "--allowedTools", "Read,Bash,Edit"))
    assert ran.returncode == 0, ran.stderr
    assert "goodbye world" in ran.stdout
    assert rig.edited
    outcomes = [t["outcome"] for t in turn_rows()]
    assert outcomes.count("skipped") >= 1
    assert "direct" in outcomes
    _check_direct_turns_are_untouched(rig)
    assert "rlmc:" in ran.stderr
    assert f"{outcomes.count('skipped')} skipped" in ran.stderr
    assert any(c["role"] == "draft" and not c["served"] for c in call_rows()), "the shell draft was refused"
    assert all(e.header("x-claude-code-request-class") for e in rig.verify.messages), "hint headers are on"


def test_headless_with_every_draft_audited_it_gets_the_same_and_the_summary_says_what_was_found(
    claude: str, rig: Rig
) -> None:
    rig.env |= {"RLMC_AUDITS": "on", "RLMC_AUDIT_RATE": "100"}
    ran = rig.run(rig.command(claude, "-p", PROMPT, "--allowedTools", "Read,Bash,Edit"))
    assert ran.returncode == 0, ran.stderr
    assert rig.edited
    served = [t for t in turn_rows() if t["coin"] is not None]
    assert served, [(t["outcome"], t["reason"], t["epoch"]) for t in turn_rows()]
    audits = [c for c in call_rows() if c["role"] == "audit"]
    assert len(audits) >= len(served)
    assert all(c["cost"] is not None for c in audits)
    assert f"not certified yet ({len(served)} audit" in ran.stderr


def test_headless_with_the_papers_rules_every_request_with_tools_is_direct(claude: str, rig: Rig) -> None:
    ran = rig.run(rig.command(claude, "-p", PROMPT, "--allowedTools", "Read,Bash,Edit", policy="paper"))
    assert ran.returncode == 0, ran.stderr
    assert rig.edited
    assert {t["outcome"] for t in turn_rows()} == {"direct"}
    assert rig.draft.messages == []
    _check_direct_turns_are_untouched(rig)


def test_settings_of_the_user_that_name_another_address_are_overruled_and_kept_as_the_upstream(
    claude: str, rig: Rig
) -> None:
    (rig.home / ".claude").mkdir()
    theirs = {"env": {"ANTHROPIC_BASE_URL": rig.verify.url, "MINE": "kept"}}
    settings = rig.home / ".claude" / "settings.json"
    settings.write_text(json.dumps(theirs))
    command = [sys.executable, "-m", "rlmc", "run", "--", claude, "-p", PROMPT, "--allowedTools", "Read,Bash,Edit"]
    ran = rig.run(command)
    assert ran.returncode == 0, ran.stderr
    assert rig.edited
    assert len(turn_rows()) >= 5, "the turns came through rlmc"
    assert rig.verify.messages
    assert json.loads(settings.read_text()) == theirs, "nothing of the user's is edited"


@dataclass
class Screen:
    """Claude Code in a terminal of its own."""

    socket: list[str]

    def text(self) -> str:
        command = [*self.socket, "capture-pane", "-p", "-J"]
        return subprocess.run(command, capture_output=True, text=True, timeout=20).stdout

    def shows(self, words: str) -> bool:
        """However the lines are broken."""
        return words in " ".join(self.text().split())

    def until(self, what: str, seen: Any, seconds: float = 60) -> None:
        deadline = time.monotonic() + seconds
        while not seen():
            assert time.monotonic() < deadline, f"{what} did not happen; the screen:\n{self.text()}"
            time.sleep(0.2)

    def enter(self, line: str) -> None:
        subprocess.run([*self.socket, "send-keys", "-l", line], check=True, timeout=20)
        time.sleep(0.5)
        subprocess.run([*self.socket, "send-keys", "Enter"], check=True, timeout=20)


@contextmanager
def terminal(rig: Rig, arguments: list[str]) -> Iterator[Screen]:
    if shutil.which("tmux") is None:
        pytest.skip("needs tmux")
    socket = ["tmux", "-L", f"rlmc-test-{os.getpid()}"]
    command = shlex.join(arguments)
    exports = " ".join(f"{k}={shlex.quote(v)}" for k, v in rig.env.items() if k not in ("PWD", "SHLVL", "_"))
    subprocess.run(
        [
            *socket,
            "new-session",
            "-d",
            "-x",
            "120",
            "-y",
            "40",
            "-c",
            str(rig.project),
            f"env -i {exports} {command}; sleep 3600",
        ],
        check=True,
        timeout=20,
    )

    screen = Screen(socket)
    try:
        screen.until("the prompt", lambda: "❯" in screen.text() or "> " in screen.text())
        time.sleep(1)
        yield screen
    finally:
        subprocess.run([*socket, "kill-server"], capture_output=True, timeout=20)


@pytest.mark.parametrize("policy", ["balanced", "paper"])
def test_in_its_terminal_ui(claude: str, rig: Rig, policy: str) -> None:
    command = rig.command(claude, "--permission-mode", "acceptEdits", "--allowedTools", "Bash", policy=policy)
    with terminal(rig, command) as screen:
        screen.enter(PROMPT)
        screen.until("the edit", lambda: rig.edited)
        screen.until("the last answer", lambda: "now says goodbye world" in screen.text())
        screen.enter("/exit")
        screen.until("the summary", lambda: "rlmc:" in screen.text())
    turns = turn_rows()
    titles = [t for t in turns if t["request_class"] == "auxiliary"]
    assert titles
    assert {t["outcome"] for t in titles} == {"skipped"}
    if policy == "paper":
        assert {t["outcome"] for t in turns if t["request_class"] == "main"} == {"direct"}
    else:
        assert any(t["outcome"] == "skipped" for t in turns if t["request_class"] == "main")
    _check_direct_turns_are_untouched(rig)


# --- a budget that stops --------------------------------------------------------------------------------------------

STOPPED = "so nothing was sent. To go on: rlmc config set budget.session "


def _rlmc(rig: Rig, *args: str) -> None:
    command = [sys.executable, "-m", "rlmc", *args]
    subprocess.run(command, env=rig.env, check=True, capture_output=True, timeout=60)


def _stop_at_a_cent(rig: Rig) -> None:
    """In force from the second turn on: the first costs more than that."""
    _rlmc(rig, "config", "set", "budget.session", "0.01")
    _rlmc(rig, "config", "set", "budget.action", "stop")
    _rlmc(rig, "start")
    time.sleep(3)  # until the daemon has its prices


def test_headless_a_stopped_session_ends_at_once_and_says_why(claude: str, rig: Rig) -> None:
    _stop_at_a_cent(rig)
    ran = rig.run(rig.command(claude, "-p", PROMPT, "--allowedTools", "Read,Bash,Edit"))
    assert ran.returncode == 1
    assert "API Error: 402 rlmc: this session has cost $0.0" in ran.stdout
    assert f"and budget.session is $0.01 (config.toml), {STOPPED}" in ran.stdout
    assert [t["reason"] for t in turn_rows()].count("budget") == 1, "it is not tried again"
    assert not rig.edited


def test_in_the_terminal_a_stopped_session_says_why_and_goes_on_once_the_budget_is_raised(
    claude: str, rig: Rig
) -> None:
    _stop_at_a_cent(rig)
    command = rig.command(claude, "--permission-mode", "acceptEdits", "--allowedTools", "Bash")
    with terminal(rig, command) as screen:
        screen.enter(PROMPT)
        screen.until("the message", lambda: screen.shows(STOPPED))
        assert screen.shows("rlmc: this session has cost $0.0")
        assert not rig.edited
        stopped = len(rig.verify.messages)
        time.sleep(3)
        assert len(rig.verify.messages) == stopped
        _rlmc(rig, "config", "set", "budget.session", "10")
        screen.enter("Go on.")
        screen.until("the edit", lambda: rig.edited)
        screen.until("the last answer", lambda: "now says goodbye world" in screen.text())
        screen.enter("/exit")
        screen.until("the summary", lambda: "over budget:" in screen.text())
        assert screen.shows("not sent anywhere")
    assert {t["reason"] for t in turn_rows() if t["status"] == 402} == {"budget"}


# --- the status line ------------------------------------------------------------------------------------------------


def test_in_the_terminal_the_status_line_shows_what_was_saved(claude: str, rig: Rig) -> None:
    config = [sys.executable, "-m", "rlmc", "config", "statusline"]
    setting = subprocess.run(config, env=rig.env, capture_output=True, check=True, timeout=60).stdout
    (rig.home / ".claude").mkdir()
    (rig.home / ".claude" / "settings.json").write_bytes(setting)
    with FakeUpstream(_verify(rig.project)) as able:
        _rlmc(rig, "config", "set", "upstream.deepseek.base-url", able.url)
        _rlmc(rig, "config", "set", "audits", "off")  # one of so few turns would cost more than all of them save
        command = rig.command(claude, "--permission-mode", "acceptEdits", "--allowedTools", "Bash")
        with terminal(rig, command) as screen:
            screen.until("the line", lambda: screen.shows("rlmc balanced · no turns yet"))
            screen.enter(PROMPT)
            screen.until("the last answer", lambda: "now says goodbye world" in screen.text())
            screen.until("the saved amount", lambda: re.search(SAVED, screen.text()) is not None)
            screen.enter("What does it say now?")
            before = len(turn_rows())
            screen.until("another turn", lambda: len(turn_rows()) > before)
            screen.until("the saved amount", lambda: re.search(SAVED, screen.text()) is not None)
            screen.enter("/exit")
            screen.until("the summary", lambda: "rlmc:" in screen.text())


SAVED = r"rlmc \S+ · saved [^·]*\$\d\S* \(\d+ %\) · \d+ % skipped"
