"""The folders and files of rlmc: do they belong to the user, and to nobody else?"""

from __future__ import annotations

import os
import shlex
import stat
from collections.abc import Collection, Iterator, Sequence
from itertools import islice
from pathlib import Path

from rlmc.commands.checks.check import Check

_MOST_FILES = 5_000
_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH


def check_folders(folders: Sequence[Path], files: Sequence[Path], may_link: Collection[Path] = ()) -> list[Check]:
    """One check for each that is wrong, or one that says all is well. `may_link` are files that a user keeps somewhere
    else; any other link leads what the daemon writes away."""
    own = list(dict.fromkeys(folders))
    checks = [one for path in own for one in (*_folder(path), *_above(path))]
    checks += [one for path in files for one in _file(path, path in may_link)]
    checks += [one for path in own for one in _inside(path, set(files))]
    return checks or [Check("files", "ok", "folders and files are yours alone")]


def _folder(path: Path) -> list[Check]:
    if path.exists() and not path.is_dir():
        return [Check("files", "fail", f"{path} is no folder", f"mv {_quoted(path)} {_quoted(path)}.old")]
    if path.is_dir() and not os.access(path, os.R_OK | os.W_OK | os.X_OK):
        return [Check("files", "fail", f"{path} cannot be read and written", f"chmod 700 {_quoted(path)}")]
    return _private(path, 0o700)


def _above(path: Path) -> list[Check]:
    """Folders in which somebody else could put another folder in the place of this one."""
    checks: list[Check] = []
    for folder in path.absolute().parents:
        try:
            found = folder.stat()
        except OSError:
            continue
        if found.st_uid not in (os.getuid(), 0):
            detail = f"{folder} belongs to another user, who could replace {path}"
            checks.append(Check("files", "fail", detail, "Keep rlmc's folders below one of your own."))
        elif found.st_mode & stat.S_IWOTH and not found.st_mode & stat.S_ISVTX:
            detail = f"every user may write to {folder}, and could replace {path}"
            checks.append(Check("files", "fail", detail, f"chmod o-w {_quoted(folder)}"))
    return checks


def _file(path: Path, may_link: bool) -> list[Check]:
    if path.is_symlink():
        try:
            owner = path.lstat().st_uid
        except OSError:
            return []
        if owner not in (os.getuid(), 0) or not may_link:
            detail = f"{path} is a link to {path.readlink()}: what is written there goes somewhere else"
            return [Check("files", "fail", detail, f"rlmc stop, then rm {_quoted(path)}")]
    elif path.exists() and not path.is_file():
        detail = f"{path} is no file"
        return [Check("files", "fail", detail, f"rlmc stop, then mv {_quoted(path)} {_quoted(path)}.old")]
    return _private(path, 0o600)


def _inside(folder: Path, seen: Collection[Path]) -> list[Check]:
    """All other files of a folder, in one line. What others may only read is of no use to them where they cannot enter
    the folder."""
    if not folder.is_dir():
        return []
    try:
        closed = not folder.stat().st_mode & _OTHERS
    except OSError:
        return []
    loose = _OTHERS_WRITE if closed else _OTHERS
    wrong = [path for path, mode, owner in _entries(folder) if path not in seen and (mode & loose or not owner)]
    if not wrong:
        return []
    first = wrong[0].relative_to(folder)
    more = f" and {len(wrong) - 1:,} more" if len(wrong) > 1 else ""
    detail = f"in {folder}, {first}{more} may be {'changed' if closed else 'read or changed'} by other users"
    return [Check("files", "warn", detail, f"chmod -R go-rwx {_quoted(folder)}")]


def _entries(folder: Path) -> Iterator[tuple[Path, int, bool]]:
    """Each with its mode and whether it is the user's. Links are not followed."""
    for path in islice(folder.rglob("*"), _MOST_FILES):
        try:
            found = path.lstat()
        except OSError:
            continue
        if not stat.S_ISLNK(found.st_mode):
            yield path, found.st_mode, found.st_uid in (os.getuid(), 0)


def _private(path: Path, mode: int) -> list[Check]:
    try:
        found = path.stat()
    except FileNotFoundError:
        return []
    except OSError as error:
        return [Check("files", "fail", f"{path}: {error.strerror or error}", "Check the folder it is in.")]
    if found.st_uid != os.getuid():
        return [
            Check("files", "fail", f"{path} belongs to another user", f"sudo chown {os.getuid()} {_quoted(path)}"),
        ]
    loose = stat.S_IMODE(found.st_mode) & _OTHERS
    if not loose:
        return []
    detail = f"{path} is open to other users (mode {stat.S_IMODE(found.st_mode):04o})"
    return [Check("files", "warn", detail, f"chmod {mode:o} {_quoted(path)}")]


def _quoted(path: Path) -> str:
    return shlex.quote(str(path))
