from __future__ import annotations

from pathlib import Path

from rlmc.launch.git import branch_of


def repository(folder: Path, head: str) -> Path:
    (folder / ".git").mkdir(parents=True)
    (folder / ".git" / "HEAD").write_text(head)
    return folder


def test_the_branch_from_anywhere_inside(tmp_path: Path) -> None:
    root = repository(tmp_path / "repo", "ref: refs/heads/feature/some-thing\n")
    (root / "a" / "b").mkdir(parents=True)
    assert branch_of(root) == "feature/some-thing"
    assert branch_of(root / "a" / "b") == "feature/some-thing"


def test_a_checked_out_commit(tmp_path: Path) -> None:
    assert branch_of(repository(tmp_path, f"{'0123456789abcdef' * 2}\n")) == "0123456789ab"


def test_a_worktree(tmp_path: Path) -> None:
    folder = tmp_path / "repo" / ".git" / "worktrees" / "w"
    folder.mkdir(parents=True)
    (folder / "HEAD").write_text("ref: refs/heads/w\n")
    (tmp_path / "w").mkdir()
    (tmp_path / "w" / ".git").write_text(f"gitdir: {folder}\n")
    assert branch_of(tmp_path / "w") == "w"
    (tmp_path / "w" / ".git").write_text("gitdir: ../repo/.git/worktrees/w\n")
    assert branch_of(tmp_path / "w") == "w"


def test_no_repository_or_a_broken_one(tmp_path: Path) -> None:
    assert branch_of(tmp_path / "nothing") is None
    assert branch_of(repository(tmp_path / "empty", "")) is None
    (tmp_path / "bare" / ".git").mkdir(parents=True)
    assert branch_of(tmp_path / "bare") is None
    (tmp_path / "odd" / ".git").mkdir(parents=True)
    (tmp_path / "odd" / ".git" / "HEAD").write_bytes(b"\xff\xff")
    assert branch_of(tmp_path / "odd") is None
