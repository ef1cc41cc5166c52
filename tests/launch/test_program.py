from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from rlmc.errors import ChildNotExecutable, ChildNotFound
from rlmc.launch.program import find_program


def program(path: Path, mode: int = 0o755) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("#!/bin/sh\n")
    path.chmod(mode)
    return path


def test_the_first_along_the_path(tmp_path: Path) -> None:
    program(tmp_path / "b" / "agent")
    first = program(tmp_path / "a" / "agent")
    env = {"PATH": f"{tmp_path}/none:{tmp_path}/a:{tmp_path}/b"}
    assert find_program("agent", env, tmp_path) == str(first)


def test_a_path_is_a_path(tmp_path: Path) -> None:
    here = program(tmp_path / "bin" / "agent")
    assert find_program("bin/agent", {"PATH": ""}, tmp_path) == str(here)
    assert find_program(str(here), {}, Path("/")) == str(here)
    with pytest.raises(ChildNotFound):
        find_program("./agent", {"PATH": str(tmp_path / "bin")}, tmp_path)


def test_an_empty_entry_is_the_working_directory(tmp_path: Path) -> None:
    here = program(tmp_path / "agent")
    assert find_program("agent", {"PATH": "/nonexistent:"}, tmp_path) == str(here)


def test_folders_that_are_closed_to_this_user_hide_no_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Such as root's own, in a PATH that came along to another user."""
    shut, there = program(tmp_path / "shut" / "agent"), program(tmp_path / "open" / "agent")
    stat = os.stat

    def refused(path: str | Path, *args: object, **named: bool) -> os.stat_result:
        if os.fspath(path).startswith(str(shut)):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)
        return stat(path, **named)

    monkeypatch.setattr(os, "stat", refused)
    assert find_program("agent", {"PATH": f"{shut.parent}:{there.parent}"}, tmp_path) == str(there)
    with pytest.raises(ChildNotExecutable, match="Permission denied"):
        find_program(str(shut), {}, tmp_path)


def test_not_found_is_127_and_names_what_is_alike(tmp_path: Path) -> None:
    program(tmp_path / "claude")
    with pytest.raises(ChildNotFound) as missing:
        find_program("claud", {"PATH": str(tmp_path)}, tmp_path)
    assert missing.value.exit_code == 127
    assert "claud: command not found" in missing.value.message
    assert "did you mean claude?" in (missing.value.hint or "")
    assert "alias" in (missing.value.hint or "")


def test_a_folder_is_126(tmp_path: Path) -> None:
    with pytest.raises(ChildNotExecutable) as found:
        find_program("./", {}, tmp_path)
    assert found.value.exit_code == 126


@pytest.mark.parametrize("word", ["agent", "./agent"])
def test_a_file_without_the_right_is_126(tmp_path: Path, word: str) -> None:
    program(tmp_path / "agent", 0o644)
    if word == "agent":
        (tmp_path / "sub" / "agent").mkdir(parents=True)  # folders along the path do not count
    with pytest.raises(ChildNotExecutable) as found:
        find_program(word, {"PATH": f"{tmp_path}/sub:{tmp_path}"}, tmp_path)
    assert found.value.exit_code == 126
    assert "chmod +x" in (found.value.hint or "")


def test_a_later_one_that_can_be_executed_wins(tmp_path: Path) -> None:
    program(tmp_path / "a" / "agent", 0o644)
    good = program(tmp_path / "b" / "agent")
    assert find_program("agent", {"PATH": f"{tmp_path}/a:{tmp_path}/b"}, tmp_path) == str(good)


def test_without_a_path_there_are_the_systems_folders(tmp_path: Path) -> None:
    assert os.access(find_program("sh", {}, tmp_path), os.X_OK)
