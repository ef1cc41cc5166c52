"""What kind of disk a folder lies on, told from the mounts, and whether there is room."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from rlmc.config import disks


@pytest.fixture(autouse=True)
def _nothing_remembered() -> Iterator[None]:
    disks.network_disk.cache_clear()
    yield
    disks.network_disk.cache_clear()


def mounts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *found: tuple[str, str]) -> None:
    lines = [
        f"{n} 1 0:{n} / {point} rw,relatime shared:1 - {kind} source rw\n" for n, (point, kind) in enumerate(found)
    ]
    (tmp_path / "mountinfo").write_text("".join(lines))
    monkeypatch.setattr(disks, "_MOUNTS", tmp_path / "mountinfo")


@pytest.mark.parametrize(
    ("found", "kind"),
    [
        ([("/", "ext4")], None),
        ([("/", "nfs")], "nfs"),
        ([("/", "ext4"), ("{at}", "nfs4")], "nfs4"),
        ([("{at}", "cifs"), ("/", "ext4")], "cifs"),
        ([("/", "ext4"), ("{at}", "fuse.sshfs"), ("{at}/in", "tmpfs")], None),
        ([("/", "ext4"), ("{at}", "nfs"), ("{at}", "tmpfs")], None),
        ([("/", "ext4"), ("{at}-besides", "nfs")], None),
        ([("/", "overlay"), ("{at}", "virtiofs")], "virtiofs"),
        ([], None),
    ],
)
def test_the_nearest_mount_decides(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, found: Sequence[tuple[str, str]], kind: str | None
) -> None:
    at = tmp_path / "a home"
    (at / "in").mkdir(parents=True)
    told = os.path.realpath(at).replace(" ", "\\040")
    mounts(tmp_path, monkeypatch, *((point.format(at=told), kind) for point, kind in found))
    assert disks.network_disk(at / "in" / "rlmc") == kind


def test_where_nobody_tells_it_is_a_good_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disks, "_MOUNTS", tmp_path / "none")
    assert disks.network_disk(tmp_path) is None


def test_a_folder_that_is_missing_is_as_its_parent(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert disks.writable(tmp_path / "a" / "b")
    assert not disks.writable(tmp_path / "file" / "b")
    assert disks.has_room(tmp_path / "a" / "b")
