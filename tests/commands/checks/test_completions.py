from __future__ import annotations

from pathlib import Path

import pytest

from rlmc.commands.checks.completions import check_completions


@pytest.mark.parametrize(
    ("shell", "place"),
    [
        ("bash", ".local/share/bash-completion/completions/rlmc"),
        ("zsh", ".zfunc/_rlmc"),
        ("fish", ".config/fish/completions/rlmc.fish"),
        ("bash", "system/bash-completion/completions/rlmc"),
        ("fish", "system/fish/vendor_completions.d/rlmc.fish"),
    ],
)
def test_found_where_the_shell_looks(tmp_path: Path, shell: str, place: str) -> None:
    env = {"SHELL": f"/usr/bin/{shell}", "XDG_DATA_DIRS": str(tmp_path / "system")}
    missing = check_completions(env, tmp_path)
    assert missing.status == "warn"
    assert f"rlmc completions {shell} >" in str(missing.fix)
    file = tmp_path / place
    file.parent.mkdir(parents=True)
    file.touch()
    found = check_completions(env, tmp_path)
    assert found.status == "ok"
    assert str(file) in found.detail


def test_the_folders_of_the_environment_count(tmp_path: Path) -> None:
    (tmp_path / "data" / "bash-completion" / "completions").mkdir(parents=True)
    (tmp_path / "data" / "bash-completion" / "completions" / "rlmc").touch()
    env = {"SHELL": "/bin/bash", "XDG_DATA_HOME": str(tmp_path / "data")}
    assert check_completions(env, tmp_path).status == "ok"


@pytest.mark.parametrize("env", [{}, {"SHELL": "/bin/tcsh"}])
def test_other_shells_have_none(tmp_path: Path, env: dict[str, str]) -> None:
    assert check_completions(env, tmp_path).status == "ok"
