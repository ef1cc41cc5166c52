"""The ledger: does it open, is it sound, is it of a version this rlmc knows? Looked at, never changed."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from rlmc.commands.checks.check import Check
from rlmc.errors import LedgerError


def check_ledger(file: Path) -> list[Check]:
    from rlmc.ledger.files import is_sound
    from rlmc.ledger.schema import version_of

    checks = _set_aside(file)
    if not file.exists():
        return [Check("ledger", "ok", f"none yet at {file}"), *checks]
    keep = "The daemon sets it aside on its next start and begins a new one; nothing is deleted."
    try:
        db = sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True, timeout=2.0)
        try:
            version = version_of(db)
            sound = is_sound(db, file)
        finally:
            db.close()
    except LedgerError as error:
        return [Check("ledger", "fail", f"{file}: {error.message}", error.hint), *checks]
    except (sqlite3.Error, OSError) as error:
        return [Check("ledger", "fail", f"{file} cannot be read: {error}", keep), *checks]
    if not sound:
        return [Check("ledger", "fail", f"{file} is damaged", keep), *checks]
    return [Check("ledger", "ok", f"{file}, version {version}"), *checks]


def _set_aside(file: Path) -> list[Check]:
    """Earlier ledgers that could not be used lie beside the present one."""
    aside = (
        sorted(path.name for path in file.parent.glob(f"{file.stem}.*{file.suffix}")) if file.parent.is_dir() else []
    )
    if not aside:
        return []
    return [
        Check("ledger", "warn", f"set aside earlier: {', '.join(aside)}", f"Kept in {file.parent}; yours to delete.")
    ]
