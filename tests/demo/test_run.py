"""The sandbox: a folder of its own, nothing of the user's handed on, cleaned up in every case."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from rlmc.demo import run
from rlmc.demo.run import DemoError, DemoTurn, Sandbox

TURN: dict[str, object] = {
    "turn": 1,
    "task": 0,
    "asked": None,
    "model": "sim/draft",
    "does": "answers",
    "prompt_tokens": 44,
    "seconds": 0.1,
}


TOLD = f"print({json.dumps(TURN)!r}, flush=True)"


@pytest.fixture
def commands(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Python programs that stand in for rlmc's commands, by name; every call is noted in its folder."""
    programs = {"stop": "pass"}

    def stand_in(arguments: list[str]) -> list[str]:
        note = f"open('called', 'a').write({' '.join(arguments[:2])!r} + '\\n')\n"
        return [sys.executable, "-c", note + programs[arguments[0]]]

    monkeypatch.setattr(run, "_rlmc", stand_in)
    return programs


def test_nothing_of_the_users_is_handed_on(monkeypatch: pytest.MonkeyPatch, commands: dict[str, str]) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-users-own")
    monkeypatch.setenv("RLMC_POLICY", "paper")
    with Sandbox() as sandbox:
        environment = sandbox.environment
    assert "ANTHROPIC_API_KEY" not in environment
    assert "RLMC_POLICY" not in environment
    for name in ("RLMC_CONFIG_DIR", "RLMC_DATA_DIR", "RLMC_STATE_DIR"):
        assert Path(environment[name]).parent == sandbox.folder


def test_turns_are_told_as_they_come(commands: dict[str, str]) -> None:
    commands["run"] = (
        f"print({json.dumps(json.dumps(TURN))}); print('noise'); import sys; print('sum', file=sys.stderr)"
    )
    seen: list[DemoTurn] = []
    with Sandbox() as sandbox:
        session = sandbox.session(seen.append)
    assert seen == list(session.turns) == [DemoTurn(**TURN)]  # type: ignore[arg-type]
    assert session.summary == "sum"


@pytest.mark.parametrize("program", ["import sys; sys.exit('it broke')", "pass"])
def test_a_session_that_fails_says_why(program: str, commands: dict[str, str]) -> None:
    commands["run"] = program
    with Sandbox() as sandbox, pytest.raises(DemoError) as caught:
        sandbox.session(lambda _turn: None)
    assert "exit code" in caught.value.message
    assert "--keep" in (caught.value.hint or "")


def test_the_account_is_the_statistics_commands_data(commands: dict[str, str]) -> None:
    commands["stats"] = 'print(\'{"schema": "rlmc.stats/1", "data": {"turns": 3}}\')'
    with Sandbox() as sandbox:
        assert sandbox.stats() == {"turns": 3}
        commands["stats"] = "print('no json')"
        with pytest.raises(DemoError, match="no account"):
            sandbox.stats()


def test_the_daemon_is_stopped_and_the_folder_removed_whatever_happens(
    commands: dict[str, str], tmp_path: Path
) -> None:
    def interrupted(_turn: DemoTurn) -> None:
        raise KeyboardInterrupt

    def watch(sandbox: Sandbox) -> None:
        with sandbox:
            sandbox.session(interrupted)

    commands["run"] = f"import time; {TOLD}; time.sleep(60)"
    commands["stop"] = f"import shutil; shutil.copy('called', {str(tmp_path)!r})"
    sandbox = Sandbox()
    with pytest.raises(KeyboardInterrupt):
        watch(sandbox)
    assert not sandbox.folder.exists()
    assert (tmp_path / "called").read_text().split("\n") == ["run --draft-model", "stop --force", ""]


def test_keep_keeps_the_folder(commands: dict[str, str]) -> None:
    with Sandbox(keep=True) as sandbox:
        pass
    assert (sandbox.folder / "called").read_text() == "stop --force\n"
    (sandbox.folder / "called").unlink()
    sandbox.folder.rmdir()
