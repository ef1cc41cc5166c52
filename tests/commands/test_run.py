"""`rlmc run` as its user meets it: the real command, the real daemon, real children."""

from __future__ import annotations

import json
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.command_line import Rlmc, a_user
from tests.support.daemons import eventually

from rlmc.daemon import control
from rlmc.daemon.state import daemon_lock
from rlmc.launch.base_url import is_own

# Prints what an agent would go by; written by hand, for a shell cannot quote JSON.
TELL = """
import json, os, sys
names = ("ANTHROPIC_BASE_URL", "ANTHROPIC_AUTH_TOKEN", "NO_PROXY", "no_proxy", "ENABLE_TOOL_SEARCH", "DEEPSEEK_API_KEY")
print(json.dumps({"argv": sys.argv[1:], "env": {n: os.environ[n] for n in names if n in os.environ}}))
"""
# Asks for one turn, as an agent on an Anthropic SDK would.
ASK = """
import json, os, sys, urllib.request
body = {"model": "claude-opus-5-5", "max_tokens": 500, "messages": [{"role": "user", "content": "Say hello."}]}
request = urllib.request.Request(
    os.environ["ANTHROPIC_BASE_URL"] + "/v1/messages",
    json.dumps(body).encode(),
    {"content-type": "application/json", "x-api-key": "k", "anthropic-version": "2023-06-01"},
)
answer = json.loads(urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=30).read())
print(answer["model"])
"""
PYTHON = sys.executable


@pytest.fixture
def rlmc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Rlmc]:
    with a_user(tmp_path, monkeypatch) as user:
        yield user


def tell(ran: subprocess.CompletedProcess[str]) -> dict[str, dict[str, str]]:
    assert ran.returncode == 0, ran.stderr
    found: dict[str, dict[str, str]] = json.loads(ran.stdout)
    return found


def claude(folder: Path, script: str) -> Path:
    """A program called claude."""
    program = folder / "bin" / "claude"
    program.parent.mkdir(exist_ok=True)
    program.write_text(f"#!{PYTHON}\n{script}")
    program.chmod(0o755)
    return program


# --- the child, as if rlmc were not there ---------------------------------------------------------------------------


def test_exit_code_output_and_input_are_the_childs(rlmc: Rlmc) -> None:
    ran = rlmc("run", "--no-summary", "--", "/bin/sh", "-c", "cat; echo err >&2; exit 7", stdin="typed")
    assert (ran.returncode, ran.stdout, ran.stderr) == (7, "typed", "err\n")


def test_death_by_a_signal(rlmc: Rlmc) -> None:
    assert rlmc("run", "--", "/bin/sh", "-c", "kill -TERM $$").returncode == 128 + signal.SIGTERM


def test_a_signal_for_rlmc_ends_the_child_and_the_session_in_order(rlmc: Rlmc) -> None:
    script = "trap 'echo child ends; exit 5' TERM; echo up; while :; do sleep 0.05; done"
    process = rlmc.start("run", "--", "/bin/sh", "-c", script)
    assert process.stdout is not None
    assert process.stdout.readline() == "up\n"
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=30)
    assert (process.returncode, out) == (5, "child ends\n")
    assert "rlmc:" in err
    assert (control.status() or {})["sessions"] == []


def test_the_childs_exit_code_stands_where_nobody_reads_the_account(rlmc: Rlmc) -> None:
    process = rlmc.start("run", "--", "/bin/sh", "-c", "cat; exit 7", stdin=subprocess.PIPE)
    for stream in (process.stderr, process.stdout, process.stdin):
        assert stream is not None
        stream.close()
    assert process.wait(30) == 7


@pytest.mark.parametrize("dashes", [[], ["--"]])
def test_options_end_at_the_childs_first_word(rlmc: Rlmc, dashes: list[str]) -> None:
    words = ["--help", "--policy", "nonsense", "--", "-n", "", "ä"]
    ran = rlmc("run", "--no-summary", "--policy", "paper", *dashes, PYTHON, "-c", TELL, *words)
    assert tell(ran)["argv"] == words


@pytest.mark.parametrize(
    ("word", "code", "said"),
    [("no-such-agent", 127, "command not found"), ("./no-such-file", 127, "no such file"), (".", 127, "not found")],
)
def test_a_child_that_is_not_there(rlmc: Rlmc, word: str, code: int, said: str) -> None:
    ran = rlmc("run", "--", word)
    assert ran.returncode == code
    assert said in ran.stderr
    assert "hint:" in ran.stderr or word.startswith("./")
    assert not daemon_lock().held()


def test_a_child_that_cannot_be_executed(rlmc: Rlmc) -> None:
    (rlmc.home / "agent").write_text("#!/bin/sh\n")
    ran = rlmc("run", "./agent")
    assert ran.returncode == 126
    assert "chmod +x" in ran.stderr


def test_nothing_to_run(rlmc: Rlmc) -> None:
    ran = rlmc("run")
    assert ran.returncode == 2
    assert "rlmc run -- claude" in ran.stderr


# --- what the child is given ----------------------------------------------------------------------------------------


def test_any_program_gets_the_address_of_its_session(rlmc: Rlmc) -> None:
    env = {"NO_PROXY": "corp", "HTTP_PROXY": "http://127.0.0.1:9"}
    told = tell(rlmc("run", "--no-summary", "--", PYTHON, "-c", TELL, env=env))["env"]
    assert is_own(told["ANTHROPIC_BASE_URL"])
    assert told["NO_PROXY"] == told["no_proxy"] == "corp,127.0.0.1,localhost"
    assert "ENABLE_TOOL_SEARCH" not in told


def test_every_session_has_an_address_of_its_own(rlmc: Rlmc) -> None:
    first, second = (
        tell(rlmc("run", "--no-summary", "--", PYTHON, "-c", TELL))["env"]["ANTHROPIC_BASE_URL"] for _ in range(2)
    )
    assert first != second
    assert first.split("/s/")[0] == second.split("/s/")[0]


def test_a_run_inside_a_run_is_a_session_of_its_own(rlmc: Rlmc) -> None:
    inner = [PYTHON, "-m", "rlmc", "run", "--no-summary", "--", PYTHON, "-c", TELL]
    ran = rlmc("run", "--no-summary", "--", *inner)
    assert is_own(tell(ran)["env"]["ANTHROPIC_BASE_URL"])
    assert ran.stderr == ""


def test_claude_gets_settings_where_its_own_would_win(rlmc: Rlmc) -> None:
    script = (
        "import json, os, stat, sys\n"
        "path = sys.argv[2]\n"
        "print(json.dumps([sys.argv[1:], json.load(open(path)), stat.S_IMODE(os.stat(path).st_mode),"
        " os.environ['ANTHROPIC_BASE_URL']]))\n"
    )
    program = claude(rlmc.home, script)
    settings = rlmc.home / ".claude" / "settings.json"
    settings.parent.mkdir()
    settings.write_text(json.dumps({"env": {"ANTHROPIC_BASE_URL": "https://gateway.example"}}))
    before = settings.stat()
    ran = rlmc("run", "--no-summary", "--", str(program), "-p", "hello", env={"ANTHROPIC_API_KEY": "k"})
    assert ran.returncode == 0, ran.stderr
    argv, injected, mode, base_url = json.loads(ran.stdout)
    assert argv == ["--settings", argv[1], "-p", "hello"]
    assert injected == {"env": {"ANTHROPIC_BASE_URL": base_url}}
    assert is_own(base_url)
    assert mode == stat.S_IRUSR | stat.S_IWUSR
    assert not Path(argv[1]).exists()
    assert (settings.stat().st_mtime_ns, settings.stat().st_ino) == (before.st_mtime_ns, before.st_ino)
    assert "https://gateway.example" in ran.stderr  # it stays the upstream, at prices nobody knows


def test_claude_is_started_without_a_credential_and_that_is_said(rlmc: Rlmc) -> None:
    program = claude(rlmc.home, TELL)
    plain = rlmc("run", "--no-summary", "--", str(program))
    assert "ANTHROPIC_AUTH_TOKEN" not in tell(plain)["env"]
    assert "no Anthropic credential" in plain.stderr
    simulated = rlmc(
        "run", "--no-summary", "--draft-model", "sim/draft", "--verify-model", "sim/verify", "--", str(program)
    )
    assert tell(simulated)["env"]["ANTHROPIC_AUTH_TOKEN"]
    assert "placeholder" in simulated.stderr


def test_what_the_daemon_is_told_of_a_session(rlmc: Rlmc) -> None:
    (rlmc.home / ".git").mkdir()
    (rlmc.home / ".git" / "HEAD").write_text("ref: refs/heads/topic\n")
    process = rlmc.start(
        "run", "--policy", "draft-only", "--name", "my session", "--", "/bin/cat", stdin=subprocess.PIPE
    )
    status = eventually(lambda: (control.status() or {}).get("sessions") and control.status()) or {}
    (session,) = status["sessions"]
    assert session["client"] == "cat"
    assert session["name"] == "my session"
    assert session["directory"] == str(rlmc.home)
    assert session["policy"] == "draft-only"
    assert eventually(lambda: (control.status() or {})["sessions"][0]["alive"])
    process.communicate("", timeout=30)
    assert (control.status() or {})["sessions"] == []


def test_a_key_is_in_the_hands_of_the_daemon_and_nowhere_on_disk(rlmc: Rlmc, tmp_path: Path) -> None:
    key = "sk-the-secret-key-of-this-test"
    env = {"DEEPSEEK_API_KEY": key, "ANTHROPIC_API_KEY": key}
    program = claude(rlmc.home, TELL)
    ran = rlmc("run", "--draft-model", "deepseek/deepseek-flash", "--", str(program), env=env)
    told = json.loads(ran.stdout)
    token = told["env"]["ANTHROPIC_BASE_URL"].rsplit("/", 1)[1]
    for path in (p for p in tmp_path.rglob("*") if p.is_file() and "home" not in p.parts):
        content = path.read_bytes()
        assert key.encode() not in content, path
        assert token.encode() not in content, path


# --- the account at the end -----------------------------------------------------------------------------------------


def test_a_turn_is_accounted_for(rlmc: Rlmc) -> None:
    ran = rlmc(
        "run", "--draft-model", "sim/draft", "--verify-model", "sim/verify", "--policy", "draft-only", "--",
        PYTHON, "-c", ASK,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout == "sim/draft\n"
    assert "1 turn" in ran.stderr
    assert "1 skipped" in ran.stderr
    assert "made no request" not in ran.stderr


def test_a_child_that_asked_nothing_is_told_of_with_reasons(rlmc: Rlmc) -> None:
    ran = rlmc("run", "--", "/bin/sh", "-c", "exit 0", env={"HTTP_PROXY": "http://127.0.0.1:9"})
    assert "no turn came through rlmc" in ran.stderr
    assert "made no request through rlmc" in ran.stderr
    assert "ANTHROPIC_BASE_URL" in ran.stderr
    assert "HTTP_PROXY is set" in ran.stderr
    assert ran.stdout == ""


# --- when something is wrong ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--policy", "papr"], "Did you mean paper?"),
        (["--draft-model", "deepsek/x"], "deepseek"),
        (["--budget", "lots"], "--budget"),
        (["--as", "emacs"], "claude, codex, opencode"),
        (["--frob"], "--frob"),
    ],
)
def test_a_wrong_option_is_explained(rlmc: Rlmc, arguments: list[str], said: str) -> None:
    ran = rlmc("run", *arguments, "--", "/bin/sh", "-c", "echo must not run")
    assert ran.returncode == 2
    assert said in ran.stderr
    assert ran.stdout == ""
    assert "Traceback" not in ran.stderr


def test_a_daemon_that_cannot_start_does_not_keep_the_agent_from_working(rlmc: Rlmc) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        ran = rlmc("run", "--", PYTHON, "-c", TELL, env={"RLMC_PORT": str(port), "ANTHROPIC_BASE_URL": "https://own"})
    assert tell(ran)["env"] == {"ANTHROPIC_BASE_URL": "https://own"}
    assert "running WITHOUT rlmc" in ran.stderr
    assert f"port is {port} (env RLMC_PORT)" in ran.stderr
    assert "rlmc config set port" in ran.stderr


def test_folders_that_cannot_be_written_do_not_either(rlmc: Rlmc) -> None:
    (rlmc.home / "file").write_text("")
    ran = rlmc("run", "--", "/bin/sh", "-c", "exit 4", env={"RLMC_STATE_DIR": str(rlmc.home / "file" / "state")})
    assert ran.returncode == 4
    assert "running WITHOUT rlmc" in ran.stderr


def test_where_an_error_comes_from_is_shown_on_request(rlmc: Rlmc) -> None:
    assert "Traceback" not in rlmc("run", "no-such-agent").stderr
    assert "Traceback" in rlmc("--debug", "run", "no-such-agent").stderr
    assert "Traceback" in rlmc("run", "no-such-agent", env={"RLMC_DEBUG": "1"}).stderr
    assert rlmc("run", "--no-summary", "--", "/bin/sh", "-c", "exit 0", env={"RLMC_DEBUG": "1"}).stderr == ""
