"""`rlmc env` as its user meets it: a terminal's shell reads it, the real daemon serves what is started there."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.support import cli
from tests.support.command_line import Rlmc
from tests.support.daemons import eventually, own_folders

from rlmc.commands import env as command
from rlmc.daemon import control
from rlmc.daemon.state import daemon_lock
from rlmc.launch.base_url import is_own, upstreams_of
from rlmc.ui import console

RLMC = f"{sys.executable} -m rlmc"
TELL = f"""{sys.executable} -c 'import json, os; print(json.dumps(dict(os.environ)))'"""
SIMULATED = "--draft-model sim/draft --verify-model sim/verify"
# Asks for one turn in the protocol its argument names, as a program on an SDK would.
ASK = """
import json, os, sys, urllib.request
ask = {"max_tokens": 500, "messages": [{"role": "user", "content": "Say hello."}]}
if sys.argv[1] == "anthropic":
    url, body = os.environ["ANTHROPIC_BASE_URL"] + "/v1/messages", ask | {"model": "claude-opus-5-5"}
else:
    url, body = os.environ["OPENAI_BASE_URL"] + "/chat/completions", ask | {"model": "gpt-5"}
headers = {"content-type": "application/json", "authorization": "Bearer k"}
request = urllib.request.Request(url, json.dumps(body).encode(), headers)
answer = json.loads(urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=30).read())
print(answer.get("object") or answer.get("type"))
"""


@pytest.fixture
def rlmc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Rlmc]:
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    with own_folders(tmp_path, monkeypatch):
        user = Rlmc(home, SHELL="/bin/bash")
        yield user
        user.close()


@contextmanager
def terminal(rlmc: Rlmc, script: str, shell: str = "bash", **env: str) -> Iterator[list[str]]:
    """A shell that is the first process of its session, runs the script and stays; what it printed."""
    process = subprocess.Popen(
        [shell, "-c", f"{script}\necho READY\nread x"],
        env={**rlmc.env, **env},
        cwd=rlmc.home,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        assert process.stdout is not None
        lines = list(iter(process.stdout.readline, "READY\n"))
        assert process.poll() is None
        yield [line.rstrip("\n") for line in lines]
    finally:
        process.communicate("\n", timeout=30)


def variables(line: str) -> dict[str, str]:
    found: dict[str, str] = json.loads(line)
    return found


def sessions() -> list[dict[str, Any]]:
    status = control.status()
    return [] if status is None else list(status["sessions"])


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_reads_it_and_what_is_in_it_arrives_as_it_is(rlmc: Rlmc, shell: str) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"needs {shell}")
    read = f"{RLMC} env --shell fish | source" if shell == "fish" else f'eval "$({RLMC} env)"'
    odd = 'it\'s \\ "$HOME" `x`.example'
    with terminal(rlmc, f"{read}\n{TELL}", shell, NO_PROXY=odd) as (line,):
        env = variables(line)
        assert is_own(env["ANTHROPIC_BASE_URL"])
        assert env["OPENAI_BASE_URL"] == env["OPENAI_API_BASE"] == env["ANTHROPIC_BASE_URL"] + "/v1"
        assert env["NO_PROXY"] == env["no_proxy"] == f"{odd},127.0.0.1,localhost"
        assert env["RLMC_SESSION"] == sessions()[0]["id"]


@pytest.mark.parametrize("protocol", ["anthropic", "chat"])
def test_what_is_started_in_the_terminal_goes_through_rlmc(rlmc: Rlmc, protocol: str) -> None:
    script = rlmc.home / "ask.py"
    script.write_text(ASK)
    lines = f'eval "$({RLMC} env --name mine {SIMULATED})"\n{sys.executable} {script} {protocol}'
    with terminal(rlmc, lines) as (said,):
        assert said == ("message" if protocol == "anthropic" else "chat.completion")
        (session,) = sessions()
        assert (session["name"], session["turns"], session["alive"]) == ("mine", 1, True)


def test_the_session_ends_with_the_terminal_and_the_daemon_stays_for_as_long(rlmc: Rlmc) -> None:
    assert rlmc("config", "set", "idle-timeout", "1").returncode == 0
    with terminal(rlmc, f'eval "$({RLMC} env)"\nsleep 4'):
        assert [session["alive"] for session in sessions()] == [True], "idle for longer than idle-timeout"
    eventually(lambda: not daemon_lock().held())


def test_where_the_sessions_first_process_is_gone_it_ends_with_the_shell_that_asked(rlmc: Rlmc) -> None:
    """A service that left its terminal the old way: the first process of its session has ended by design."""
    leave = "import os, sys; os.setsid(); os.fork() and os._exit(0); os.execvp('bash', ['bash', *sys.argv[1:]])"
    script = f'sleep 1\neval "$({RLMC} env)"\necho READY\nread x'
    process = subprocess.Popen(
        [sys.executable, "-c", leave, "-c", script],
        env=rlmc.env,
        cwd=rlmc.home,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdin is not None
    assert process.wait(timeout=20) == 0
    assert process.stdout.readline() == "READY\n"
    assert [session["alive"] for session in sessions()] == [True]
    process.stdin.close()
    process.stdout.close()
    eventually(lambda: not any(session["alive"] for session in sessions()))


def test_a_restart_says_that_terminals_lose_their_session(rlmc: Rlmc) -> None:
    with terminal(rlmc, f'eval "$({RLMC} env)"'):
        ran = rlmc("restart")
        assert ran.returncode == 0
        assert "1 terminal" in ran.stderr
        assert 'eval "$(rlmc env)"' in ran.stderr
    assert "terminal" not in rlmc("restart").stderr


def test_what_was_before_another_rlmc_is_not_what_is_before_this_one(rlmc: Rlmc) -> None:
    unset = "unset OPENAI_BASE_URL OPENAI_API_BASE"
    twice = f'eval "$({RLMC} env)"\n{unset}\neval "$({RLMC} env)"\n{TELL}'
    with terminal(rlmc, twice, OPENAI_BASE_URL="https://gateway.example/v1") as (line,):
        assert upstreams_of(variables(line)) == {}


def test_an_address_that_was_set_stays_the_upstream_also_when_it_is_asked_twice(rlmc: Rlmc) -> None:
    twice = f'eval "$({RLMC} env)"\neval "$({RLMC} env)"\n{TELL}'
    with terminal(rlmc, twice, ANTHROPIC_BASE_URL="https://gateway.example") as (line,):
        env = variables(line)
        assert is_own(env["ANTHROPIC_BASE_URL"])
        assert env["RLMC_BEFORE_ANTHROPIC"] == "https://gateway.example"
        notes = [session["who_sees"][0] for session in sessions()]
        assert len(notes) == 2
        assert all("gateway.example" in note for note in notes)


def test_only_what_a_shell_reads_is_printed_and_codex_is_told_of(rlmc: Rlmc) -> None:
    ran = rlmc("env")
    assert ran.returncode == 0
    *exports, last = ran.stdout.splitlines()
    assert all(line.startswith("export ") and line.endswith(";") for line in exports)
    assert last == "# codex needs arguments: rlmc run -- codex"
    fish = rlmc("env", env={"SHELL": "/usr/bin/fish"}).stdout.splitlines()
    assert all(line.startswith("set -gx ") and line.endswith(";") for line in fish[:-1])


def test_for_one_agent(rlmc: Rlmc) -> None:
    settings = rlmc.home / ".claude" / "settings.json"
    settings.parent.mkdir()
    plain = rlmc("env", "--as", "claude", env={"ANTHROPIC_API_KEY": "k"}).stdout
    assert "ENABLE_TOOL_SEARCH" in plain
    assert "OPENAI" not in plain
    settings.write_text(json.dumps({"env": {"ANTHROPIC_BASE_URL": "https://gateway.example"}}))
    overridden = rlmc("env", "--as", "claude", env={"ANTHROPIC_API_KEY": "k"}).stdout
    assert overridden.splitlines()[-1] == "# claude needs arguments: rlmc run -- claude"


@pytest.mark.parametrize(
    ("options", "said"), [(["--shell", "tcsh"], "--shell is 'tcsh'"), (["--as", "emacs"], "'emacs'")]
)
def test_what_it_does_not_know_is_refused_and_nothing_is_printed(rlmc: Rlmc, options: list[str], said: str) -> None:
    ran = rlmc("env", *options)
    assert (ran.returncode, ran.stdout) == (2, "")
    assert said in ran.stderr
    assert not daemon_lock().held()


def test_nothing_is_printed_where_there_is_no_daemon(rlmc: Rlmc) -> None:
    ran = rlmc("env", env={"RLMC_STATE_DIR": "/dev/null/x"})
    assert ran.returncode != 0
    assert ran.stdout == ""


def test_it_is_never_shown_on_a_screen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(console, "is_terminal", lambda _stream: True)
    monkeypatch.setenv("SHELL", "/bin/zsh")
    ran = cli.run(command.register, "env")
    assert (ran.code, ran.out) == (2, "")
    assert 'eval "$(rlmc env)"' in ran.err
