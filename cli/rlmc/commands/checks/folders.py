"""The folders and files of rlmc: do they belong to the user, and to nobody else?"""

from __future__ import annotations

import os
import shlex
import stat
from collections.abc import Sequence
from pathlib import Path

from rlmc.commands.checks.check import Check


def check_folders(folders: Sequence[Path], files: Sequence[Path]) -> list[Check]:
    """One check for each that is wrong, or one that says all is well."""
    checks = [one for path in dict.fromkeys(folders) for one in _folder(path)]
    checks += [one for path in files for one in _private(path, 0o600)]
    return checks or [Check("files", "ok", "folders and files are yours alone")]


def _folder(path: Path) -> list[Check]:
    if path.exists() and not path.is_dir():
        return [Check("files", "fail", f"{path} is no folder", f"mv {_quoted(path)} {_quoted(path)}.old")]
    if path.is_dir() and not os.access(path, os.R_OK | os.W_OK | os.X_OK):
        return [Check("files", "fail", f"{path} cannot be read and written", f"chmod 700 {_quoted(path)}")]
    return _private(path, 0o700)


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
    loose = stat.S_IMODE(found.st_mode) & 0o077
    if not loose:
        return []
    detail = f"{path} is open to other users (mode {stat.S_IMODE(found.st_mode):04o})"
    return [Check("files", "warn", detail, f"chmod {mode:o} {_quoted(path)}")]


def _quoted(path: Path) -> str:
    return shlex.quote(str(path))
