"""What can be expected of the disk a folder lies on.

Rule: asked before anything is written, and never a reason to fail: what cannot be found out is taken for a good disk.
"""

from __future__ import annotations

import functools
import os
import re
from pathlib import Path

_MOUNTS = Path("/proc/self/mountinfo")
_ROOM = 64 * 1024
_OVER_A_NETWORK = frozenset(
    {
        *("nfs", "nfs4", "cifs", "smb3", "smbfs", "afs", "9p", "ncpfs", "ceph", "lustre", "gpfs", "beegfs", "orangefs"),
        # What a virtual machine or a container shares with its host, which may have a daemon of its own there.
        *("virtiofs", "vboxsf", "prl_fs", "fuse.vmhgfs-fuse", "fuse.grpcfuse", "fuse.osxfs", "fakeowner"),
        *("fuse.sshfs", "fuse.rclone", "fuse.glusterfs", "fuse.ceph", "fuse.davfs2", "fuse.s3fs", "fuse.gcsfuse"),
    }
)
_ESCAPED = re.compile(r"\\([0-7]{3})")


def writable(folder: Path) -> bool:
    """Whether files can be made in it, or it can be made itself."""
    return os.access(_nearest(folder), os.W_OK | os.X_OK)


def has_room(folder: Path) -> bool:
    """Whether a few small files fit there."""
    try:
        disk = os.statvfs(_nearest(folder))
    except OSError:
        return True
    if not disk.f_blocks:  # it does not say
        return True
    return disk.f_bavail * disk.f_frsize >= _ROOM and not (disk.f_files and not disk.f_favail)


@functools.lru_cache(maxsize=16)
def network_disk(folder: Path) -> str | None:
    """The kind of file system where another machine keeps these files; None where it is this one, or nobody knows."""
    wanted = os.path.realpath(_nearest(folder))
    found, kind = "", None
    try:
        lines = _MOUNTS.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    except OSError:
        return None
    for line in lines:
        before, _, after = line.partition(" - ")
        fields, more = before.split(" "), after.split(" ")
        if len(fields) < 5:
            continue
        point = _ESCAPED.sub(lambda code: chr(int(code[1], 8)), fields[4])
        if _is_below(wanted, point) and len(point) >= len(found):  # the last of those at one point covers the others
            found, kind = point, more[0]
    return kind if kind in _OVER_A_NETWORK else None


def _is_below(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder.rstrip("/") + "/")


def _nearest(folder: Path) -> str:
    """The folder, or where it is missing the first one above it that is there."""
    return next((str(path) for path in (folder, *folder.parents) if os.path.exists(path)), "/")  # noqa: PTH110 - never raises
