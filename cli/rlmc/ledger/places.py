"""Where sessions were started: directories and git branches, for who asks about one that is not there."""

from __future__ import annotations

from rlmc.ledger.queries import LedgerReader


def projects(reader: LedgerReader) -> list[str]:
    """The directories, the one of the newest session first."""
    sql = """
        SELECT directory FROM sessions WHERE directory <> ''
        GROUP BY directory ORDER BY max(started_at) DESC, directory
    """
    return [directory for (directory,) in reader.rows(sql, ())]


def branches(reader: LedgerReader) -> list[str]:
    """The git branches, the one of the newest session first."""
    sql = """
        SELECT git_branch FROM sessions WHERE git_branch <> ''
        GROUP BY git_branch ORDER BY max(started_at) DESC, git_branch
    """
    return [branch for (branch,) in reader.rows(sql, ())]
