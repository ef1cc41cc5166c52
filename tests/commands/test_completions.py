"""`rlmc completions`: the scripts, on stdout or in a folder."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.support.cli import run

from rlmc import __main__
from rlmc.commands.completions import register
from rlmc.completion import SHELLS, Shell
from rlmc.ui import console


@pytest.mark.parametrize("one", SHELLS, ids=lambda one: one.name)
def test_it_prints_the_script_of_the_whole_command_line(
    one: Shell, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert __main__.run(["completions", "--write", str(tmp_path)]) == 0
    capsys.readouterr()
    assert __main__.run(["completions", one.name]) == 0
    printed = capsys.readouterr()
    assert printed.out == (tmp_path / one.file).read_text(encoding="utf-8")
    assert "verify-model" in printed.out
    assert "stats" in printed.out
    assert printed.err == ""


def test_without_a_name_it_is_the_shell_of_the_user(monkeypatch: pytest.MonkeyPatch) -> None:
    for shell in SHELLS:
        monkeypatch.setenv("SHELL", f"/usr/local/bin/{shell.name}")
        ran = run(register, "completions")
        assert (ran.code, ran.err) == (0, "")
        assert ran.out == run(register, "completions", shell.name).out


@pytest.mark.parametrize(("path", "said"), [("/bin/tcsh", "$SHELL is /bin/tcsh"), ("", "$SHELL is not set")])
def test_a_shell_without_completions(monkeypatch: pytest.MonkeyPatch, path: str, said: str) -> None:
    monkeypatch.setenv("SHELL", path)
    ran = run(register, "completions")
    assert (ran.code, ran.out) == (2, "")
    assert said in ran.err
    assert "bash, zsh, fish" in ran.err


def test_a_person_is_told_where_to_put_it(monkeypatch: pytest.MonkeyPatch) -> None:
    quiet = run(register, "completions", "zsh")
    monkeypatch.setattr(console, "is_terminal", lambda _stream: True)
    ran = run(register, "completions", "zsh")
    assert ran.out == quiet.out
    assert quiet.err == ""
    assert "mkdir -p ~/.zfunc && rlmc completions zsh > ~/.zfunc/_rlmc" in ran.err
    assert "fpath" in ran.err


def test_all_scripts_are_written_into_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SHELL", raising=False)
    folder = tmp_path / "new" / "folder"
    ran = run(register, "completions", "--write", str(folder))
    files = [folder / shell.file for shell in SHELLS]
    assert (ran.code, ran.out.splitlines()) == (0, [str(file) for file in files])
    for shell, file in zip(SHELLS, files, strict=True):
        assert file.read_text(encoding="utf-8") == run(register, "completions", shell.name).out


def test_one_script_is_written_into_a_folder(tmp_path: Path) -> None:
    assert run(register, "completions", "fish", "--write", str(tmp_path)).code == 0
    assert [file.name for file in tmp_path.iterdir()] == ["rlmc.fish"]


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    ran = run(register, "completions", "bash", "--write", str(tmp_path / "file" / "folder"))
    assert ran.code == 1
    assert "--write" in ran.err
    assert str(tmp_path / "file" / "folder" / "rlmc.bash") in ran.err
