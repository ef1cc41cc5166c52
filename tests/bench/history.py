"""The medians of earlier runs, kept with the code, so that what gets slower is seen.

Rule: runs are compared on the same kind of machine alone; worse means more than the rounds of both runs differ by.
"""

from __future__ import annotations

import json
import subprocess
import time
from pathlib import Path
from statistics import median
from typing import Any

from tests.bench.process import ROOT
from tests.bench.report import machine
from tests.bench.rows import ROWS, Table

FILE = Path(__file__).with_name("history.json")
_NOISE = 1.15  # less than this is no news, however alike the rounds were
_KIND = ("processor", "cores", "python")

Entry = dict[str, Any]


def entry(table: Table) -> Entry:
    """What a run leaves behind: by row what it is judged by, as median, lowest and highest, and the value itself."""
    figures = {}
    for row in table.rows():
        judged = table.judged(row)
        if judged:
            low, high = min(judged), max(judged)
            value = median(table.own[row.key].values())
            figures[row.key] = [_short(number) for number in (median(judged), low, high, value)]
    return {
        "date": time.strftime("%Y-%m-%d"),
        "commit": _commit(),
        "machine": {name: machine()[name] for name in _KIND},
        "figures": figures,
    }


def read(file: Path = FILE) -> list[Entry]:
    if not file.exists():
        return []
    entries: list[Entry] = json.loads(file.read_text())
    return entries


def record(new: Entry, file: Path = FILE) -> None:
    """A line an entry, so that a change reads well."""
    entries = [*read(file), new]
    file.write_text("[\n" + ",\n".join(json.dumps(entry) for entry in entries) + "\n]\n")


def worse(new: Entry, entries: list[Entry]) -> list[str]:
    """What has got worse than in the last entry of the same kind of machine, in words."""
    before = next((old for old in reversed(entries) if old["machine"] == new["machine"]), None)
    if before is None:
        return []
    titles = {row.key: row.key if row.beside is None else f"{row.key}, ratio" for row in ROWS}
    found = []
    for key, (now, low, _, _) in new["figures"].items():
        then, _, high, _ = before["figures"].get(key, (None, 0, 0, 0))
        if then is not None and now > then * _NOISE and low > high:
            found.append(f"worse than on {before['date']} ({before['commit']}): {titles[key]} {then:g} -> {now:g}")
    return found


def _short(value: float) -> float:
    return float(f"{value:.4g}")


def _commit() -> str:
    """A + where the tree was not as committed."""
    said = subprocess.run(
        ["git", "describe", "--always", "--dirty=+", "--exclude=*"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    return said.stdout.strip() or "unknown"
