"""What `rlmc stats` takes on a large ledger, beside `sqlite3` with queries that come to the same.

    python -m tests.bench.ledger [--turns 1000000] [--rounds 3] [--folder DIR]

Every command runs as a process of its own, in turns with the other side; medians are shown, and the ratio. The figures
of both sides must agree, to the picodollar, before anything is shown. The made-up ledger is kept in the folder.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from tests.bench.books import books

_REAL = "t.session_id NOT IN (SELECT id FROM sessions WHERE simulated <> 0)"
_TURNS = """
SELECT {key}, t.outcome, t.reason, count(*), sum(t.baseline), sum(t.baseline IS NULL), sum(t.baseline_estimated <> 0),
    total(t.baseline_bias), total(t.baseline_noise), sum(t.draft_only), sum(t.ending <> 'complete')
FROM turns t WHERE {where} GROUP BY 1, 2, 3;
"""
_CALLS = """
SELECT {key}, c.role, c.served, c.brief, c.provider, c.model, count(*), sum(c.input), sum(c.cache_read),
    sum(c.cache_write_5m), sum(c.cache_write_1h), sum(c.output), sum(c.thinking), sum(c.cost), sum(c.cost IS NULL)
FROM turns t JOIN calls c ON c.turn_id = t.id WHERE {where} GROUP BY 1, 2, 3, 4, 5, 6;
"""
# The nearest rank, of each outcome and of all: the usual way to ask a database for percentiles.
_RANKED = """
SELECT key, part, max(value) FILTER (WHERE number <= (count * 50 + 99) / 100),
    max(value) FILTER (WHERE number <= (count * 95 + 99) / 100)
FROM (SELECT key, part, value, count(*) OVER (PARTITION BY key, part) AS count,
        row_number() OVER (PARTITION BY key, part ORDER BY value) AS number
    FROM (SELECT {key} AS key, {part} AS part, t.latency_ms AS value FROM turns t
        WHERE {where} AND t.ending = 'complete'))
GROUP BY 1, 2;
"""
_DIRECT = """
SELECT key, max(value) FILTER (WHERE number <= (count * 50 + 99) / 100)
FROM (SELECT key, value, count(*) OVER (PARTITION BY key) AS count,
        row_number() OVER (PARTITION BY key ORDER BY value) AS number
    FROM (SELECT {key} AS key, c.latency_ms AS value FROM turns t JOIN calls c ON c.turn_id = t.id
        WHERE {where} AND t.ending = 'complete' AND c.role = 'direct' AND c.served <> 0))
GROUP BY 1;
"""
_DAY = "date(t.started_at / 1000000, 'unixepoch', 'localtime')"
_KEYS = {"": "''", "day": _DAY, "session": "t.session_id"}


def script(key: str = "", since: int = 0) -> str:
    """The queries of one account, for sqlite3."""
    where = f"t.started_at >= {since} AND {_REAL}"
    parts = [
        text.format(key=_KEYS[key], where=where, part=part)
        for text, part in ((_TURNS, ""), (_CALLS, ""), (_RANKED, "t.outcome"), (_RANKED, "''"), (_DIRECT, ""))
    ]
    return ".mode list\n" + "".join(parts)


def today() -> int:
    midnight = datetime.now().astimezone().replace(hour=0, minute=0, second=0, microsecond=0)
    return round(midnight.timestamp() * 1_000_000)


CASES: tuple[tuple[Sequence[str], str, bool], ...] = (
    (("stats", "--all"), "", False),
    (("stats", "--all", "--by", "day"), "day", False),
    (("stats", "--all", "--by", "session"), "session", False),
    (("stats", "--today"), "", True),
)


def rlmc(folder: Path, arguments: Sequence[str]) -> tuple[float, dict[str, object]]:
    """Seconds, and the data of the answer."""
    began = time.perf_counter()
    ran = subprocess.run(
        [sys.executable, "-m", "rlmc", *arguments, "--json"],
        env={**os.environ, "RLMC_DATA_DIR": str(folder)},
        stdout=subprocess.PIPE,
        check=True,
    )
    return time.perf_counter() - began, json.loads(ran.stdout)["data"]


def sqlite(folder: Path, text: str) -> tuple[float, list[list[str]]]:
    """Seconds, and the rows of all queries."""
    began = time.perf_counter()
    command = ["sqlite3", "-readonly", str(folder / "ledger.db")]
    ran = subprocess.run(command, input=text.encode(), stdout=subprocess.PIPE, check=True)
    return time.perf_counter() - began, [line.split("|") for line in ran.stdout.decode().splitlines()]


def agree(data: dict[str, object], rows: list[list[str]], by: str) -> None:
    """Raises AssertionError unless both sides say the same: of turns, baseline and paid in all and by group, of the
    percentiles of each outcome and of all where there are no groups."""
    theirs: dict[str, list[int]] = {}
    for row in rows:
        sums = theirs.setdefault(row[0], [0, 0, 0])
        if len(row) == 11:
            sums[0], sums[1] = sums[0] + int(row[3]), sums[1] + int(row[4] or 0)
        elif len(row) == 15:
            sums[2] += int(row[13] or 0)
    total, groups = data["total"], data["groups"]
    assert isinstance(total, dict)
    assert isinstance(groups, list)
    if by:
        assert {group["key"]: _sums(group) for group in groups} == theirs
    assert _sums(total) == [sum(column) for column in zip([0, 0, 0], *theirs.values(), strict=True)]
    if not by:
        times = total["latency_ms"]
        ranked = {row[1]: [float(value) for value in row[2:]] for row in rows if len(row) == 4}
        ours = {"": times, **times["outcomes"]}
        assert {name: [ours[name]["p50"], ours[name]["p95"]] for name in ranked} == ranked


def _sums(report: dict[str, object]) -> list[int]:
    baseline, paid = report["baseline"], report["paid"]
    assert isinstance(baseline, dict)
    assert isinstance(paid, dict)
    turns = report["turns"]
    assert isinstance(turns, int)
    return [turns, baseline["picodollars"], paid["picodollars"]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--turns", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "rlmc-bench")
    wanted = parser.parse_args()
    if shutil.which("sqlite3") is None:
        parser.error("needs the sqlite3 command-line tool")
    folder = books(wanted.folder, wanted.turns, round(time.time() * 1_000_000))
    size = (folder / "ledger.db").stat().st_size / 1e6
    print(f"{wanted.turns:,} turns, {size:,.0f} MB; seconds, medians of {wanted.rounds} rounds")
    print(f"{'':<28}{'rlmc':>8}{'sqlite3':>9}{'ratio':>7}")
    for arguments, by, day in CASES:
        text = script(by, today() if day else 0)
        ours, theirs = [], []
        for _ in range(wanted.rounds):
            seconds, data = rlmc(folder, arguments)
            ours.append(seconds)
            seconds, rows = sqlite(folder, text)
            theirs.append(seconds)
            agree(data, rows, by)
        one, other = statistics.median(ours), statistics.median(theirs)
        print(f"{' '.join(arguments):<28}{one:>8.2f}{other:>9.2f}{one / other:>7.2f}")


if __name__ == "__main__":
    main()
