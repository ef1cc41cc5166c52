from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from tests.support.cli import Ran, run

from rlmc.commands import doctor as command
from rlmc.commands.checks.check import Check
from rlmc.daemon import control
from rlmc.errors import DaemonError
from rlmc.ui import console


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user with nothing but an empty home and no agents."""
    kept = {"TERM": "dumb", "SHELL": "/bin/bash", "HOME": str(tmp_path), "PATH": str(tmp_path / "bin")}
    for name in list(os.environ):
        monkeypatch.delenv(name)
    for name, value in kept.items():
        monkeypatch.setenv(name, value)
    for kind in ("CONFIG", "DATA", "STATE"):
        monkeypatch.setenv(f"RLMC_{kind}_DIR", str(tmp_path / kind.lower()))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def doctor(*args: str) -> Ran:
    return run(command.register, "doctor", *args)


def found(*args: str) -> dict[str, list[dict[str, str]]]:
    checks: dict[str, list[dict[str, str]]] = {}
    for one in json.loads(doctor("--json", *args).out)["data"]["checks"]:
        checks.setdefault(one["name"], []).append(one)
    return checks


def test_an_empty_machine_is_not_broken() -> None:
    ran = doctor()
    assert ran.code == 0
    assert ran.err == ""
    names = [line.split()[1] for line in ran.out.splitlines() if not line.startswith(" ")]
    wanted = ["config", "files", "verify", "draft", "port", "daemon", "ledger", "completions", "clients", "environment"]
    assert names == wanted


def test_it_leaves_nothing_behind(home: Path) -> None:
    doctor()
    assert list(home.iterdir()) == []


def test_json_has_every_check_with_its_fix(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-ant-secret")
    ran = doctor("--json")
    answer = json.loads(ran.out)
    assert answer["schema"] == "rlmc.doctor/1"
    assert answer["data"]["ok"] is True
    assert all(set(one) == {"name", "status", "detail", "fix"} for one in answer["data"]["checks"])
    assert "sk-ant-secret" not in ran.out
    assert found()["verify model"][0]["status"] == "ok"


def test_a_broken_file_fails_and_the_rest_is_still_looked_at(home: Path) -> None:
    (home / "config").mkdir(mode=0o700)
    (home / "config" / "config.toml").write_text("port = \n", encoding="utf-8")
    ran = doctor()
    assert ran.code == 1
    assert "not valid TOML at line 1" in ran.out
    assert "fix: " in ran.out
    assert "ledger" in ran.out
    assert json.loads(doctor("--json").out)["data"]["ok"] is False


def test_a_running_daemon_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    status = {"port": 4711, "pid": 7, "version": "0.0.1", "config_error": "bad"}
    monkeypatch.setattr(control, "status", lambda: status)
    monkeypatch.setenv("RLMC_PORT", "4711")
    checks = found()
    assert [one["status"] for one in checks["daemon"]] == ["warn", "fail"]
    assert checks["port"][0]["detail"] == "4711, in use by the daemon"


def test_a_daemon_that_answers_nonsense(monkeypatch: pytest.MonkeyPatch) -> None:
    def nonsense() -> None:
        raise DaemonError("what answers is not rlmc's daemon")

    monkeypatch.setattr(control, "status", nonsense)
    ran = doctor()
    assert ran.code == 1
    assert "not rlmc's daemon" in ran.out


def test_claude_codes_folder_may_be_elsewhere(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLAUDE_CONFIG_DIR", str(home / "elsewhere"))
    (home / "elsewhere").mkdir()
    (home / "elsewhere" / "settings.json").write_text('{"env": {"CLAUDE_CODE_USE_VERTEX": "1"}}', encoding="utf-8")
    assert doctor().code == 1


def test_a_working_directory_that_is_gone(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = home / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    assert doctor().code == 0


def test_fixes_are_shown_only_for_what_is_not_well(monkeypatch: pytest.MonkeyPatch) -> None:
    checks = [Check("a", "ok", "fine", "unused"), Check("long name", "fail", "broken", "mend it")]
    monkeypatch.setattr(command, "examine", lambda: checks)
    assert doctor() == Ran(
        1,
        "ok    a          fine\nfail  long name  broken\n" + " " * 17 + "fix: mend it\n",
        "",
    )


def test_details_are_fitted_to_a_terminal_and_fixes_can_be_copied(monkeypatch: pytest.MonkeyPatch) -> None:
    detail, fix = " ".join(["word"] * 40), "mkdir -p " + "a/" * 60 + " && true"
    monkeypatch.setattr(command, "examine", lambda: [Check("a", "warn", detail, fix)])
    monkeypatch.setattr(console, "is_terminal", lambda _stream: True)
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "80")
    *details, last = doctor().out.splitlines()
    assert len(details) > 1
    assert max(map(len, details)) <= 80
    assert " ".join(" ".join(details).split()) == f"warn a {detail}"
    assert last.strip() == f"fix: {fix}"
