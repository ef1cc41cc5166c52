from __future__ import annotations

import os
import select
from pathlib import Path

from rlmc.commands.checks.clients import check_clients


def program(folder: Path, name: str, script: str) -> None:
    file = folder / name
    file.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    file.chmod(0o755)


def test_found_agents_with_their_versions(tmp_path: Path) -> None:
    program(tmp_path, "claude", "echo '2.1.330 (Claude Code)'")
    program(tmp_path, "codex", "echo codex-cli 0.169.0-beta.1 >&2")
    program(tmp_path, "aider", "echo nothing to say; exit 3")
    checks = check_clients(str(tmp_path))
    assert [one.status for one in checks] == ["ok"] * 3
    assert [one.detail.split(",")[0] for one in checks] == [
        "claude 2.1.330",
        "codex 0.169.0-beta.1",
        "aider (version unknown)",
    ]


def test_none_found(tmp_path: Path) -> None:
    checks = check_clients(str(tmp_path))
    assert [one.status for one in checks] == ["warn"]
    assert "none found of claude, codex, opencode, aider, qwen, llm" in checks[0].detail


def test_an_agent_that_hangs_is_ended_with_its_children(tmp_path: Path) -> None:
    line = tmp_path / "line"
    os.mkfifo(line)
    program(tmp_path, "claude", f"sh -c 'exec sleep 600 > {line}'; true")
    reader = os.open(line, os.O_RDONLY | os.O_NONBLOCK)
    try:
        checks = check_clients(str(tmp_path), patience=1.0)
        assert "version unknown" in checks[0].detail
        ready, _, _ = select.select([reader], [], [], 10)
        assert ready, "the child still holds its end"
        assert os.read(reader, 1) == b""
    finally:
        os.close(reader)


def test_an_agent_that_asks_gets_no_answer(tmp_path: Path) -> None:
    program(tmp_path, "qwen", 'read answer; echo "1.0.$?"')
    assert "qwen 1.0.1" in check_clients(str(tmp_path))[0].detail
